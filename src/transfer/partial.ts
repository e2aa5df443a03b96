/**
 * A file that is on its way: `.weighhouse/partial/<name>`, as long as the whole file from the
 * beginning, and beside it `<name>.have`, a journal of the chunks that were written (u32
 * little-endian each). After a kill the journal says which chunks are worth hashing again; it
 * proves nothing, so every one of them is. The name comes from the path and the content:
 * whoever pulls another version starts another partial file.
 */
import { hash } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { Digest } from '../core/digest.ts';
import type { ChunkList } from '../core/release/chunks.ts';
import { chunkRange } from '../core/release/chunks.ts';
import type { HashingPool } from '../hashing/pool.ts';
import { PARTIAL_FOLDER, type Target, unwritable, WRITE_FLAGS } from './target.ts';

/** What a partial file becomes. */
export interface Wanted {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly list: ChunkList;
}

/** Bytes of the longest journal: 8,192 chunks, each written down twice at worst. */
const MAX_JOURNAL_BYTES = 4 * 8_192 * 2;

const APPEND_FLAGS = constants.O_APPEND | WRITE_FLAGS;
const SYNC_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW;

export class PartialFile {
  readonly wanted: Wanted;
  readonly #target: Target;
  readonly #name: string;
  #file: number | undefined;
  #journal: number | undefined;

  constructor(target: Target, wanted: Wanted) {
    this.wanted = wanted;
    this.#target = target;
    const name = hash('sha256', `${wanted.path}\n${wanted.sha256}`);
    this.#name = `${PARTIAL_FOLDER}/${name}`;
  }

  /** Disk space, in bytes, that it takes already. */
  async allocated(): Promise<number> {
    const stats = await this.#target.find(this.#name);
    // Windows does not count blocks.
    return stats === undefined ? 0 : Math.min(this.wanted.size, (stats.blocks ?? 0) * 512);
  }

  /** The chunks that are there and good, hashed again just now; in rising order. */
  async present(pool: HashingPool, signal?: AbortSignal): Promise<number[]> {
    const { size, list } = this.wanted;
    const stats = await this.#target.find(this.#name);
    if (stats === undefined || stats.size !== size) return [];
    const journalled = await this.#readJournal();
    const pieces = journalled.map((index) => chunkRange(size, list.chunkSize, index));
    if (pieces.length === 0) return [];
    const location = this.#target.locate(this.#name);
    const { pieces: digests } = await pool.hashFile(location, { size, pieces }, { signal });
    return journalled.filter(
      (index, i) => Buffer.compare(digests.subarray(32 * i, 32 * (i + 1)), list.at(index)) === 0,
    );
  }

  /** Takes over a damaged file of an earlier pull, of which the chunks `good` can stay. */
  async adopt(good: readonly number[]): Promise<void> {
    const { path } = this.wanted;
    await this.#target.makeFolderOf(this.#name);
    await this.#target.write(this.#journalName, formatJournal(good));
    await rename(this.#target.locate(path), this.#target.locate(this.#name)).catch((error) => {
      throw unwritable(path, error);
    });
  }

  /** Opens it for writing, at its full length; the folder of partial files must be there. */
  open(): number {
    try {
      this.#file = openSync(this.#target.locate(this.#name), WRITE_FLAGS, 0o666);
      ftruncateSync(this.#file, this.wanted.size);
      this.#journal = openSync(this.#target.locate(this.#journalName), APPEND_FLAGS, 0o666);
      return this.#file;
    } catch (error) {
      throw unwritable(this.wanted.path, error);
    }
  }

  /** Writes down that a chunk is there. Throws `disk-full`, `storage`. */
  note(chunk: number): void {
    try {
      writeSync(this.#journal!, formatJournal([chunk]));
    } catch (error) {
      throw unwritable(this.wanted.path, error);
    }
  }

  /** Every chunk is there and good: makes it durable and gives it its name. */
  async finish(): Promise<void> {
    const { path } = this.wanted;
    try {
      await this.#sync();
      await this.#target.makeFolderOf(path);
      await this.#target.find(path);
      await rename(this.#target.locate(this.#name), this.#target.locate(path));
      await this.#target.remove(this.#journalName);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Lets go of it; what is there stays for the next pull. */
  close(): void {
    for (const file of [this.#file, this.#journal]) if (file !== undefined) closeSync(file);
    this.#file = undefined;
    this.#journal = undefined;
  }

  get #journalName(): string {
    return `${this.#name}.have`;
  }

  async #sync(): Promise<void> {
    this.close();
    const file = await open(this.#target.locate(this.#name), SYNC_FLAGS);
    await file.sync().finally(() => file.close());
  }

  async #readJournal(): Promise<number[]> {
    const bytes = await this.#target
      .read(this.#journalName, MAX_JOURNAL_BYTES)
      .catch(() => undefined);
    return bytes === undefined ? [] : parseJournal(bytes, this.wanted.list.count);
  }
}

function formatJournal(chunks: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * chunks.length);
  for (const [i, chunk] of chunks.entries()) bytes.writeUInt32LE(chunk, 4 * i);
  return bytes;
}

/** The chunks in a journal, each once, in rising order; a torn end is left out. */
function parseJournal(bytes: Uint8Array, count: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Set<number>();
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const chunk = view.getUint32(at, true);
    if (chunk < count) chunks.add(chunk);
  }
  return [...chunks].sort((a, b) => a - b);
}
