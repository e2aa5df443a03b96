/**
 * One piece of a file to hash, as it is asked for and answered across threads. A piece that fits
 * into memory is read as a whole, which Web Crypto is fastest with; chunks of files beyond
 * 256 GiB are not, and are hashed in portions.
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** Bytes that are in memory at a time. */
export const PORTION = 32 * 2 ** 20;

/** What is needed of a `Blob`. */
export interface Piece {
  readonly size: number;
  slice(start: number, end: number): Piece;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface HashJob {
  readonly id: number;
  readonly piece: Piece;
}

export type HashAnswer = { readonly id: number } & (
  | { readonly sha256: Uint8Array }
  | { readonly error: string }
);

export async function answerTo(
  { id, piece }: HashJob,
  subtle: Pick<typeof crypto.subtle, 'digest'>,
  portion = PORTION,
): Promise<HashAnswer> {
  try {
    return { id, sha256: await hashPiece(piece, subtle, portion) };
  } catch (error) {
    // The file was changed or taken away since it was chosen.
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

async function hashPiece(
  piece: Piece,
  subtle: Pick<typeof crypto.subtle, 'digest'>,
  portion: number,
): Promise<Uint8Array> {
  if (piece.size <= portion) {
    return new Uint8Array(await subtle.digest('SHA-256', await piece.arrayBuffer()));
  }
  const hash = sha256.create();
  for (let at = 0; at < piece.size; at += portion) {
    const part = piece.slice(at, Math.min(at + portion, piece.size));
    hash.update(new Uint8Array(await part.arrayBuffer()));
  }
  return hash.digest();
}
