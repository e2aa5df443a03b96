/**
 * `private/lock`: the committed state of the log, and the only object whose replacement
 * commits anything. Canonical JSON, for example
 *
 *     {"checkpoint":"registry.example\n3\nqT6…=\n\n— registry.example mXc1…==\n",
 *      "nonce":"5f1d0c0f5ae3b1a77ab0f1de4a0f9a11","time":1767225600000,"v":1}
 *
 * - `checkpoint`: the signed note of the committed tree, by the log's own keys alone
 * - `time`: when the attempt that committed it was begun, in milliseconds since 1970
 * - `nonce`: 16 bytes drawn for that attempt. It tells one's own write from another's when
 *   an answer was lost (stores repeat version tags for equal bytes), and names the attempt's
 *   staging bundle
 */
import * as v from 'valibot';
import { formatHex, parseUtf8, utf8 } from '../core/bytes.ts';
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
}

/** A lock as it stood in the store under `version`. */
export interface HeldLock extends Lock {
  readonly version: Version;
}

/** Bytes of randomness in a nonce. */
const NONCE_BYTES = 16;

const Shape = v.strictObject({
  checkpoint: v.string(),
  nonce: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits')),
  time: count,
  v: v.literal(1),
});

/** The nonce in `random`, of which the first 16 bytes are used. */
export function formatNonce(random: Uint8Array): string {
  if (random.length < NONCE_BYTES) throw new RangeError(`a nonce needs ${NONCE_BYTES} bytes`);
  return formatHex(random.subarray(0, NONCE_BYTES));
}

/** The bytes of the lock document. */
export function formatLock(lock: Lock): Uint8Array {
  const { time, nonce } = lock;
  return formatCanonical({ checkpoint: parseUtf8(lock.checkpoint), nonce, time, v: 1 });
}

/** Reads a lock document. Throws `bad-document`, `bad-json` or `bad-encoding`. */
export function parseLock(bytes: Uint8Array): Lock {
  const what = keys.lock();
  const { checkpoint, time, nonce } = parseShape(Shape, parseCanonical(bytes, what), what);
  return { checkpoint: utf8(checkpoint), time, nonce };
}

/** The lock in the store, or undefined when the store holds no log. */
export async function loadLock(store: Store): Promise<HeldLock | undefined> {
  const stored = await store.get(keys.lock());
  return stored && { ...parseLock(stored.bytes), version: stored.version };
}

/**
 * Replaces the lock that stood under `expected` (null: creates it). Resolves to the new
 * version, or to undefined when the store now holds another lock.
 *
 * A write without an answer is driven on until its outcome is known. It is repeated with the
 * very same bytes, never followed by another attempt: a delayed request can still land, and
 * would commit entries that the next attempt is about to append again. `pause` waits between
 * the tries, and throws to give up, which leaves the outcome unknown.
 *
 * "Another lock" does not yet mean that this one lost: it may have been written, unanswered,
 * and extended by another process since. Only the tree tells (`Committed.holds`).
 */
export async function swapLock(
  store: Store,
  expected: Version | null,
  lock: Lock,
  pause: (cause: unknown) => Promise<void>,
): Promise<Version | undefined> {
  const bytes = formatLock(lock);
  for (let answered = true; ; answered = false) {
    try {
      const version = await store.swap(keys.lock(), expected, bytes);
      if (version !== undefined || answered) return version;
      const held = await loadLock(store);
      return held?.nonce === lock.nonce ? held.version : undefined;
    } catch (error) {
      await pause(error);
    }
  }
}
