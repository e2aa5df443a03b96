/** Where in the log something stands, and by whose rules it is judged there. */
import type { Digest } from '../digest.ts';
import type { LoggedPolicy, PolicyHistory } from '../release/policy-history.ts';
import { policyInForce, revokedKeys } from '../release/policy-history.ts';
import type { Speakers } from '../release/signed-by.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { type Refusal, refusal } from '../verdict.ts';

/** What is known when an entry's documents are looked at. */
export interface Place {
  readonly root: TrustRoot;
  readonly index: number;
}

/** A place in a namespace that has begun. */
export interface JudgedPlace extends Place {
  /** Every policy that was logged of it before. */
  readonly history: PolicyHistory;
}

/** The policy in force for an entry of that place and time. */
export function inForceAt({ history, index }: JudgedPlace, time: string): LoggedPolicy {
  const policy = policyInForce(history, { index, time });
  if (policy === undefined) throw new RangeError('a namespace that has begun has a policy');
  return policy;
}

/** Whose keys speak for the namespace at that place and time. */
export function speakersAt(place: JudgedPlace, time: string): Speakers {
  const { policy } = inForceAt(place, time);
  return { policy, revoked: revokedKeys(place.history, place.index), time };
}

/** Something was served in place of what an entry names. */
export function anotherDigest(what: string, expected: Digest, found: Digest): Refusal {
  const message = `${what} has the digest ${found}; its entry names ${expected}`;
  return refusal('digest-mismatch', message, { expected, found });
}
