/**
 * What is to be hashed of one file or stream, and what comes of it. The manifest needs the
 * SHA-256 of the whole file and of every chunk, the tensor inventory that of every tensor
 *; a plan asks for any of the three, over the same bytes.
 */
import { type Digest, formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';

/** Bytes of a SHA-256 digest. */
export const DIGEST_BYTES = 32;

/** A run of bytes whose own SHA-256 is wanted, such as a tensor. Both in bytes. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

export interface HashPlan {
  /** Bytes that there must be: not one fewer, not one more. */
  readonly size: number;
  /** SHA-256 of everything. */
  readonly whole?: boolean;
  /** SHA-256 of every chunk of so many bytes; the last chunk may be shorter. */
  readonly chunkSize?: number;
  /** SHA-256 of each of these, which are ordered by offset and do not overlap. */
  readonly pieces?: readonly Piece[];
}

/** The digests that plan `P` asks for; what it does not ask for is undefined. */
export interface Hashes<P extends HashPlan = HashPlan> {
  readonly sha256: P extends { whole: true } ? Digest : Digest | undefined;
  /** 32 bytes a chunk, in order: the chunk list. An empty file has an empty list. */
  readonly chunks: P extends { chunkSize: number } ? Uint8Array : Uint8Array | undefined;
  /** 32 bytes a piece, in the plan's order. */
  readonly pieces: P extends { pieces: readonly Piece[] } ? Uint8Array : Uint8Array | undefined;
}

/** Digests as the threads give them: 32 bytes each, nothing where none were wanted. */
export interface RawHashes {
  readonly whole: Uint8Array;
  readonly chunks: Uint8Array;
  readonly pieces: Uint8Array;
}

/** The outcome of `plan`, for those who asked. */
export function shapeHashes(plan: HashPlan, { whole, chunks, pieces }: RawHashes): Hashes {
  return {
    sha256: plan.whole ? formatDigest(whole) : undefined,
    chunks: plan.chunkSize === undefined ? undefined : chunks,
    pieces: plan.pieces === undefined ? undefined : pieces,
  };
}

/** How many chunks of `chunkSize` bytes hold `size` bytes. */
export function chunkCount(size: number, chunkSize: number): number {
  return Math.ceil(size / chunkSize);
}

/** Throws `internal` for a plan that cannot be carried out: the caller is at fault, not the file. */
export function checkPlan(plan: HashPlan): void {
  const { size, whole, chunkSize, pieces } = plan;
  if (!Number.isSafeInteger(size) || size < 0) throw refusal(`size is ${size}`);
  if (!whole && chunkSize === undefined && pieces === undefined) throw refusal('nothing is wanted');
  if (chunkSize !== undefined && (!Number.isSafeInteger(chunkSize) || chunkSize < 1)) {
    throw refusal(`chunkSize is ${chunkSize}`);
  }
  if (pieces !== undefined) checkPieces(pieces, size);
}

function checkPieces(pieces: readonly Piece[], size: number): void {
  let end = 0;
  for (const [index, { offset, length }] of pieces.entries()) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || length < 0) {
      throw refusal(`piece ${index} has no proper offset and length`);
    }
    // Order without overlap is what makes one pass with one open hash enough.
    if (offset < end) throw refusal(`piece ${index} begins before the end of the one before it`);
    end = offset + length;
    if (end > size) throw refusal(`piece ${index} ends behind the last byte`);
  }
}

function refusal(what: string): CodedError {
  return new CodedError('internal', `a hash plan cannot be carried out: ${what}`);
}
