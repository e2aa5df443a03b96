/**
 * The hashing of a folder's files, each once and begun when it is first asked for: `verify`
 * reads the files while it is still making sure of the documents that say what they must be.
 */
import type { ManifestFile } from '../core/release/manifest.ts';
import type { Hashes, HashPlan } from '../hashing/plan.ts';
import type { HashingPool } from '../hashing/pool.ts';
import { type OnProgress, ProgressSum } from './progress.ts';
import type { Target } from './target.ts';

export interface FolderHashingOptions {
  /** Take every file's whole SHA-256 as well as its chunks. */
  readonly full?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export class FolderHashing {
  readonly #pool: HashingPool;
  readonly #target: Target;
  readonly #full: boolean;
  readonly #progress: ProgressSum;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #begun = new Map<string, Promise<Hashes>>();

  /** Begins with `files`, should they be there. */
  constructor(
    pool: HashingPool,
    target: Target,
    files: readonly ManifestFile[],
    { full = false, signal, onProgress }: FolderHashingOptions,
  ) {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    this.#pool = pool;
    this.#target = target;
    this.#full = full;
    this.#progress = new ProgressSum('verify', total, onProgress);
    this.#signal =
      signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    // Whoever compares asks again, and hears of failures.
    for (const file of files) this.chunksOf(file).catch(() => {});
  }

  /** The SHA-256 of the file's chunks, and of all of it in a full verification. */
  chunksOf({ path, size, chunks }: ManifestFile): Promise<Hashes> {
    return this.#once(path, { size, chunkSize: chunks.size, whole: this.#full });
  }

  /** The SHA-256 of all of a file that was not begun with. */
  wholeOf({ path, size }: ManifestFile): Promise<Hashes> {
    return this.#once(path, { size, whole: true });
  }

  /** Ends what is still under way. Once this resolves, no file of the folder is open any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#begun.values());
  }

  #once(path: string, plan: HashPlan): Promise<Hashes> {
    const hashes = this.#begun.get(path) ?? this.#hash(path, plan);
    this.#begun.set(path, hashes);
    return hashes;
  }

  async #hash(path: string, plan: HashPlan): Promise<Hashes> {
    return this.#pool.hashFile(this.#target.locate(path), plan, {
      signal: this.#signal,
      onProgress: (bytes) => this.#progress.set(path, bytes),
    });
  }
}
