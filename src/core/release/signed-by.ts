/** Who of a namespace signed an envelope, as of some place in the log. */
import { type Envelope, openEnvelope } from '../statement/dsse.ts';
import type { Checking } from '../statement/signature.ts';
import { keysOf, type Policy, personWithKey } from './policy.ts';
import { signingKeyOf } from './policy-key.ts';
import type { Role } from './roles.ts';

/** Whose keys speak. */
export interface Speakers {
  /** The policy in force. */
  readonly policy: Policy;
  /** Keys that any policy so far calls revoked: `revokedKeys`. */
  readonly revoked: ReadonlySet<string>;
  readonly time: string;
}

/** The person with that role, or with any, whose key signed it; or undefined. */
export async function personWhoSigned(
  host: Checking,
  { policy, revoked, time }: Speakers,
  role: Role | undefined,
  envelope: Envelope,
): Promise<string | undefined> {
  for (const key of keysOf(policy, role, time)) {
    if (revoked.has(key.spki)) continue;
    const opened = await openEnvelope(host, envelope, signingKeyOf(key));
    if (opened.ok) return personWithKey(policy, key.spki);
  }
  return undefined;
}
