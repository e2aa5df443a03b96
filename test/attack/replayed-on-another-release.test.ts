/** An approval names one release: the same bytes under another name are another release. */
import { expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;
const OTHER = parseReleaseName('acme/other@v1');

test('an approval of one release is not recorded for another one', async () => {
  await gated().push();
  await gated().push(OTHER);
  const approval = await gated().sign('rita', APPROVE, { release: OTHER });
  const index = await gated().commit(approval);
  const details = await refused(
    gated().open(index, approval),
    'bad-statement',
    'the decision is about acme/other@v1 at models.example.org, not about acme/tiny@v1.0 at models.example.org; it counts there alone',
  );
  expect(details).toMatchObject({ reason: 'another-release' });
});

test('nor does it clear the other one, though the bytes are the same', async () => {
  await gated().push();
  await gated().push(OTHER);
  const { index } = await gated().decide('rita', APPROVE, { release: OTHER });
  await refused(
    gated().publish(),
    'gate-unmet',
    `1 of the role reviewer must approve this digest, of those who did not push it; 0 did (not counted: rita’s in entry ${index}, it is about acme/other@v1)`,
  );
});

test('an auditor counts it for its own release alone, whatever the registry does', async () => {
  expect(await auditOf('an approval of another release of the same bytes')).toEqual([
    expect.stringMatching(
      /^gate-unmet: 2 of the role reviewer .* it is about lab\d+\/elsewhere@v1\)$/,
    ),
  ]);
});
