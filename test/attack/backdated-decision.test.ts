/** A decision is as old as its place in the log; what its signer, or the registry, says of its time is not believed. */
import { expect, test } from '@jest/globals';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;
const LONG_AGO = { time: '2020-01-01T00:00:00.000Z' };

test('a decision that is committed after the release comes too late, whatever time it says', async () => {
  await gated().push();
  await gated().decide('rita', APPROVE);
  const { index } = await gated().publish();
  const late = await gated().sign('rob', APPROVE, { context: LONG_AGO });
  const details = await refused(
    gated().open(await gated().commit(late), late),
    'conflict',
    `acme/tiny@v1.0 was published by entry ${index}, before that commitment`,
  );
  expect(details).toMatchObject({ index });
});

test('a decision cannot be put under a commitment that was there before it', async () => {
  await gated().push();
  const old = await gated().commit(await gated().sign('rita', APPROVE));
  const context = { ...LONG_AGO, n: 0, previous: null };
  const backdated = await gated().sign('rita', { decision: 'object', reason: 'No' }, { context });
  const robs = await gated().sign('rob', APPROVE, { context });
  for (const decision of [backdated, robs]) {
    await refused(
      gated().open(old, decision),
      'digest-mismatch',
      'the commitment in the log was made to another envelope, or with another salt',
    );
  }
});

test('an auditor finds what the registry says was committed earlier', async () => {
  const message =
    /^untrusted: decisions\.json opens a commitment at \d+ that the log did not have there before the release$/;
  for (const story of [
    'an approval is backdated: it stands in no commitment',
    'an approval is committed after the release',
  ]) {
    expect(await auditOf(story)).toEqual([expect.stringMatching(message)]);
  }
});
