/**
 * Which objects of the store are known to be damaged. The scrub finds them and writes them
 * down; every server looks at the list every few seconds, so that what one has found is served
 * by none. A server that cannot read the list goes on with the one that it has: what it sends
 * is hashed all the same, here or by the client.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../core/error.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys, parseKey, prefixes } from '../store/keys.ts';
import { type DamageRecord, damageForm } from './documents/damage.ts';
import { change, load } from './documents/form.ts';

/** Milliseconds for which a list is good. */
export const LIST_MS = 10_000;
/** Milliseconds that who only counts them waits for the list. */
export const PATIENCE_MS = 1_000;
/** Seconds after which it is worth asking again for what is damaged. */
const RETRY_SECONDS = 3_600;

/** What a scrub has found. */
export type Found = Pick<DamageRecord, 'due' | 'problem' | 'detail'> & {
  readonly chunks?: readonly number[] | undefined;
};

export class Damages {
  readonly #store: Store;
  readonly #clock: () => number;
  /** Never changed, only replaced: who was given it goes on with it. */
  #known: ReadonlySet<Key> = new Set();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor({ store, clock }: { readonly store: Store; readonly clock: () => number }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** How many there were when the list was read last. */
  get count(): number {
    return this.#known.size;
  }

  /**
   * How many there are, by a list that is a few seconds old at most; by an older one while the
   * store does not answer: those who watch the server must hear from it then above all.
   */
  async current(): Promise<number> {
    const enough = new AbortController();
    const { signal } = enough;
    const patience = sleep(PATIENCE_MS, undefined, { signal, ref: false }).catch(() => {});
    await Promise.race([this.#renew(), patience]);
    enough.abort();
    return this.#known.size;
  }

  /** Is that object known to be damaged? */
  async has(object: Key): Promise<boolean> {
    await this.#renew();
    return this.#known.has(object);
  }

  /** Throws `damaged`, which names the object, for one that is; `what` is how people call it. */
  async refuse(object: Key, what: string): Promise<void> {
    if (!(await this.has(object))) return;
    throw new CodedError(
      'damaged',
      `${what} is damaged in the registry’s store (${object}) and is not served until it is repaired; pull it from a mirror`,
      { object, retryAfterSeconds: RETRY_SECONDS },
    );
  }

  /** Reads the list anew, whatever its age. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #renew(): Promise<void> {
    if (Math.abs(this.#clock() - this.#readAt) >= LIST_MS) await this.refresh();
  }

  /** All of them, by a list that is read now. */
  async known(): Promise<ReadonlySet<Key>> {
    await this.refresh();
    return this.#known;
  }

  /** Every record that can be read; a damaged one is there by its key alone. */
  async *records(): AsyncIterable<{ readonly object: Key; readonly record?: DamageRecord }> {
    for await (const key of this.#store.list(prefixes.damaged())) {
      const object = parseKey(key.slice(prefixes.damaged().length));
      const held = await load(this.#store, key, damageForm).catch(() => undefined);
      yield held === undefined ? { object } : { object, record: held.value };
    }
  }

  /** The record of an object, or undefined. Throws `storage` for one that is damaged itself. */
  async find(object: Key): Promise<DamageRecord | undefined> {
    return (await load(this.#store, keys.damaged(object), damageForm))?.value;
  }

  /** Writes down what was found; an earlier record of the same object keeps its first time. */
  async record(object: Key, { due, problem, detail, chunks }: Found): Promise<DamageRecord> {
    const now = new Date(this.#clock()).toISOString();
    const record = await change<DamageRecord>(
      this.#store,
      keys.damaged(object),
      damageForm,
      (before) => {
        const { found = now, generation = 0, replacement } = before ?? {};
        return {
          ...{ v: 1, generation, object, due, problem, detail, found, seen: now },
          ...(chunks !== undefined && { chunks: [...chunks] }),
          ...(replacement !== undefined && { replacement }),
        };
      },
    );
    this.#known = new Set([...this.#known, object]);
    return record;
  }

  /** Notes the blob that is to take the damaged one's place: whoever goes on needs no other. */
  async noteReplacement(object: Key, replacement: string): Promise<void> {
    await change<DamageRecord>(this.#store, keys.damaged(object), damageForm, (record) => {
      if (record === undefined) throw new CodedError('not-found', `${object} is not damaged`);
      return { ...record, replacement };
    });
  }

  /** The object is whole again. */
  async clear(object: Key): Promise<void> {
    await this.#store.delete(keys.damaged(object));
    this.#known = new Set([...this.#known].filter((each) => each !== object));
  }

  async #read(): Promise<void> {
    try {
      const known = new Set<Key>();
      const prefix = prefixes.damaged();
      for await (const key of this.#store.list(prefix))
        known.add(parseKey(key.slice(prefix.length)));
      this.#known = known;
    } catch {
      // The list that is there stays in force.
    }
    this.#readAt = this.#clock();
  }
}
