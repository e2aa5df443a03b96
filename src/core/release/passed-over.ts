/**
 * Why something that somebody signed does not count, in the words that they need. The gate
 * counts what counts (`gate-demands.ts`); whoever has approved and is still waited for should
 * not have to guess.
 */
import { bindsDigest, type Circumstances, hadRole, personOf } from './docket.ts';
import type { OpenedStatement } from './opened-decision.ts';
import { isUsable } from './policy.ts';
import { holdersOf } from './policy-history.ts';
import type { Role } from './roles.ts';

/** Stable names of reasons. */
export type Reason =
  /** It names another registry, release, revision or digest. */
  | 'another-draft'
  | 'expired'
  | 'key-revoked'
  | 'key-expired'
  | 'key-removed'
  | 'no-role'
  | 'pushed'
  /** Another one of the same person counts. */
  | 'counted'
  /** Of evaluations: what it says is not what the policy accepts. */
  | 'not-accepted'
  | 'too-old';

/** A reason, and one clause that says it. */
export interface Why {
  readonly reason: Reason;
  readonly message: string;
}

/** A decision that the gate passed over. */
export interface PassedOver {
  /** Log index of its commitment. */
  readonly index: number;
  readonly person: string;
  readonly reason: Reason;
}

/** The same, with what it was meant for: a role to approve, or a suite. */
export interface NotCounted extends PassedOver {
  readonly about: string;
}

/** Decisions that are named, for a sentence stays one: whoever adds a thousand says no more. */
export const MAX_NAMED = 3;

/** Why what somebody signed permits nothing at the release; undefined when it does. */
export function whyItPermitsNothing(
  circumstances: Circumstances,
  signed: OpenedStatement,
  role: Role,
): Why | undefined {
  return (
    whyItBindsNothing(circumstances, signed) ??
    whyItsKeyIsBad(circumstances, signed) ??
    whyNoRole(circumstances, signed, role)
  );
}

function whyItBindsNothing(circumstances: Circumstances, signed: OpenedStatement): Why | undefined {
  if (!bindsDigest(circumstances, signed)) {
    return { reason: 'another-draft', message: `it is about ${aboutWhat(circumstances, signed)}` };
  }
  const { expires } = signed.statement.context;
  if (Date.parse(circumstances.time) < Date.parse(expires)) return undefined;
  return { reason: 'expired', message: `it expired at ${expires}` };
}

/** What it names, as far as that differs. */
function aboutWhat({ policy, release }: Circumstances, { statement }: OpenedStatement): string {
  const { context, digest } = statement;
  if (context.origin !== policy.origin) return `a release of ${context.origin}`;
  if (context.release !== release) return context.release;
  return `revision ${context.revision}, ${digest}`;
}

function whyItsKeyIsBad(
  { policy, revoked, time }: Circumstances,
  { signer }: OpenedStatement,
): Why | undefined {
  if (signer === 'registry') return { reason: 'no-role', message: 'it is the registry’s' };
  if (revoked.has(signer.spki)) return { reason: 'key-revoked', message: 'its key is revoked' };
  const holder = holdersOf(policy).get(signer.spki);
  if (holder === undefined || holder.person !== signer.person) {
    return { reason: 'key-removed', message: 'its key is no longer in the policy' };
  }
  if (isUsable(holder.key, time)) return undefined;
  const { expires } = holder.key;
  return { reason: 'key-expired', message: `its key expired at ${expires}` };
}

function whyNoRole(
  { policy }: Circumstances,
  signed: OpenedStatement,
  role: Role,
): Why | undefined {
  const has = policy.roles[role]?.includes(personOf(signed)) ?? false;
  if (has && hadRole(signed, role)) return undefined;
  const when = has ? 'had not' : 'has not';
  return { reason: 'no-role', message: `its signer ${when} the role ${role}` };
}

/** What the gate passed over, for a sentence and for programs. */
export class Aside {
  readonly #passedOver: PassedOver[] = [];
  readonly #clauses: string[] = [];
  readonly #limit: number;
  #more = 0;

  /** Names up to `limit` decisions. */
  constructor(limit = MAX_NAMED) {
    this.#limit = limit;
  }

  add(decision: OpenedStatement & { readonly index: number }, { reason, message }: Why): void {
    if (this.#clauses.length >= this.#limit) {
      this.#more++;
      return;
    }
    const { index } = decision;
    const person = personOf(decision);
    this.#passedOver.push({ index, person, reason });
    this.#clauses.push(`${person}’s in entry ${index}, ${message}`);
  }

  /** `passedOver`, where anything was. */
  get member(): { readonly passedOver?: readonly PassedOver[] } {
    return this.#passedOver.length === 0 ? {} : { passedOver: this.#passedOver };
  }

  /** The end of a sentence about what is missing; empty where nothing was passed over. */
  toString(): string {
    if (this.#clauses.length === 0) return '';
    const more = this.#more === 0 ? [] : [`and ${this.#more} more`];
    return ` (not counted: ${[...this.#clauses, ...more].join('; ')})`;
  }
}
