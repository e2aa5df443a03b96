/**
 * Which policy is in force when. Policies are logged one after the other; a change that loosens
 * anything waits for the delay of the policy that is in force, so that those who would object
 * can. At most one policy waits.
 *
 *     the first        is in force from its entry on
 *     a later one      is compared with the policy in force at its own time:
 *       not looser     it is in force from its entry on; one that still waited is dropped
 *       looser         it waits `delay` seconds of the policy in force, counted from its
 *                      time; one that still waited is dropped
 *
 * So what is in force changes at once to something not looser, or to something looser that has
 * stood in the log for the whole delay. A loosening is called off by logging what is in force
 * once more, as a newer version. (Were a version compared with the one logged before it instead,
 * calling off would itself be a loosening that comes too late.)
 *
 * A key that any logged version calls revoked is revoked from that entry on, whether that
 * version is in force, waits or was dropped, and for ever: who has lost a key need not wait.
 *
 *     index 3  10:00  v1, delay 1 day                  in force
 *     index 7  11:00  v2, one approval less            waits until 11:00 of the next day
 *     index 9  12:00  v3, as v1, one key revoked       in force at once; v2 is dropped
 *
 * `time` is that of log entries. Where it runs backwards, order still follows the index.
 */
import type { SigningKey } from '../statement/signature.ts';
import { isUsable, membersOf, type Policy } from './policy.ts';
import { type PolicyKey, signingKeyOf } from './policy-key.ts';
import { ROLES, type Role } from './roles.ts';
import { compareStrictness } from './strictness.ts';

/** A policy as it was logged. */
export interface LoggedPolicy {
  readonly index: number;
  /** The instant in its entry. */
  readonly time: string;
  readonly policy: Policy;
}

/** A place in the log: of an entry that stands there, or that is about to. */
export interface Place {
  readonly index: number;
  readonly time: string;
}

/** Who signed, as of the place where it was logged. */
export interface Signer {
  readonly person: string;
  /** Base64 of SPKI DER. */
  readonly spki: string;
  readonly roles: readonly Role[];
}

/** What holds from one policy entry to the next. */
interface Step {
  readonly index: number;
  readonly inForce: LoggedPolicy;
  /** In force from `from` on (milliseconds since 1970), if no newer one drops it. */
  readonly waiting?: { readonly logged: LoggedPolicy; readonly from: number };
  /** Keys that some policy up to here calls revoked. */
  readonly revoked: ReadonlySet<string>;
  /** Keys that stand in some policy up to here. */
  readonly keys: ReadonlySet<string>;
}

/** All policies of one namespace up to some point of the log, opened once and asked often. */
export interface PolicyHistory {
  readonly steps: readonly Step[];
}

/** `logged` in the order of the log, beginning with the namespace's first policy. */
export function openPolicyHistory(logged: readonly LoggedPolicy[]): PolicyHistory {
  const steps: Step[] = [];
  for (const each of logged) {
    const before = steps.at(-1);
    if (before !== undefined && each.index <= before.index) {
      throw new RangeError('the policies of a namespace must be given in the order of the log');
    }
    const all = each.policy.people.flatMap((person) => person.keys);
    const gone = all.filter((key) => key.revoked === true);
    steps.push({
      index: each.index,
      revoked: withKeys(before?.revoked, gone),
      keys: withKeys(before?.keys, all),
      ...follow(before, each),
    });
  }
  return { steps };
}

/** The policy in force for an entry at that place, or undefined when the namespace has not begun. */
export function policyInForce(history: PolicyHistory, place: Place): LoggedPolicy | undefined {
  const step = stepBefore(history, place.index);
  return step && inForceAt(step, place.time);
}

/** The keys (base64 of SPKI DER) that a policy logged before `index` calls revoked. */
export function revokedKeys(history: PolicyHistory, index: number): ReadonlySet<string> {
  return stepBefore(history, index)?.revoked ?? new Set();
}

/** Does a policy logged before `index` call the key revoked? */
export function isRevoked(history: PolicyHistory, spki: string, index: number): boolean {
  return revokedKeys(history, index).has(spki);
}

/** Why nobody speaks with a key at some place of the log. */
export type Silence = 'key-unknown' | 'key-revoked' | 'key-not-enrolled' | 'key-expired';

/** Who speaks with the key `spki` at that place, or why nobody does. */
export function speakerAt(history: PolicyHistory, place: Place, spki: string): Signer | Silence {
  if (isRevoked(history, spki, place.index)) return 'key-revoked';
  const policy = policyInForce(history, place)?.policy;
  const holder = policy && holdersOf(policy).get(spki);
  // Not yet, or no longer.
  if (policy === undefined || holder === undefined) return 'key-not-enrolled';
  if (!isUsable(holder.key, place.time)) return 'key-expired';
  return { person: holder.person, spki, roles: holder.roles };
}

/** Who speaks with the key `spki` at that place; undefined when nobody does. */
export function signerAt(history: PolicyHistory, place: Place, spki: string): Signer | undefined {
  const found = speakerAt(history, place, spki);
  return typeof found === 'string' ? undefined : found;
}

/** How the key `spki` signs, by the policy in force at that place; undefined where it is in none. */
export function signingKeyAt(
  history: PolicyHistory,
  place: Place,
  spki: string,
): SigningKey | undefined {
  const policy = policyInForce(history, place)?.policy;
  const holder = policy && holdersOf(policy).get(spki);
  return holder && signingKeyOf(holder.key);
}

function follow(before: Step | undefined, next: LoggedPolicy): Pick<Step, 'inForce' | 'waiting'> {
  if (before === undefined) return { inForce: next };
  const inForce = inForceAt(before, next.time);
  if (compareStrictness(inForce.policy, next.policy) !== 'looser') return { inForce: next };
  const from = Date.parse(next.time) + inForce.policy.delay * 1000;
  return { inForce, waiting: { logged: next, from } };
}

function inForceAt({ inForce, waiting }: Step, time: string): LoggedPolicy {
  return waiting !== undefined && waiting.from <= Date.parse(time) ? waiting.logged : inForce;
}

function stepBefore({ steps }: PolicyHistory, index: number): Step | undefined {
  return steps.findLast((step) => step.index < index);
}

function withKeys(
  known: ReadonlySet<string> | undefined,
  more: readonly PolicyKey[],
): ReadonlySet<string> {
  return new Set([...(known ?? []), ...more.map(({ spki }) => spki)]);
}

/** Who holds a key, and in which roles they speak. */
export interface Holder {
  readonly person: string;
  readonly key: PolicyKey;
  readonly roles: readonly Role[];
}

/** Opened once: a thousand decisions ask the same policy. */
const opened = new WeakMap<Policy, ReadonlyMap<string, Holder>>();

/** Who holds which key, by SPKI. */
export function holdersOf(policy: Policy): ReadonlyMap<string, Holder> {
  const there = opened.get(policy);
  if (there !== undefined) return there;
  const holders = new Map<string, Holder>();
  const rolesOf = rolesByPerson(policy);
  for (const { id: person, keys } of policy.people) {
    const roles = rolesOf.get(person) ?? [];
    for (const key of keys) holders.set(key.spki, { person, key, roles });
  }
  opened.set(policy, holders);
  return holders;
}

function rolesByPerson(policy: Policy): ReadonlyMap<string, readonly Role[]> {
  const roles = new Map<string, Role[]>();
  for (const role of ROLES) {
    for (const person of membersOf(policy, role)) {
      roles.set(person, [...(roles.get(person) ?? []), role]);
    }
  }
  return roles;
}
