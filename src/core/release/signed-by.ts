/** Who of a namespace signed an envelope, as of some place in the log. */
import type { Host } from '../host.ts';
import { type Envelope, openEnvelope } from '../statement/dsse.ts';
import { parseSpkiBase64 } from '../statement/public-key.ts';
import { keysOf, type Policy, personWithKey } from './policy.ts';
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
  host: Pick<Host, 'verifyP256'>,
  { policy, revoked, time }: Speakers,
  role: Role | undefined,
  envelope: Envelope,
): Promise<string | undefined> {
  for (const spki of keysOf(policy, role, time)) {
    if (revoked.has(spki)) continue;
    const opened = await openEnvelope(host, envelope, parseSpkiBase64(spki));
    if (opened.ok) return personWithKey(policy, spki);
  }
  return undefined;
}
