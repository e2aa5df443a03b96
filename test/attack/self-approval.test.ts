/** Whoever pushed a draft has no voice in whether it is good. */
import { expect, test } from '@jest/globals';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;

/** Pat is a reviewer, too. */
test('nobody approves what they pushed, under whatever role', async () => {
  await gated().push();
  const { index } = await gated().decide('pat', APPROVE);
  const { missing } = await refused(
    gated().publish(),
    'gate-unmet',
    `1 of the role reviewer must approve this digest, of those who did not push it; 0 did (not counted: pat’s in entry ${index}, its signer pushed this)`,
  );
  expect(missing).toMatchObject([
    { waitsFor: ['rita', 'rob'], passedOver: [{ person: 'pat', reason: 'pushed' }] },
  ]);
  await gated().decide('rita', APPROVE);
  await gated().publish();
});

test('nobody lifts an objection to what they pushed', async () => {
  await gated().push();
  await gated().decide('rita', APPROVE);
  const objection = await gated().decide('rob', { decision: 'object', reason: 'A licence' });
  const lift = { decision: 'lift', lifts: objection.digest, reason: 'It is mine' } as const;
  await gated().decide('pat', lift);
  await refused(
    gated().publish(),
    'gate-unmet',
    `rob objects to it, in entry ${objection.index}: A licence`,
  );
});

test('an auditor finds both, when the registry lets them pass', async () => {
  expect(await auditOf('who pushed approves')).toEqual([
    expect.stringMatching(
      /^gate-unmet: 2 of the role reviewer .* rob’s .*, its signer pushed this/,
    ),
  ]);
  expect(await auditOf('an objection is lifted by who pushed')).toEqual([
    expect.stringMatching(/^gate-unmet: ron objects to it, in entry \d+: Wait$/),
  ]);
});
