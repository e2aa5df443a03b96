/** A decision names its registry: the same people, keys and bytes may be at another one. */
import { expect, test } from '@jest/globals';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();

test('an approval at one registry is not recorded at another one', async () => {
  await gated().push();
  const context = { origin: 'other.example' };
  const approval = await gated().sign('rita', { decision: 'approve' }, { context });
  const details = await refused(
    gated().open(await gated().commit(approval), approval),
    'bad-statement',
    'the decision is about acme/tiny@v1.0 at other.example, not about acme/tiny@v1.0 at models.example.org; it counts there alone',
  );
  expect(details).toMatchObject({ reason: 'another-registry' });
});

test('nor does an auditor count it, when the registry does', async () => {
  expect(await auditOf('an approval at another registry')).toEqual([
    expect.stringMatching(
      /^gate-unmet: 2 of the role reviewer .* it is about a release of other\.example\)$/,
    ),
  ]);
});

test('an intent to publish at another one publishes nothing here', async () => {
  await gated().push();
  await gated().decide('rita', { decision: 'approve' });
  const context = { origin: 'other.example' };
  const intent = await gated().sign('max', { decision: 'publish' }, { context });
  await refused(
    gated().publish(undefined, intent),
    'gate-unmet',
    'the signed intent is not to publish this digest as this release',
  );
});
