/**
 * `private/lock`: the committed state of the log, and the only object whose replacement
 * commits anything. Canonical JSON, for example
 *
 *     {"by":"8d2f6a0be1c45937",
 *      "checkpoint":"registry.example\n3\nqT6…=\n\n— registry.example mXc1…==\n",
 *      "former":["90b1c6…"],"nonce":"5f1d0c0f5ae3b1a77ab0f1de4a0f9a11",
 *      "time":1767225600000,"turns":["c01a7b…"],"v":1}
 *
 * - `checkpoint`: the signed note of the committed tree, by the log's own keys alone
 * - `time`: when the attempt that committed it was begun, in milliseconds since 1970
 * - `nonce`: 16 bytes drawn for that attempt. It tells one's own write from another's when
 *   an answer was lost (stores repeat version tags for equal bytes), and names the attempt's
 *   staging bundle
 * - `former`: the nonces of the locks before it, newest first, at most 16. By them an attempt
 *   whose answer was lost is found, or another one in its place
 * - `by`: the process that committed it, 8 bytes drawn at its start; `turns`: those that are
 *   to commit next, in order, at most 16. Nothing but politeness rests on these (turns.ts)
 */
import * as v from 'valibot';
import { atMost } from '../core/at-most.ts';
import { formatHex, parseUtf8, utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { count, parseShape } from '../core/shape.ts';
import type { Store, Version } from '../store/contract.ts';
import { keys } from '../store/keys.ts';

export interface Lock {
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** 32 lower-case hex digits. */
  readonly nonce: string;
  /** The nonces before it, newest first. */
  readonly former: readonly string[];
  /** 16 lower-case hex digits. */
  readonly by: string;
  /** Names of processes, the next one first. */
  readonly turns: readonly string[];
}

/** A lock as it stood in the store under `version`. */
export interface HeldLock extends Lock {
  readonly version: Version;
}

/** Bytes of randomness in a nonce, and in the name of a process. */
const NONCE_BYTES = 16;
const NAME_BYTES = 8;
/** Nonces that a lock remembers. */
export const MAX_FORMER = 16;
/** Turns that a lock gives. */
export const MAX_TURNS = 16;

const hex = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${2 * bytes} lower-case hex digits`),
  );
const atMostOf = (limit: number, bytes: number) => v.pipe(v.array(hex(bytes)), v.maxLength(limit));

/** Locks that were written before there were turns lack three of these. */
const Shape = v.strictObject({
  by: v.optional(hex(NAME_BYTES), '0'.repeat(2 * NAME_BYTES)),
  checkpoint: v.string(),
  former: v.optional(atMostOf(MAX_FORMER, NONCE_BYTES), []),
  nonce: hex(NONCE_BYTES),
  time: count,
  turns: v.optional(atMostOf(MAX_TURNS, NAME_BYTES), []),
  v: v.literal(1),
});

/** The nonce in `random`, of which the first 16 bytes are used. */
export function formatNonce(random: Uint8Array): string {
  return formatRandom(random, NONCE_BYTES);
}

/** The name of a process in `random`, of which the first 8 bytes are used. */
export function formatProcessName(random: Uint8Array): string {
  return formatRandom(random, NAME_BYTES);
}

function formatRandom(random: Uint8Array, bytes: number): string {
  if (random.length < bytes) throw new RangeError(`${bytes} random bytes are needed`);
  return formatHex(random.subarray(0, bytes));
}

/** The nonces that the lock after `lock` remembers. */
export function formerOf({ nonce, former }: Lock): string[] {
  return [nonce, ...former].slice(0, MAX_FORMER);
}

/** The bytes of the lock document. */
export function formatLock(lock: Lock): Uint8Array {
  const { by, checkpoint, former, nonce, time, turns } = lock;
  const lists = { former: [...former], turns: [...turns] };
  return formatCanonical({ by, checkpoint: parseUtf8(checkpoint), ...lists, nonce, time, v: 1 });
}

/** Reads a lock document. Throws `bad-document`, `bad-json` or `bad-encoding`. */
export function parseLock(bytes: Uint8Array): Lock {
  const what = keys.lock();
  const { v: _, checkpoint, ...rest } = parseShape(Shape, parseCanonical(bytes, what), what);
  return { ...rest, checkpoint: utf8(checkpoint) };
}

/** The lock in the store, or undefined when the store holds no log. */
export async function loadLock(store: Store): Promise<HeldLock | undefined> {
  const stored = await store.get(keys.lock());
  return stored && { ...parseLock(stored.bytes), version: stored.version };
}

/** What became of an attempt to replace a lock, as the lock that is there now tells. */
export type Outcome = 'committed' | 'lost' | 'open' | 'forgotten';

/**
 * Looks for the attempt `nonce`, which was to replace `base`, in `found`. A lock names the
 * locks that it came out of, so there is no guessing:
 *
 *     committed   it is the lock, or one of those before it
 *     lost        another attempt stands where it should
 *     open        `base` is still the lock
 *     forgotten   so much was committed since `base` that the lock no longer names it
 */
export function outcomeOf(nonce: string, base: Lock, found: Lock): Outcome {
  const chain = [found.nonce, ...found.former];
  if (chain.includes(nonce)) return 'committed';
  if (found.nonce === base.nonce) return 'open';
  return chain.includes(base.nonce) ? 'lost' : 'forgotten';
}

/** How long the answer to a swap is waited for before the lock is looked at, in milliseconds. */
const LOOK_AFTER_MS = 100;

/** How the swap of a lock ended. */
export type Swapped =
  | { readonly outcome: 'held'; readonly version: Version }
  /** Others have committed since; `found` is what they made of it. */
  | { readonly outcome: 'committed' | 'lost' | 'forgotten'; readonly found: HeldLock };

/**
 * Replaces `base` (null: there is none yet) by `lock`, and says how that ended.
 *
 * A write without an answer is driven on until its outcome is known. It is repeated with the
 * very same bytes, never followed by another attempt: a delayed request can still land, and
 * would commit entries that the next attempt is about to append again. `pause` waits between
 * the tries, and throws to give up, which leaves the outcome unknown.
 *
 * Some stores let the losers of a race wait for whole seconds. So a write that takes long is
 * looked after: once another attempt stands in this one's place it has lost, whatever its
 * answer will be, for no lock is ever there a second time.
 */
export async function swapLock(
  store: Store,
  base: HeldLock | null,
  lock: Lock,
  pause: (cause: unknown) => Promise<void>,
): Promise<Swapped> {
  const bytes = formatLock(lock);
  for (;;) {
    try {
      const swap = store.swap(keys.lock(), base?.version ?? null, bytes);
      return await settle(swap, () => look(store, base, lock));
    } catch (error) {
      await pause(error);
    }
  }
}

/** The outcome, as soon as the answer or a look at the lock tells it. */
async function settle(
  swap: Promise<Version | undefined>,
  look: () => Promise<Swapped | undefined>,
): Promise<Swapped> {
  const answer = swap.then((version) => ({ version }));
  answer.catch(() => {});
  for (;;) {
    const answered = await atMost(LOOK_AFTER_MS, answer);
    if (answered?.version !== undefined) return { outcome: 'held', version: answered.version };
    const found = await look();
    if (found !== undefined) return found;
    if (answered !== undefined) throw undecided();
  }
}

/** What the lock that is there tells of `lock`; undefined while it is still `base`. */
async function look(store: Store, base: HeldLock | null, lock: Lock): Promise<Swapped | undefined> {
  const found = await loadLock(store);
  if (found === undefined) return undefined;
  if (found.nonce === lock.nonce) return { outcome: 'held', version: found.version };
  const outcome = base === null ? 'lost' : outcomeOf(lock.nonce, base, found);
  return outcome === 'open' ? undefined : { outcome, found };
}

function undecided(): CodedError {
  return new CodedError(
    'unknown-outcome',
    `the store refuses to replace ${keys.lock()}, which is there as it was read`,
  );
}
