/**
 * What is to be fetched, given what lies in the folder. A file that is right stays. A file of
 * this very release that was damaged since is repaired chunk by chunk; one that an earlier
 * pull of another release left, and nobody has changed, is replaced. Anything else that is in
 * the way belongs to somebody, and is not overwritten.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type ChunkList, chunkRange } from '../core/release/chunks.ts';
import { findFile, type Manifest, type ManifestFile } from '../core/release/manifest.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { ReleaseLists } from './chunk-lists.ts';
import { type EarlierPull, readEarlierPull } from './left-documents.ts';
import { PartialFile } from './partial.ts';
import { type OnProgress, ProgressSum } from './progress.ts';
import { MODEL_SIGNATURE, type Target } from './target.ts';

/** A file of which chunks are missing. */
export interface Fetch {
  readonly partial: PartialFile;
  /** In rising order; at least one. */
  readonly missing: readonly number[];
}

export interface PullPlan {
  readonly fetch: readonly Fetch[];
  /** Files that only wait for their name: empty ones, and those that a killed pull had ready. */
  readonly ready: readonly PartialFile[];
  /** Damaged files of this release, with the chunks of each that can stay. */
  readonly damaged: readonly { readonly partial: PartialFile; readonly good: readonly number[] }[];
  /** What an earlier release had and this one has not. */
  readonly leftovers: readonly string[];
  /** Bytes to fetch, and of all selected files. */
  readonly bytes: number;
  readonly total: number;
  /** Bytes of disk space that are still needed. */
  readonly room: number;
}

export interface PlanOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The plan where there is no folder yet. */
export function planAfresh(selected: readonly ManifestFile[]): PullPlan {
  const total = totalOf(selected);
  const nothing = { fetch: [], ready: [], damaged: [], leftovers: [] };
  return { ...nothing, bytes: total, total, room: total };
}

/** Plans the pull of `selected`. Changes nothing. Throws `conflict` for what must not be overwritten. */
export async function planPull(
  pool: HashingPool,
  target: Target,
  release: { readonly digest: Digest; readonly manifest: Manifest },
  selected: readonly ManifestFile[],
  lists: ReleaseLists,
  options: PlanOptions,
): Promise<PullPlan> {
  const earlier = await readEarlierPull(target);
  const planner = new Planner(pool, target, release.digest, earlier, totalOf(selected), options);
  const found = await Promise.all(
    selected.map((file) => planner.look(file, lists.byPath.get(file.path)!)),
  );
  await planner.requireOurSignature();
  return {
    fetch: found.flatMap(({ fetch }) => fetch ?? []),
    ready: found.flatMap(({ ready }) => ready ?? []),
    damaged: found.flatMap(({ damaged }) => damaged ?? []),
    leftovers: await planner.findLeftovers(release.manifest),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    total: totalOf(selected),
    room: found.reduce((sum, { room }) => sum + room, 0),
  };
}

/** What one file adds to the plan. */
interface Look {
  readonly fetch?: Fetch;
  readonly ready?: PartialFile;
  readonly damaged?: PullPlan['damaged'][number];
  readonly bytes: number;
  readonly room: number;
}

class Planner {
  readonly #pool: HashingPool;
  readonly #target: Target;
  readonly #digest: Digest;
  readonly #earlier: EarlierPull | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #progress: ProgressSum;

  constructor(
    pool: HashingPool,
    target: Target,
    digest: Digest,
    earlier: EarlierPull | undefined,
    total: number,
    { signal, onProgress }: PlanOptions,
  ) {
    this.#pool = pool;
    this.#target = target;
    this.#digest = digest;
    this.#earlier = earlier;
    this.#signal = signal;
    this.#progress = new ProgressSum('check', total, onProgress);
  }

  async look(file: ManifestFile, list: ChunkList): Promise<Look> {
    const { path, size, sha256 } = file;
    const partial = new PartialFile(this.#target, { path, size, sha256, list });
    const stats = await this.#target.find(path);
    if (stats !== undefined) {
      const good = stats.size === size ? await this.#goodChunks(path, list, size) : [];
      if (stats.size === size && good.length === list.count) return { bytes: 0, room: 0 };
      if (this.#earlier?.digest === this.#digest && good.length > 0) {
        const fetch = { partial, missing: without(good, list.count) };
        return { fetch, damaged: { partial, good }, bytes: bytesIn(fetch), room: 0 };
      }
      await this.#requireReplaceable(path);
    }
    const present = await partial.present(this.#pool, this.#signal);
    const room = size - (await partial.allocated());
    const missing = without(present, list.count);
    if (missing.length === 0) return { ready: partial, bytes: 0, room };
    const fetch = { partial, missing };
    return { fetch, bytes: bytesIn(fetch), room };
  }

  /** Throws `conflict` when a model.sig lies there that no pull has left. */
  async requireOurSignature(): Promise<void> {
    if (this.#earlier !== undefined) return;
    if ((await this.#target.find(MODEL_SIGNATURE)) !== undefined) throw inTheWay(MODEL_SIGNATURE);
  }

  /** Files of the earlier release that this one has not; `verify` would find them to be extra. */
  async findLeftovers(manifest: Manifest): Promise<string[]> {
    const leftovers: string[] = [];
    for (const { path } of this.#earlier?.manifest.files ?? []) {
      if (findFile(manifest, path) !== undefined) continue;
      if ((await this.#target.find(path)) === undefined) continue;
      await this.#requireReplaceable(path);
      leftovers.push(path);
    }
    return leftovers;
  }

  async #goodChunks(path: string, list: ChunkList, size: number): Promise<number[]> {
    const { chunks } = await this.#pool.hashFile(
      this.#target.locate(path),
      { size, chunkSize: list.chunkSize },
      { signal: this.#signal, onProgress: (bytes) => this.#progress.set(path, bytes) },
    );
    return all(list.count).filter((index) => isGood(chunks, list, index));
  }

  /** May the file at `path` go? Only if an earlier pull left it there, and nobody changed it since. */
  async #requireReplaceable(path: string): Promise<void> {
    const { manifest, digest } = this.#earlier ?? {};
    const known = manifest === undefined ? undefined : findFile(manifest, path);
    if (known === undefined) throw inTheWay(path);
    // Of this very release: whatever is there now, what was asked for is what was there.
    if (digest === this.#digest) return;
    const { size, sha256 } = known;
    const stats = await this.#target.find(path);
    if (stats?.size !== size) throw inTheWay(path);
    const location = this.#target.locate(path);
    const found = await this.#pool.hashFile(
      location,
      { size, whole: true },
      { signal: this.#signal },
    );
    if (found.sha256 !== sha256) throw inTheWay(path);
  }
}

function isGood(chunks: Uint8Array, list: ChunkList, index: number): boolean {
  return Buffer.compare(chunks.subarray(32 * index, 32 * (index + 1)), list.at(index)) === 0;
}

function all(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function without(present: readonly number[], count: number): number[] {
  const there = new Set(present);
  return all(count).filter((index) => !there.has(index));
}

function bytesIn({ partial, missing }: Fetch): number {
  const { size, list } = partial.wanted;
  return missing.reduce((sum, index) => sum + chunkRange(size, list.chunkSize, index).length, 0);
}

function totalOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function inTheWay(path: string): CodedError {
  return new CodedError(
    'conflict',
    `${path} is there already, and no pull has left it so; move it away, or pull into another folder`,
    { path },
  );
}
