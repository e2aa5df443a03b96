/**
 * The release gate: one pure function from a policy and what was decided to a clearance, or
 * to the list of what is missing. Server, sequencer guard and auditor call the same one.
 *
 *     always     somebody who may publish, and the digest that they name (`gate.ts`)
 *     always     nothing that stops the release (`gate-stops.ts`)
 *     if gated   seal and age, evaluations, approvals, intent (`gate-demands.ts`)
 *
 * Which decisions count, and for what, stands in `docket.ts`. The policy must be the one in
 * force at the place where the release is, or is to be, logged (`policyInForce`): then a policy
 * that was loosened and has not waited out its delay clears nothing.
 */
import type { Digest } from '../digest.ts';
import { type Circumstances, openDocket } from './docket.ts';
import {
  missingApprovals,
  missingEvaluations,
  missingIntent,
  missingTime,
  notCounted,
  pushersOf,
} from './gate-demands.ts';
import {
  missingLifts,
  missingOpenings,
  missingRelease,
  type UnopenedCommitment,
} from './gate-stops.ts';
import type { Missing } from './missing.ts';
import type { OpenedDecision, OpenedStatement } from './opened-decision.ts';
import type { NotCounted } from './passed-over.ts';
import { isGated } from './requirements.ts';
import { PUBLISHING, type Role } from './roles.ts';

declare const brand: unique symbol;

/** Proof that the gate was met. Only `passGate` makes one, and `publish` takes nothing else. */
export interface Clearance {
  readonly digest: Digest;
  /** Log index of the policy that was met. */
  readonly policy: number;
  /** Digests of the envelopes that were looked at: decisions by index, then the intent. */
  readonly inputs: readonly Digest[];
  readonly [brand]: 'Clearance';
}

/** What is brought before the gate. */
export interface GateRequest extends Circumstances {
  /** Log index of the policy. */
  readonly policyIndex: number;
  /** The digest that the publisher named. */
  readonly named: Digest | undefined;
  /** The roles in which the publisher speaks. */
  readonly roles: readonly Role[];
  /** What was decided about this draft, its former revisions and its twins, and is logged. */
  readonly decisions: readonly OpenedDecision[];
  /** Commitments about these that nobody opened and the owners have not voided. */
  readonly unopened: readonly UnopenedCommitment[];
  /** The signed intent to publish. */
  readonly intent?: OpenedStatement | undefined;
}

/** What there is where nobody decided anything. */
export const NOTHING_DECIDED: Pick<GateRequest, 'decisions' | 'unopened' | 'revoked' | 'twins'> = {
  decisions: [],
  unopened: [],
  revoked: new Set(),
  twins: new Set(),
};

export type GateVerdict =
  | { readonly ok: true; readonly clearance: Clearance }
  | { readonly ok: false; readonly missing: readonly Missing[] };

/** Decides whether the sealed digest may be published now. */
export function passGate(request: GateRequest): GateVerdict {
  const docket = openDocket(request, request.decisions);
  const pushers = pushersOf(docket);
  const missing: Missing[] = [
    ...missingRole(request),
    ...missingDigest(request),
    ...missingRelease(request, docket),
    ...missingLifts(request, docket, pushers),
    ...missingOpenings(request, request.unopened),
  ];
  if (isGated(request.policy.gate)) {
    missing.push(
      ...missingTime(request, docket),
      ...missingEvaluations(request, docket),
      ...missingApprovals(request, docket, pushers),
      ...missingIntent(request, request.intent),
    );
  }
  return missing.length > 0 ? { ok: false, missing } : { ok: true, clearance: clear(request) };
}

/** What the gate passes over: approvals and evaluations that count for nothing here. */
export function passedOverBy(request: GateRequest): readonly NotCounted[] {
  if (!isGated(request.policy.gate)) return [];
  return notCounted(request, openDocket(request, request.decisions));
}

function clear({ sealed, policyIndex, decisions, intent }: GateRequest): Clearance {
  const inOrder = decisions.toSorted((a, b) => a.index - b.index);
  const inputs = [...inOrder, ...(intent === undefined ? [] : [intent])];
  const digests = inputs.map(({ digest }) => digest);
  return { digest: sealed, policy: policyIndex, inputs: digests } as unknown as Clearance;
}

function missingRole({ policy, roles }: GateRequest): Missing[] {
  if (roles.some((role) => PUBLISHING.includes(role))) return [];
  return [
    {
      need: 'role',
      message: 'publishing takes the role publisher, release-manager or owner',
      waitsFor: PUBLISHING,
      satisfiedBy: `weighhouse token create --namespace ${policy.namespace} --role publisher …`,
    },
  ];
}

function missingDigest({ sealed, named, release }: GateRequest): Missing[] {
  if (named === sealed) return [];
  const message =
    named === undefined
      ? `the publisher must name the sealed digest ${sealed}`
      : `the publisher named ${named}, but ${sealed} is sealed`;
  return [
    {
      need: 'digest',
      message,
      waitsFor: ['publisher'],
      satisfiedBy: `weighhouse publish ${release} --digest ${sealed}`,
    },
  ];
}
