/** A draft that waits for rita's approval, and rita has a passkey. */
import { beforeEach } from '@jest/globals';
import { enrolled } from './enrolment.ts';
import { type GatedServer, useGated } from './gated-served.ts';
import { type AnyKey, type Lies, type MadePasskey, makePasskey, telling } from './passkey.ts';
import { refused } from './refused.ts';

export interface Room {
  readonly gated: GatedServer;
  readonly passkey: MadePasskey;
}

/** Begins anew for each test. */
export function usePasskey(): () => Room {
  const gated = useGated();
  const passkey = makePasskey();
  beforeEach(async () => {
    const { people, ...policy } = gated().policy(2);
    const key = enrolled(passkey, { person: 'rita' });
    const more = people.map((person) =>
      person.id === 'rita' ? { ...person, keys: [...person.keys, key] } : person,
    );
    await gated().setPolicy({ ...policy, people: more }, 'olga');
    await gated().push();
  });
  return () => ({ gated: gated(), passkey });
}

/** Rita approves with `key`, which is not recorded, and permits nothing. */
export async function expectRefused(
  { gated }: Room,
  key: AnyKey,
  why: string | RegExp,
): Promise<void> {
  const signed = await gated.sign('rita', { decision: 'approve' }, { key });
  const index = await gated.commit(signed);
  await refused(gated.open(index, signed), 'signature-invalid', why);
  await refused(gated.publish(), 'gate-unmet', /./);
}

/** The same, with the passkey and what it says otherwise. */
export function expectLieRefused(room: Room, lies: Lies, why: string | RegExp): Promise<void> {
  return expectRefused(room, telling(room.passkey, lies), why);
}
