/** Nobody's key speaks before it is enrolled: what was signed and committed earlier is nobody's word. */
import { expect, test } from '@jest/globals';
import { enrolled } from '../made/enrolment.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { type MadeKey, makeKey } from '../made/p256.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;

async function enroll(key: MadeKey): Promise<void> {
  const { people, ...policy } = gated().policy(2);
  const others = people.map((person) =>
    person.id === 'rob'
      ? { ...person, keys: [...person.keys, enrolled(key, { person: 'rob' })] }
      : person,
  );
  await gated().setPolicy({ ...policy, people: others }, 'olga');
}

test('a decision that was committed before its key was added stays refused afterwards', async () => {
  await gated().push();
  const key = makeKey();
  const early = await gated().sign('rob', APPROVE, { key });
  const index = await gated().commit(early);
  const stranger = await refused(gated().open(index, early), 'untrusted', /it is a stranger’s/);
  expect(stranger).toMatchObject({ reason: 'key-unknown' });
  await enroll(key);
  const details = await refused(
    gated().open(index, early),
    'untrusted',
    `the decision’s key was in no policy in force when it was committed at ${index}; once it is, decide again`,
  );
  expect(details).toMatchObject({ reason: 'key-not-enrolled' });
  // Now it is known whose label that is: like all that nobody opens, it blocks.
  await refused(
    gated().publish(),
    'gate-unmet',
    /^the commitment at \d+ may be an objection: nobody has opened it; 1 of the role reviewer must approve/,
  );
});

test('a key that is added without the word of its holder is refused', async () => {
  const { people, ...policy } = gated().policy(2);
  const [spki] = [Buffer.from(makeKey().spki).toString('base64')];
  const stolen = people.map((person) =>
    person.id === 'rob' ? { ...person, keys: [{ ...person.keys[0]!, spki }] } : person,
  );
  await refused(
    gated().setPolicy({ ...policy, people: stolen }, 'olga'),
    'signature-invalid',
    'a key of "rob" has no proof that its holder wants to be "rob" of acme at models.example.org: the signature is not by the expected key',
  );
});

test('an auditor does not take it either', async () => {
  expect(await auditOf('an approval by a key that is enrolled later')).toEqual([
    expect.stringMatching(/^untrusted: the decision’s key was in no policy in force when it was/),
  ]);
});
