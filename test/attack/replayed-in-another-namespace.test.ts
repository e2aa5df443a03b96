/** People of one namespace decide for that one: the same person and key may stand in two. */
import { expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;

test('an approval in one namespace counts in no other one', async () => {
  const digest = await gated().push();
  const context = { release: 'other/tiny@v1.0' };
  const approval = await gated().sign('rita', APPROVE, { context });
  const details = await refused(
    gated().open(await gated().commit(approval), approval),
    'bad-statement',
    'the decision is about other/tiny@v1.0 at models.example.org, not about acme/tiny@v1.0 at models.example.org; it counts there alone',
  );
  expect(details).toMatchObject({ reason: 'another-namespace' });
  // Its label is that of a decision on this digest: until the owners void it, nothing is published.
  expect(approval.label).toMatch(/^[0-9a-f]{64}$/);
  expect(await gated().team.needs(gated().live)).toEqual(['unopened', 'approval', 'intent']);
  expect(digest).toMatch(/^sha256:/);
});

test('nor is it taken at the other namespace by a token of this one', async () => {
  await gated().push();
  const approval = await gated().sign('rita', APPROVE);
  await refused(
    gated().open(await gated().commit(approval), approval, parseReleaseName('other/tiny@v1.0')),
    'not-authorised',
    'not authorised: this token is for the namespace acme, not for other',
  );
});
