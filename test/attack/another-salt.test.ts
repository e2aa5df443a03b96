/** A commitment binds one envelope and one salt: nobody opens it as something else. */
import { expect, test } from '@jest/globals';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const SENTENCE = 'the commitment in the log was made to another envelope, or with another salt';

test('a decision is not recorded with another salt than it was committed with', async () => {
  await gated().push();
  const approval = await gated().sign('rita', { decision: 'approve' });
  const index = await gated().commit(approval);
  const salt = 'ab'.repeat(32);
  await refused(gated().open(index, { ...approval, salt }), 'digest-mismatch', SENTENCE);
  await gated().open(index, approval);
});

test('nor as another decision under the same label', async () => {
  await gated().push();
  const objection = await gated().sign('rob', { decision: 'object', reason: 'A licence' });
  const index = await gated().commit(objection);
  const context = { n: 0, previous: null };
  const approval = await gated().sign('rob', { decision: 'approve' }, { context });
  await refused(gated().open(index, approval), 'digest-mismatch', SENTENCE);
  const again = gated().commit({ label: objection.label, commit: approval.commit });
  await refused(
    again,
    'conflict',
    `the label ${objection.label} is in the log with another commitment`,
  );
});

test('an auditor finds a release that reveals another salt', async () => {
  expect(await auditOf('a decision is opened with another salt')).toEqual([
    `digest-mismatch: ${SENTENCE}`,
  ]);
});
