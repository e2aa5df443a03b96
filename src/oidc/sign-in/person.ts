/** Who somebody is here, of whom a provider has said something. */
import type { KnownPerson } from './providers-file.ts';

/** What a provider says of a person, checked to be its word. */
export type Claims = Readonly<Record<string, unknown>>;

/** Characters of a claim that are repeated to whoever it is about. */
const SHOWN = 200;

/** The first of `people` that the claims fit; undefined for a stranger. */
export function findPerson(
  people: readonly KnownPerson[],
  claims: Claims,
): KnownPerson | undefined {
  return people.find((person) =>
    Object.entries(person.claims).every(([name, value]) => says(claims, name, value)),
  );
}

/** An address that its provider has not verified is what somebody typed there. */
function says(claims: Claims, name: string, value: string | boolean): boolean {
  if (name === 'email' && claims.email_verified !== true) return false;
  return Object.hasOwn(claims, name) && claims[name] === value;
}

/** Tells a stranger what the provider said, for the operator to add; and nothing of anybody else. */
export function describeStranger(provider: string, { sub, email, email_verified }: Claims): string {
  const address =
    typeof email !== 'string'
      ? ', without an e-mail address'
      : email_verified === true
        ? ` with the e-mail address “${email.slice(0, SHOWN)}”`
        : ` with the e-mail address “${email.slice(0, SHOWN)}”, which it has not verified`;
  const who = `“${String(sub).slice(0, SHOWN)}”${address}`;
  return `${provider} says that you are ${who}, and nobody of that name may sign in here: if you should, send this sentence to the operator of the registry`;
}
