/** Other content, or the same content sealed again, is another revision: what was decided before is void. */
import { expect, test } from '@jest/globals';
import { makeCommitment } from '../../src/core/release/commitment.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;
const CHANGED = { 'README.md': 'Another model.', 'config.json': '{"layers":1}' };

test('an approval of the revision before does not clear the next one', async () => {
  const first = await gated().push();
  const { index } = await gated().decide('rita', APPROVE);
  await gated().push(undefined, CHANGED);
  const { missing } = await refused(
    gated().publish(),
    'gate-unmet',
    `1 of the role reviewer must approve this digest, of those who did not push it; 0 did (not counted: rita’s in entry ${index}, it is about revision 1, ${first})`,
  );
  expect(missing).toMatchObject([{ passedOver: [{ reason: 'another-draft' }] }]);
});

test('an approval of the revision before is not recorded for the next one', async () => {
  const first = await gated().push();
  const approval = await gated().sign('rita', APPROVE);
  const second = await gated().push(undefined, CHANGED);
  const details = await refused(
    gated().open(await gated().commit(approval), approval),
    'conflict',
    `revision 2 of acme/tiny@v1.0 is sealed as ${second}; the decision is about revision 1, ${first}: look at what is sealed, and decide again`,
  );
  expect(details).toMatchObject({ reason: 'another-revision', revision: 2, digest: second });
});

test('nor is it, under the label that a decision on the next one would have', async () => {
  await gated().push();
  const approval = await gated().sign('rita', APPROVE);
  const digest = await gated().push(undefined, CHANGED);
  const { spki } = gated().team.keys.rita;
  const opening = { digest, spki, n: 0, salt: approval.salt, envelope: approval.digest };
  const index = await gated().commit(makeCommitment(nodeHost, opening));
  const details = await refused(
    gated().open(index, approval),
    'untrusted',
    new RegExp(
      `^the commitment at ${index} was made with no key of the namespace’s policies to this decision: it is a stranger’s, or its label is of another digest or number$`,
    ),
  );
  expect(details).toMatchObject({ reason: 'key-unknown' });
});
