/**
 * Reading whole blobs out of a store that lies across a network: in blocks, several of each blob
 * asked for ahead, because one connection to a bucket is slower than the hashing. All readers
 * share a bounded number of blocks, so that memory does not grow with the files of a seal. A
 * block that did not come whole is asked for again, and not the file.
 */
import { CodedError, isCoded } from '../core/error.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { readerOfBlob } from './content.ts';

/** Bytes of a block. */
export const BLOCK_BYTES = 8 * 2 ** 20;
/** Blocks of one blob that are asked for before they are needed. */
export const AHEAD = 4;
/** Blocks in memory, for all readers together: 128 MiB. */
export const MAX_BLOCKS = 16;
/** Times that a block is asked for. */
const MAX_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

/** What may be otherwise the next time. */
const PASSING: ReadonlySet<string> = new Set(['storage', 'overloaded', 'network']);

export class BlobBlocks {
  readonly #store: Store;
  #free = MAX_BLOCKS;
  readonly #waiting: (() => void)[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The bytes of a blob that is to have `size` of them, in order; a block may be used until the
   * next is asked for. Throws `not-found`, `digest-mismatch` for another size, `interrupted`.
   */
  async *read(blob: string, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    await this.#requireSize(blob, size);
    const coming: Promise<Uint8Array>[] = [];
    let asked = 0;
    try {
      while (asked < size || coming.length > 0) {
        while (asked < size && coming.length < AHEAD && (await this.#take(coming.length > 0))) {
          const length = Math.min(BLOCK_BYTES, size - asked);
          const block = this.#block(blob, size, { offset: asked, length }, signal);
          block.catch(() => {}); // it is awaited in its turn
          coming.push(block);
          asked += length;
        }
        yield await coming[0]!;
        coming.shift();
        this.#giveBack();
      }
    } finally {
      for (const block of coming) void block.catch(() => {}).then(() => this.#giveBack());
    }
  }

  /** An object longer than it should be would be read as far as it should go, and found good. */
  async #requireSize(blob: string, size: number): Promise<void> {
    const key = keys.blob(blob);
    const found = await this.#store.size(key);
    if (found === size) return;
    if (found === undefined) throw new CodedError('not-found', `there is no object ${key}`);
    throw new CodedError('digest-mismatch', `${key} has ${found} bytes, not ${size}`);
  }

  async #block(
    blob: string,
    size: number,
    { offset, length }: { readonly offset: number; readonly length: number },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      if (signal.aborted) throw new CodedError('interrupted', 'the reading was stopped');
      try {
        return await readerOfBlob(this.#store, blob, size).read(offset, length);
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isCoded(error) || !PASSING.has(error.code)) throw error;
        const longest = FIRST_PAUSE_MS * 2 ** attempt;
        await new Promise((done) => setTimeout(done, longest * Math.random()));
      }
    }
  }

  /** Takes the right to a block. Who has one already does not wait for another: so none waits for ever. */
  async #take(hasOne: boolean): Promise<boolean> {
    if (this.#free > 0) this.#free--;
    else if (hasOne) return false;
    else await new Promise<void>((enter) => this.#waiting.push(enter));
    return true;
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
