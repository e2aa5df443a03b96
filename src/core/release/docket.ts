/**
 * The docket: what was decided, sorted once for the gate, and the two rules by which a decision
 * counts at all.
 *
 *     What permits, binds D.        An approval, an evaluation or a seal counts for exactly the
 *                                   registry, release, revision and digest that it names.
 *     What stops, binds the bytes.  An objection, hold, postponement or failed evaluation counts
 *                                   for every draft of the namespace that has the same bytes
 *                                   (ROOT), or sealing once more would shake it off. What is
 *                                   said about such a word (a lift, a newer word) goes with it.
 *     What gives up, binds D.       A withdrawal ends one draft as it is sealed. Whoever means
 *                                   that the bytes must not come back, objects to them.
 *
 *     What permits needs a key that is good now, at the release: still in the policy, of the
 *     same person, neither revoked nor expired. What stops, or gives up, needs one that was good
 *     when it was committed, and stands when the key is revoked.
 *
 * A decision that had expired when it was committed counts for nothing. Nothing here depends on
 * the order in which decisions are given, only on their indexes, and each is looked at once.
 */
import type { Digest } from '../digest.ts';
import type { Decision, Lift, Seal } from '../statement/decision.ts';
import type { Evaluation } from '../statement/test-result.ts';
import { parseReleaseName } from './name.ts';
import type { OpenedDecision, OpenedStatement } from './opened-decision.ts';
import { isUsable, type Policy } from './policy.ts';
import { type Holder, holdersOf } from './policy-history.ts';
import type { Role } from './roles.ts';

/** A decision of one or more kinds. */
export type OpenedOf<Kind extends Decision['decision']> = OpenedDecision<
  Extract<Decision, { decision: Kind }>
>;
export type StopDecision = OpenedOf<'object'> | OpenedOf<'hold'> | OpenedOf<'postpone'>;

/** What is to be released, when, and by which rules: all that the gate judges decisions by. */
export interface Circumstances {
  /** The policy in force. */
  readonly policy: Policy;
  /** Keys (base64 of SPKI DER) that any policy so far calls revoked: `revokedKeys`. */
  readonly revoked: ReadonlySet<string>;
  /** `namespace/name@version`. */
  readonly release: string;
  /** Which seal of the draft `sealed` is. */
  readonly revision: number;
  /** D: the digest that is sealed. */
  readonly sealed: Digest;
  /** Other digests in the namespace, those of former revisions above all, of the same bytes (ROOT). */
  readonly twins: ReadonlySet<Digest>;
  /** The instant of the release. */
  readonly time: string;
}

export interface Docket {
  /** For these bytes, by suite. */
  readonly evaluations: ReadonlyMap<string, readonly OpenedDecision<Evaluation>[]>;
  /** For D. */
  readonly approvals: readonly OpenedOf<'approve'>[];
  /** Approvals and evaluations that count for nothing here: of another draft, or too late. */
  readonly idle: readonly (OpenedOf<'approve'> | OpenedOf<'evaluate'>)[];
  /** For these bytes. */
  readonly stops: readonly StopDecision[];
  /** For these bytes, by the envelope that is lifted. */
  readonly lifts: ReadonlyMap<Digest, readonly OpenedDecision<Lift>[]>;
  /** Of D. */
  readonly withdrawals: readonly OpenedOf<'withdraw'>[];
  /** For D, by the registry. */
  readonly seals: readonly OpenedDecision<Seal>[];
}

/** Sorts what was decided; leaves out what counts for nothing. */
export function openDocket(
  circumstances: Circumstances,
  decisions: readonly OpenedDecision[],
): Docket {
  const evaluations = new Map<string, OpenedDecision<Evaluation>[]>();
  const lifts = new Map<Digest, OpenedDecision<Lift>[]>();
  const approvals: OpenedOf<'approve'>[] = [];
  const stops: StopDecision[] = [];
  const withdrawals: OpenedOf<'withdraw'>[] = [];
  const seals: OpenedDecision<Seal>[] = [];
  const idle: (OpenedOf<'approve'> | OpenedOf<'evaluate'>)[] = [];
  const { namespace } = parseReleaseName(circumstances.release);
  for (const decision of decisions) {
    const isLate = Date.parse(decision.time) >= Date.parse(decision.statement.context.expires);
    const permits = isOf(decision, 'approve') || isOf(decision, 'evaluate');
    if (permits && (isLate || !bindsDigest(circumstances, decision))) idle.push(decision);
    if (isLate) continue;
    if (isOf(decision, 'seal')) {
      if (decision.signer === 'registry' && bindsDigest(circumstances, decision)) {
        seals.push(decision);
      }
      continue;
    }
    if (decision.signer === 'registry') continue;
    if (isOf(decision, 'approve') && bindsDigest(circumstances, decision)) approvals.push(decision);
    if (isOf(decision, 'withdraw') && bindsDigest(circumstances, decision)) {
      withdrawals.push(decision);
    }
    if (!bindsBytes(circumstances, namespace, decision)) continue;
    if (isOf(decision, 'evaluate')) push(evaluations, decision.statement.suite, decision);
    if (isOf(decision, 'lift')) push(lifts, decision.statement.lifts, decision);
    if (isOf(decision, 'object') || isOf(decision, 'hold') || isOf(decision, 'postpone')) {
      stops.push(decision);
    }
  }
  return { evaluations, approvals, idle, stops, lifts, withdrawals, seals };
}

/** Is it about exactly this registry, release, revision and digest? */
export function bindsDigest(
  { policy, release, sealed, revision }: Circumstances,
  { statement: { digest, context } }: OpenedStatement,
): boolean {
  return (
    digest === sealed &&
    context.origin === policy.origin &&
    context.release === release &&
    context.revision === revision
  );
}

function bindsBytes(
  { policy, sealed, twins }: Circumstances,
  namespace: string,
  { statement: { digest, context } }: OpenedStatement,
): boolean {
  return (
    (digest === sealed || twins.has(digest)) &&
    context.origin === policy.origin &&
    context.release.startsWith(`${namespace}/`)
  );
}

/** The holder of its key, if that key still speaks for the same person at the release. */
export function speakerOf(
  { policy, revoked, time }: Circumstances,
  { signer }: OpenedStatement,
): Holder | undefined {
  if (signer === 'registry' || revoked.has(signer.spki)) return undefined;
  const holder = holdersOf(policy).get(signer.spki);
  if (holder === undefined || holder.person !== signer.person) return undefined;
  return isUsable(holder.key, time) ? holder : undefined;
}

/** The person, if what they signed still permits something at the release. */
export function permittingPerson(
  circumstances: Circumstances,
  decision: OpenedStatement,
  role?: Role,
): string | undefined {
  const { expires } = decision.statement.context;
  if (Date.parse(circumstances.time) >= Date.parse(expires)) return undefined;
  const holder = speakerOf(circumstances, decision);
  if (holder === undefined) return undefined;
  const had = role === undefined || hadRole(decision, role);
  const has = role === undefined || holder.roles.includes(role);
  return had && has ? holder.person : undefined;
}

/** Whether its signer had the role when it was logged. */
export function hadRole({ signer }: OpenedStatement, role: Role): boolean {
  return signer !== 'registry' && signer.roles.includes(role);
}

/** The signer's id. */
export function personOf({ signer }: OpenedStatement): string {
  return signer === 'registry' ? '' : signer.person;
}

function isOf<Kind extends Decision['decision']>(
  decision: OpenedDecision,
  kind: Kind,
): decision is OpenedOf<Kind> {
  return decision.statement.decision === kind;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, [value]);
  else there.push(value);
}
