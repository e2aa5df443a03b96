/**
 * Is a newer policy stricter than the one before it? A stricter one is in force at once, a
 * looser one waits (`policy-history.ts`), so whoever wants to get a release through by changing
 * the rules is seen by all the others in time.
 *
 * Only these changes are stricter; each makes the set of releases that pass smaller or leaves
 * it as it was:
 *
 *     keys         revoked is set; expires is set or comes earlier
 *     owners       raised
 *     gate         begins to ask for anything at all
 *     evaluations  a suite more; a harness, thresholds or maxAge where there were none
 *     approvals    a role more; a count raised
 *     sealed       set or raised
 *     notBefore    set or later
 *     bytes        for readers, where they were everybody's; terms where there were none
 *
 * The last lets no release through or back: it takes bytes away from readers, which can be undone.
 * To give them to everybody cannot, so that waits like all that is looser.
 *
 * Every other difference is looser, whatever was meant by it: people, their names, keys added
 * or taken away, where a passkey signs, roles, who may sign a suite or lift an objection, what a suite accepts, the
 * delay, formats, other terms. A change with both is looser.
 */

import { equal } from '../bytes.ts';
import { formatCanonical, type Json } from '../json.ts';
import type { Person, Policy } from './policy.ts';
import type { PolicyKey } from './policy-key.ts';
import type { Restriction } from './readers.ts';
import {
  isGated,
  liftingRole,
  type RequiredApproval,
  type RequiredEvaluation,
  type Requirements,
} from './requirements.ts';

export type Strictness = 'same' | 'stricter' | 'looser';

/** How `next` compares with `old`, their versions apart. */
export function compareStrictness(old: Policy, next: Policy): Strictness {
  const { v, origin, namespace, version: _, people, roles, owners, delay, gate, formats } = next;
  const fixed = { v, origin, namespace, roles, delay, formats };
  return all([
    sameOrLooser(pick(old, fixed), fixed),
    comparePeople(old.people, people),
    raised(old.owners, owners),
    compareRequirements(old.gate, gate),
    added(old.bytes, next.bytes, compareRestriction),
  ]);
}

function compareRestriction(old: Restriction, next: Restriction): Strictness {
  return all([sameOrLooser(old.for, next.for), added(old.terms, next.terms, sameOrLooser)]);
}

function comparePeople(old: readonly Person[], next: readonly Person[]): Strictness {
  return inStep(old, next, (before, after) =>
    all([
      sameOrLooser([before.id, before.name], [after.id, after.name]),
      inStep(before.keys, after.keys, compareKey),
    ]),
  );
}

function compareKey(old: PolicyKey, next: PolicyKey): Strictness {
  return all([
    sameOrLooser(
      [old.spki, old.proof, old.passkey ?? null],
      [next.spki, next.proof, next.passkey ?? null],
    ),
    added(old.revoked, next.revoked, sameOrLooser),
    added(old.expires, next.expires, (before, after) =>
      raised(Date.parse(after), Date.parse(before)),
    ),
  ]);
}

function compareRequirements(old: Requirements, next: Requirements): Strictness {
  return all([
    raised(Number(isGated(old)), Number(isGated(next))),
    ...(['object', 'hold', 'postpone'] as const).map((stop) =>
      sameOrLooser(liftingRole(old, stop), liftingRole(next, stop)),
    ),
    byName(old.evaluations, next.evaluations, ({ suite }) => suite, compareEvaluation),
    byName(old.approvals, next.approvals, ({ role }) => role, compareApproval),
    added(old.sealed, next.sealed, raised),
    added(old.notBefore, next.notBefore, (before, after) =>
      raised(Date.parse(before), Date.parse(after)),
    ),
  ]);
}

/**
 * Whom it takes and what it accepts must stay: with fewer who may sign a suite, a failure that
 * one of the others found would no longer count.
 */
function compareEvaluation(old: RequiredEvaluation, next: RequiredEvaluation): Strictness {
  return all([
    sameOrLooser([old.accept, old.by ?? null], [next.accept, next.by ?? null]),
    added(old.harness, next.harness, sameOrLooser),
    added(old.thresholds, next.thresholds, sameOrLooser),
    added(old.maxAge, next.maxAge, sameOrLooser),
  ]);
}

function compareApproval(old: RequiredApproval, next: RequiredApproval): Strictness {
  return raised(old.count, next.count);
}

// ------------------------------------------------------------------ how to compare

/** Looser if any part is; else stricter if any part is. */
function all(parts: readonly Strictness[]): Strictness {
  if (parts.includes('looser')) return 'looser';
  return parts.includes('stricter') ? 'stricter' : 'same';
}

function sameOrLooser(old: Json, next: Json): Strictness {
  return equal(formatCanonical(old), formatCanonical(next)) ? 'same' : 'looser';
}

function raised(old: number, next: number): Strictness {
  if (old === next) return 'same';
  return next > old ? 'stricter' : 'looser';
}

/** A member that asks for something by being there. */
function added<T>(
  old: T | undefined,
  next: T | undefined,
  compare: (old: T, next: T) => Strictness,
): Strictness {
  if (old === undefined) return next === undefined ? 'same' : 'stricter';
  return next === undefined ? 'looser' : compare(old, next);
}

/** Lists that must have the same length and order. */
function inStep<T>(
  old: readonly T[],
  next: readonly T[],
  compare: (old: T, next: T) => Strictness,
): Strictness {
  if (old.length !== next.length) return 'looser';
  return all(old.map((each, i) => compare(each, next[i]!)));
}

/** Lists of requirements: one more asks for more, one less for less. */
function byName<T>(
  old: readonly T[] = [],
  next: readonly T[] = [],
  nameOf: (each: T) => string,
  compare: (old: T, next: T) => Strictness,
): Strictness {
  const before = new Map(old.map((each) => [nameOf(each), each]));
  const after = new Map(next.map((each) => [nameOf(each), each]));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return all(names.map((name) => added(before.get(name), after.get(name), compare)));
}

/** The members of `policy` that `fixed` has. */
function pick(policy: Omit<Policy, 'bytes'>, fixed: object): Json {
  const names = Object.keys(fixed) as (keyof typeof policy)[];
  return Object.fromEntries(names.map((name) => [name, policy[name]]));
}
