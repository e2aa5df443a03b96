/**
 * How a download is cut: into stretches, runs of neighbouring chunks that are asked for with
 * one range request. A stretch is long enough that the time between two requests does not
 * count, and short enough that all connections end at about the same time.
 */
import { chunkRange } from '../../core/release/chunks.ts';

/** Bytes of a stretch, unless one chunk alone is longer. */
export const STRETCH_BYTES = 32 * 2 ** 20;

/** Chunks from `first` up to, not including, `first + count`. */
export interface ChunkRun {
  readonly first: number;
  readonly count: number;
}

/** Where a run lies in its file, in bytes. */
export interface ByteRun {
  readonly offset: number;
  readonly length: number;
}

/** Cuts the chunks that are missing, given in rising order, into runs of at most `STRETCH_BYTES`. */
export function cutRuns(missing: readonly number[], chunkSize: number): ChunkRun[] {
  const longest = Math.max(1, Math.floor(STRETCH_BYTES / chunkSize));
  const runs: { first: number; count: number }[] = [];
  for (const index of missing) {
    const run = runs.at(-1);
    if (run !== undefined && run.first + run.count === index && run.count < longest) run.count++;
    else runs.push({ first: index, count: 1 });
  }
  return runs;
}

/** The bytes of `run` in a file of `size` bytes. */
export function bytesOf(run: ChunkRun, size: number, chunkSize: number): ByteRun {
  const { offset } = chunkRange(size, chunkSize, run.first);
  const last = chunkRange(size, chunkSize, run.first + run.count - 1);
  return { offset, length: last.offset + last.length - offset };
}
