/**
 * How the work on one file is cut into stretches, each of which one thread reads once.
 *
 * Chunks and pieces are independent of one another and may go to any thread. The SHA-256
 * of the whole file is a chain that only one thread can follow. So there are two ways:
 *
 * - *together*: one stretch over the whole file; every block is read once and fed to every
 *   hash while it lies in the processor's cache. The least work, but on one core.
 * - *apart*: the whole-file hash is one stretch, and chunks and pieces are many. The file is
 *   read twice, which costs about a fifth of a hash more, but on every core. The stretches
 *   are taken in order, so the second reader finds the first one's pages in memory.
 */
import type { Wanted } from './digester.ts';
import { chunkCount, type HashPlan, type Piece } from './plan.ts';

/**
 * Bytes of a stretch, unless one chunk or piece alone is longer: some 25 ms of work, long
 * against the handing out of it and short against the wait for the last thread.
 */
export const STRETCH_BYTES = 32 * 1024 * 1024;

/** Between two pieces, bytes that nobody wants are read over up to this many. */
const GAP_BYTES = 256 * 1024;

export interface Stretch {
  /** Where reading begins and ends. */
  readonly from: number;
  readonly end: number;
  /** True when the whole-file hash is taken here; the stretch is then the whole file. */
  readonly whole: boolean;
  /** The chunks taken here, from `firstChunk`, all beginning in the stretch. */
  readonly firstChunk: number;
  readonly chunks: number;
  /** The pieces taken here, from `firstPiece`. */
  readonly firstPiece: number;
  readonly pieces: number;
}

/** The stretches of `plan`, in the order in which they should be begun. Never empty. */
export function cutPlan(
  plan: HashPlan,
  together: boolean,
  stretchBytes = STRETCH_BYTES,
): Stretch[] {
  const { size, chunkSize, pieces = [] } = plan;
  const onlyWhole = chunkSize === undefined && plan.pieces === undefined;
  if (plan.whole && (together || onlyWhole)) return [wholePlan(plan)];
  const apart =
    chunkSize === undefined
      ? cutByPieces(pieces, stretchBytes)
      : cutByChunks(size, chunkSize, pieces, stretchBytes);
  return plan.whole ? [{ ...NOTHING, end: size, whole: true }, ...apart] : apart;
}

const NOTHING: Stretch = {
  from: 0,
  end: 0,
  whole: false,
  firstChunk: 0,
  chunks: 0,
  firstPiece: 0,
  pieces: 0,
};

/** All of `plan` in one stretch. */
export function wholePlan({ size, whole = false, chunkSize, pieces = [] }: HashPlan): Stretch {
  const chunks = chunkSize === undefined ? 0 : chunkCount(size, chunkSize);
  return { ...NOTHING, end: size, whole, chunks, pieces: pieces.length };
}

/** What a digester has to take in `stretch`. */
export function wantedIn(stretch: Stretch, plan: HashPlan): Wanted {
  const { size, chunkSize = 0, pieces = [] } = plan;
  const { whole, firstChunk, chunks, firstPiece } = stretch;
  const bounds = new Float64Array(2 * stretch.pieces);
  for (let i = 0; i < stretch.pieces; i++) {
    const { offset, length } = pieces[firstPiece + i]!;
    bounds[2 * i] = offset;
    bounds[2 * i + 1] = offset + length;
  }
  return { size, whole, chunkSize, firstChunk, chunks, pieces: bounds };
}

/**
 * Runs of whole chunks. A piece belongs to the stretch that it begins in, whose thread
 * reads on to the piece's end: hashes cannot be carried from one thread to another.
 */
function cutByChunks(
  size: number,
  chunkSize: number,
  pieces: readonly Piece[],
  stretchBytes: number,
): Stretch[] {
  const perStretch = Math.max(1, Math.floor(stretchBytes / chunkSize));
  const all = chunkCount(size, chunkSize);
  const stretches: Stretch[] = [];
  let piece = 0;
  let firstChunk = 0;
  do {
    const chunks = Math.min(perStretch, all - firstChunk);
    const to = Math.min(size, (firstChunk + chunks) * chunkSize);
    const firstPiece = piece;
    let end = to;
    for (let next = pieces[piece]; next && (next.offset < to || to === size); ) {
      end = Math.max(end, next.offset + next.length);
      next = pieces[++piece];
    }
    const from = firstChunk * chunkSize;
    stretches.push({
      from,
      end,
      whole: false,
      firstChunk,
      chunks,
      firstPiece,
      pieces: piece - firstPiece,
    });
    firstChunk += chunks;
  } while (firstChunk < all);
  return stretches;
}

/** Runs of neighbouring pieces, leaving out the bytes between that nobody wants. */
function cutByPieces(pieces: readonly Piece[], stretchBytes: number): Stretch[] {
  const stretches: Stretch[] = [];
  let firstPiece = 0;
  do {
    const from = pieces[firstPiece]?.offset ?? 0;
    let end = from;
    let piece = firstPiece;
    for (let next = pieces[piece]; next; next = pieces[++piece]) {
      // The first always goes in; so does a near one while there is room.
      if (end - from >= stretchBytes || next.offset - end > GAP_BYTES) break;
      end = next.offset + next.length;
    }
    stretches.push({ ...NOTHING, from, end, firstPiece, pieces: piece - firstPiece });
    firstPiece = piece;
  } while (firstPiece < pieces.length);
  // No piece at all: the file must still be opened, to see that it is what it should be.
  return stretches;
}
