/**
 * What one attempt is about to commit: the items of the pool, each judged on top of the
 * locked tree and of the items before it.
 *
 * An item that is refused takes nothing with it: its entries and documents are left out and
 * the next item gets its index. What could not be applied after the commit is refused
 * before it: a document in the place of another one would stop the log for good.
 */
import { equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Key } from '../store/keys.ts';
import type { Closing, Item, StagedDocument, View } from './item.ts';
import { LATE_ITEM, type Waiter, weighEntries } from './pool.ts';
import { indexOf, MAX_STAGED_OBJECT_BYTES } from './staging.ts';

/** The documents of one item, in bytes. */
export const MAX_ITEM_DOCUMENT_BYTES = MAX_STAGED_OBJECT_BYTES;
/** The documents of one batch, in bytes; what is over waits for the next. */
export const MAX_BATCH_DOCUMENT_BYTES = 64 << 20;

/** What a batch is built on. */
export interface Ground {
  /** Leaves of the locked tree: the index of the first new entry. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** A document as the locked tree left it. */
  document(key: Key): Promise<Uint8Array | undefined>;
  /** An entry of the locked tree. */
  entry(index: number): Promise<Uint8Array>;
}

export interface Placed {
  readonly waiter: Waiter;
  /** Index of the item's first leaf. */
  readonly index: number;
}

export interface Refused {
  readonly waiter: Waiter;
  readonly error: unknown;
}

/** One attempt's content. */
export class Batch {
  readonly entries: Uint8Array[] = [];
  readonly placed: Placed[] = [];
  /** Not final before the lock is known to be unchanged: a guard may have seen half a commit of another process. */
  readonly refused: Refused[] = [];
  /** Items for which there was no room. */
  readonly left: Waiter[] = [];
  readonly #documents = new Map<Key, StagedDocument>();
  readonly #read = new Map<Key, Promise<Uint8Array | undefined>>();
  readonly #ground: Ground;
  #documentBytes = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Judges `waiters` in order, then lets `closing` add its item. */
  static async assemble(
    ground: Ground,
    waiters: readonly Waiter[],
    closing?: Closing,
  ): Promise<Batch> {
    const batch = new Batch(ground);
    for (const waiter of waiters) {
      // Most items are bare entries: they cost no turn of the event loop.
      if (isBare(waiter.item)) batch.#placeBare(waiter);
      else await batch.#judge(waiter);
    }
    const changes = batch.entries.length > 0 || waiters.length === 0;
    if (closing !== undefined && changes) await batch.#close(closing);
    return batch;
  }

  get documents(): StagedDocument[] {
    return [...this.#documents.values()];
  }

  #placeBare(waiter: Waiter): void {
    const index = this.#nextIndex;
    for (const entry of waiter.item.entries as readonly Uint8Array[]) this.entries.push(entry);
    this.placed.push({ waiter, index });
  }

  async #judge(waiter: Waiter): Promise<void> {
    if (this.#documentBytes >= MAX_BATCH_DOCUMENT_BYTES) {
      this.left.push(waiter);
      return;
    }
    const index = this.#nextIndex;
    try {
      await this.#place(waiter.item);
      this.placed.push({ waiter, index });
    } catch (error) {
      this.refused.push({ waiter, error });
    }
  }

  async #close(closing: Closing): Promise<void> {
    const item = await closing(this.#view(), new Set(this.#documents.keys()));
    if (item !== undefined) await this.#place(item);
  }

  /** Adds the item, all of it or (throwing) nothing. */
  async #place(item: Item): Promise<void> {
    const view = this.#view();
    await item.guard?.(view);
    const entries = typeof item.entries === 'function' ? await item.entries(view) : item.entries;
    requireEntries(item, entries);
    const documents = (await item.documents?.(view)) ?? [];
    requireDocuments(documents, view.index, entries.length);
    for (const document of documents) await this.#requirePlace(document);
    this.entries.push(...entries);
    for (const document of documents) {
      this.#documents.set(document.key, document);
      this.#documentBytes += document.bytes.length;
    }
  }

  /** The state on top of which the next item would stand. */
  #view(): View {
    return {
      index: this.#nextIndex,
      time: this.#ground.time,
      document: async (key) => this.#documents.get(key)?.bytes ?? (await this.#stored(key)),
      entry: (index) => this.#ground.entry(index),
    };
  }

  get #nextIndex(): number {
    return this.#ground.size + this.entries.length;
  }

  /** The guards of a batch read the same few documents: each is fetched once an attempt. */
  #stored(key: Key): Promise<Uint8Array | undefined> {
    let bytes = this.#read.get(key);
    if (bytes === undefined) {
      bytes = this.#ground.document(key);
      this.#read.set(key, bytes);
    }
    return bytes;
  }

  /** Refuses a document that stands in the way of what is there already. */
  async #requirePlace(document: StagedDocument): Promise<void> {
    const { key, kind, bytes } = document;
    const staged = this.#documents.get(key);
    const there = staged?.bytes ?? (await this.#stored(key));
    if (there === undefined) return;
    if (staged !== undefined && staged.kind !== kind) throw misplaced(key, 'changes its kind');
    if (kind === 'immutable' && !equal(there, bytes)) {
      throw new CodedError('conflict', `${key} is there already, with other content`, { key });
    }
    if (kind === 'newest' && indexOf(key, there) >= document.index) {
      throw misplaced(key, 'is not newer than the one it would replace');
    }
  }
}

function isBare(item: Item): boolean {
  return typeof item.entries !== 'function' && !item.guard && !item.documents;
}

function requireEntries(item: Item, entries: readonly Uint8Array[]): void {
  const weight = weighEntries(entries);
  const isLate = typeof item.entries === 'function';
  if (isLate && weight.entries > LATE_ITEM.entries) {
    throw new CodedError(
      'too-large',
      `an item that makes its entries late may have ${LATE_ITEM.entries}, not ${weight.entries}`,
    );
  }
}

function requireDocuments(
  documents: readonly StagedDocument[],
  first: number,
  entries: number,
): void {
  let bytes = 0;
  for (const document of documents) {
    bytes += document.bytes.length;
    if (document.kind === 'newest') requireOwnIndex(document, first, entries);
  }
  if (bytes > MAX_ITEM_DOCUMENT_BYTES) {
    throw new CodedError(
      'too-large',
      `the documents of an item may have ${MAX_ITEM_DOCUMENT_BYTES} bytes together, not ${bytes}`,
    );
  }
}

type Newest = Extract<StagedDocument, { kind: 'newest' }>;

/** A `newest` document is ordered by the index of a leaf of its own item. */
function requireOwnIndex(document: Newest, first: number, entries: number): void {
  const { key, index, bytes } = document;
  if (index < first || index >= first + entries) throw misplaced(key, 'names a foreign index');
  if (indexOf(key, bytes) !== index)
    throw misplaced(key, 'holds another index than it is staged under');
}

function misplaced(key: Key, how: string): CodedError {
  return new CodedError('internal', `the staged document ${key} ${how}`, { key });
}
