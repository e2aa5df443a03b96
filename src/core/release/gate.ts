/**
 * The release gate: one pure function from a policy and what was decided to a clearance, or
 * to the list of what is missing. Server, sequencer guard and auditor call the same one.
 *
 * The solo gate asks for two things: a publisher, and the digest that the publisher names.
 */
import type { Digest } from '../digest.ts';
import type { Policy, Role } from './policy.ts';

declare const brand: unique symbol;

/** Proof that the gate was met. Only `passGate` makes one, and `publish` takes nothing else. */
export interface Clearance {
  readonly digest: Digest;
  /** Log index of the policy that was met. */
  readonly policy: number;
  readonly [brand]: 'Clearance';
}

/** One thing that the gate still lacks. */
export interface Missing {
  /** Stable: `role`, `digest`. */
  readonly need: string;
  /** One sentence for people. */
  readonly message: string;
  /** Whom it waits for: person ids, or a role. */
  readonly waitsFor: readonly string[];
}

/** What is brought before the gate. */
export interface GateRequest {
  readonly policy: Policy;
  /** Log index of that policy. */
  readonly policyIndex: number;
  /** The digest that is sealed. */
  readonly sealed: Digest;
  /** The digest that the publisher named. */
  readonly named: Digest | undefined;
  /** The roles in which the publisher speaks. */
  readonly roles: readonly Role[];
}

export type GateVerdict =
  | { readonly ok: true; readonly clearance: Clearance }
  | { readonly ok: false; readonly missing: readonly Missing[] };

/** Roles that may publish under the solo gate. */
const PUBLISHING: readonly Role[] = ['publisher', 'release-manager', 'owner'];

/** Decides whether the sealed digest may be published now. */
export function passGate(request: GateRequest): GateVerdict {
  const missing: Missing[] = [];
  if (!request.roles.some((role) => PUBLISHING.includes(role))) {
    missing.push({
      need: 'role',
      message: 'publishing takes the role publisher, release-manager or owner',
      waitsFor: PUBLISHING,
    });
  }
  if (request.named !== request.sealed) {
    const message =
      request.named === undefined
        ? `the publisher must name the sealed digest ${request.sealed}`
        : `the publisher named ${request.named}, but ${request.sealed} is sealed`;
    missing.push({ need: 'digest', message, waitsFor: ['publisher'] });
  }
  if (missing.length > 0) return { ok: false, missing };
  return {
    ok: true,
    clearance: { digest: request.sealed, policy: request.policyIndex } as Clearance,
  };
}
