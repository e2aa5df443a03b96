/** Threshold stuffing (go-tuf GHSA-fphv-w9fq-2525): the policy asks for people, never for keys. */
import { expect, test } from '@jest/globals';
import { enrolled } from '../made/enrolment.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { makeKey } from '../made/p256.ts';
import { refused } from '../made/refused.ts';

const TWO = { approvals: [{ role: 'reviewer', count: 2 }] } as const;
const gated = useGated({ approvals: [...TWO.approvals] });
const APPROVE = { decision: 'approve' } as const;

test('one person with two keys is counted once', async () => {
  const second = makeKey();
  const { people, ...policy } = gated().policy(2);
  const withBoth = people.map((person) =>
    person.id === 'rita'
      ? { ...person, keys: [...person.keys, enrolled(second, { person: 'rita' })] }
      : person,
  );
  await gated().setPolicy({ ...policy, people: withBoth }, 'olga');
  await gated().push();
  await gated().decide('rita', APPROVE);
  const context = { n: 0, previous: null };
  const again = await gated().decide('rita', APPROVE, { key: second, context });
  const { missing } = await refused(
    gated().publish(),
    'gate-unmet',
    `2 of the role reviewer must approve this digest, of those who did not push it; 1 did (not counted: rita’s in entry ${again.index}, its signer counts once)`,
  );
  expect(missing).toMatchObject([
    { need: 'approval', passedOver: [{ person: 'rita', reason: 'counted' }] },
  ]);
  await gated().decide('rob', APPROVE);
  await gated().publish();
});

test('an auditor counts people, too, when the registry counts keys', async () => {
  expect(await auditOf('one person approves twice, with two keys')).toEqual([
    expect.stringMatching(
      /^gate-unmet: 2 of the role reviewer must approve .* 1 did \(not counted: rita’s in entry \d+, its signer counts once\)$/,
    ),
  ]);
});
