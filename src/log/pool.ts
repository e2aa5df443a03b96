/**
 * Where items wait for the next commit. The pool fills while a commit is in flight and is
 * taken whole when the next one begins (group commit); it is bounded, so that a burst is
 * answered with `overloaded` and not with memory.
 */
import { CodedError } from '../core/error.ts';
import { MAX_ENTRY_BYTES, requireEntry } from '../core/log/tile.ts';
import type { Appended, Item } from './item.ts';

/** How much may wait at once. */
export interface PoolLimit {
  readonly entries: number;
  /** Of the entries as they stand in a bundle: two bytes more than each is long. */
  readonly bytes: number;
}

/** At 40,000 entries a second what waits here is committed within a quarter of a second. */
export const DEFAULT_POOL_LIMIT: PoolLimit = { entries: 8192, bytes: 64 << 20 };

/** Bytes that an entry takes in its bundle besides its own. */
const ENTRY_OVERHEAD = 2;
/** What an item that makes its entries late may hold: the two leaves of a publish, of any size. */
export const LATE_ITEM: PoolLimit = { entries: 2, bytes: 2 * (ENTRY_OVERHEAD + MAX_ENTRY_BYTES) };

/** An item and whoever waits for it. Exactly one of `resolve` and `reject` is called, once. */
export interface Waiter {
  readonly item: Item;
  readonly weight: PoolLimit;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

export class Pool {
  readonly #limit: PoolLimit;
  /** Asked when the pool is full: after how many seconds to come again. */
  readonly #retryAfter: () => number;
  /** Told when an empty pool gets its first item, and when the pool is ripe. */
  readonly #onChange: () => void;
  #waiters: Waiter[] = [];
  #entries = 0;
  #bytes = 0;

  constructor(limit: PoolLimit, retryAfter: () => number, onChange: () => void) {
    this.#limit = limit;
    this.#retryAfter = retryAfter;
    this.#onChange = onChange;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Half full is worth a commit: the other half fills while it is in flight. */
  get isRipe(): boolean {
    return this.#entries * 2 >= this.#limit.entries || this.#bytes * 2 >= this.#limit.bytes;
  }

  /** Lets `item` wait. Rejects with `overloaded` when the pool is full, `too-large`, `bad-entry`. */
  add(item: Item): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const weight = weigh(item);
      this.#requireRoom(weight);
      const wasRipe = this.isRipe;
      this.#waiters.push({ item, weight, resolve, reject });
      this.#count(weight);
      if (this.#waiters.length === 1 || (this.isRipe && !wasRipe)) this.#onChange();
    });
  }

  /**
   * What waits, in order of arrival: all of it, or as much as the limit lets in. More than
   * that can wait after a lost race, and a batch must stay as small as its staging bundle.
   */
  take(): Waiter[] {
    const taken = this.#waiters;
    this.#waiters = taken.splice(this.#countToLimit());
    this.#entries = 0;
    this.#bytes = 0;
    for (const waiter of this.#waiters) this.#count(waiter.weight);
    return taken;
  }

  /** Puts items back in front that an attempt took and could not commit. */
  putBack(waiters: readonly Waiter[]): void {
    this.#waiters = [...waiters, ...this.#waiters];
    for (const waiter of waiters) this.#count(waiter.weight);
  }

  /** How many of the waiters, from the front, are within the limit together. */
  #countToLimit(): number {
    const { entries, bytes } = this.#limit;
    if (this.#entries <= entries && this.#bytes <= bytes) return this.#waiters.length;
    let [count, takenEntries, takenBytes] = [0, 0, 0];
    for (const { weight } of this.#waiters) {
      takenEntries += weight.entries;
      takenBytes += weight.bytes;
      if (takenEntries > entries || takenBytes > bytes) break;
      count += 1;
    }
    return count;
  }

  #count(weight: PoolLimit): void {
    this.#entries += weight.entries;
    this.#bytes += weight.bytes;
  }

  #requireRoom(weight: PoolLimit): void {
    const { entries, bytes } = this.#limit;
    if (weight.entries > entries || weight.bytes > bytes) {
      throw new CodedError(
        'too-large',
        `an item may have ${entries} log entries and ${bytes} bytes together, not ${weight.entries} and ${weight.bytes}`,
      );
    }
    if (this.#entries + weight.entries > entries || this.#bytes + weight.bytes > bytes) {
      throw new CodedError(
        'overloaded',
        'more is waiting to be logged than the log takes at once; try again shortly',
        { retryAfterSeconds: this.#retryAfter() },
      );
    }
  }
}

/** What an item takes of the pool; entries that are made late count as the most they may be. */
function weigh(item: Item): PoolLimit {
  return typeof item.entries === 'function' ? LATE_ITEM : weighEntries(item.entries);
}

/** Entries and bytes of `entries`. Throws `too-large` or `bad-entry`. */
export function weighEntries(entries: readonly Uint8Array[]): PoolLimit {
  if (entries.length === 0) throw new CodedError('bad-entry', 'an item without entries');
  let bytes = 0;
  for (const entry of entries) bytes += ENTRY_OVERHEAD + requireEntry(entry).length;
  return { entries: entries.length, bytes };
}
