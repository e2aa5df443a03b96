/**
 * Which chunks of which files were hashed a while ago and found whole, so that the next readers of
 * a file in the same state need not wait until it is hashed again; docs/adr/0021 says why this may
 * be. It is a bitmap for each file, and one time for all of its bits: that of the first.
 *
 *     chunks 0, 1 and 2 are hashed at 12:00:00, :01, :02   →  {since: 12:00:00, chunks: 111…}
 *     at 12:10:00.001 none of them counts any more, and the file begins anew
 */
import type { Digest } from '../core/digest.ts';
import { chunkCount } from '../core/release/chunks.ts';
import type { FileState } from './file-state.ts';

/** Milliseconds for which a chunk that was found whole is not hashed again. */
export const REMEMBERED_MS = 10 * 60_000;
/**
 * Milliseconds for which a file has to be at rest before it is hashed: of two writes within one
 * tick of its file system's clock, of some milliseconds, the second leaves the state as it is.
 */
export const AT_REST_MS = 1_000;
/** Files that are remembered; a bitmap has at most 1 KiB. */
export const MAX_REMEMBERED_FILES = 8_192;

/** The file that the chunks belong to, as its release names it. */
interface Chunked {
  readonly sha256: Digest;
  readonly size: number;
  readonly chunkSize: number;
}

interface Remembered {
  readonly identity: string;
  readonly chunkSize: number;
  readonly since: number;
  /** One bit a chunk. */
  readonly chunks: Uint8Array;
}

export class WholeChunks {
  /** In the order of `since`: the first is forgotten first. */
  readonly #files = new Map<Digest, Remembered>();
  readonly #most: number;

  constructor(most = MAX_REMEMBERED_FILES) {
    this.#most = most;
  }

  /** How many files are remembered. */
  get size(): number {
    return this.#files.size;
  }

  /** Was chunk `index` found whole, not long before `now`, in this very state of the file? */
  has(file: Chunked, state: FileState, index: number, now: number): boolean {
    const chunks = this.#remembered(file, state, now)?.chunks;
    return chunks !== undefined && (chunks[index >> 3]! & (1 << (index & 7))) !== 0;
  }

  /** Chunk `index` was found whole in this state of the file, by a hash from `begun` until `now`. */
  add(file: Chunked, state: FileState, index: number, begun: number, now: number): void {
    if (begun - state.changed < AT_REST_MS) return;
    const { chunks } = this.#remembered(file, state, now) ?? this.#begin(file, state, now);
    chunks[index >> 3]! |= 1 << (index & 7);
  }

  #remembered({ sha256, chunkSize }: Chunked, state: FileState, now: number) {
    const found = this.#files.get(sha256);
    if (found?.identity !== state.identity || found.chunkSize !== chunkSize) return undefined;
    const age = now - found.since;
    // A clock that was set back says nothing of how long ago it was.
    return age >= 0 && age <= REMEMBERED_MS ? found : undefined;
  }

  #begin({ sha256, size, chunkSize }: Chunked, { identity }: FileState, since: number): Remembered {
    const chunks = new Uint8Array(Math.ceil(chunkCount(size, chunkSize) / 8));
    const begun = { identity, chunkSize, since, chunks };
    this.#files.delete(sha256);
    this.#files.set(sha256, begun);
    if (this.#files.size > this.#most) this.#files.delete(this.#files.keys().next().value!);
    return begun;
  }
}
