/** A key that any newer policy calls revoked permits nothing from that entry on; what it stopped stays stopped. */
import { expect, test } from '@jest/globals';
import type { Policy } from '../../src/core/release/policy.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';
import type { PersonName } from '../made/team.ts';

const DAY = 24 * 3600;
// A looser policy waits for a day: a revocation does not.
const gated = useGated(undefined, { delay: DAY });
const APPROVE = { decision: 'approve' } as const;

/** Logs a policy that calls their keys revoked; answers its index. */
async function revoke(who: PersonName[], changes: Partial<Policy> = {}): Promise<number> {
  const { people, ...policy } = gated().policy(2, undefined, changes);
  const revoked = people.map((person) =>
    who.some((id) => id === person.id)
      ? { ...person, keys: person.keys.map((key) => ({ ...key, revoked: true as const })) }
      : person,
  );
  return (await gated().setPolicy({ ...policy, people: revoked }, 'olga')).index;
}

test('an approval does not outlive its key', async () => {
  await gated().push();
  const { index } = await gated().decide('rita', APPROVE);
  await revoke(['rita']);
  const { missing } = await refused(
    gated().publish(),
    'gate-unmet',
    `1 of the role reviewer must approve this digest, of those who did not push it; 0 did (not counted: rita’s in entry ${index}, its key is revoked)`,
  );
  expect(missing).toMatchObject([{ passedOver: [{ person: 'rita', reason: 'key-revoked' }] }]);
});

test('nor does it, when the policy that revokes the key is looser and waits', async () => {
  await gated().push();
  const { index } = await gated().decide('rita', APPROVE);
  const looser = await revoke(['rita'], { delay: 2 * DAY });
  const { policyIndex } = await gated().served.api('/drafts/acme/tiny/v1.0');
  expect(policyIndex).toBeLessThan(looser);
  await refused(
    gated().publish(),
    'gate-unmet',
    new RegExp(`\\(not counted: rita’s in entry ${index}, its key is revoked\\)$`),
  );
});

test('a decision that is committed after the revocation is not recorded, whenever it was signed', async () => {
  await gated().push();
  const approval = await gated().sign('rita', APPROVE);
  await revoke(['rita']);
  const index = await gated().commit(approval);
  const details = await refused(
    gated().open(index, approval),
    'untrusted',
    `the decision’s key was revoked before it was committed at ${index}; decide with another key`,
  );
  expect(details).toMatchObject({ reason: 'key-revoked' });
});

test('an objection outlives its key, or a thief of the owners’ keys would silence it', async () => {
  await gated().push();
  await gated().decide('rita', APPROVE);
  const { index } = await gated().decide('rob', { decision: 'object', reason: 'A licence' });
  await revoke(['rob']);
  const said = `rob objects to it, in entry ${index}: A licence`;
  await refused(gated().publish(), 'gate-unmet', said);
});

test('a revoked key signs no intent to publish', async () => {
  await gated().push();
  await gated().decide('rita', APPROVE);
  const intent = await gated().sign('max', { decision: 'publish' });
  await revoke(['max']);
  await refused(
    gated().publish(undefined, intent),
    'signature-invalid',
    'the intent is signed by nobody of the namespace',
  );
});

test('an auditor finds what a revoked key permitted, before and after', async () => {
  expect(await auditOf('a key is revoked between approval and release')).toEqual([
    expect.stringMatching(/^gate-unmet: .* rob’s in entry \d+, its key is revoked\)$/),
  ]);
  expect(await auditOf('an approval by a key that was revoked before')).toEqual([
    expect.stringMatching(/^untrusted: the decision’s key was revoked before it was committed at/),
  ]);
});
