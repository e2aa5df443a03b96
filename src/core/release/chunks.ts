/**
 * Chunk trees: how one part of a huge file is checked without the rest.
 *
 * A file is cut into chunks of one size. Its *chunk list* is the SHA-256 of each chunk, 32
 * bytes apiece, in order; its *chunk root* is the RFC 6962 Merkle root over that list, each
 * chunk's SHA-256 being one entry (leaf = SHA-256(00 ‖ chunk SHA-256)). The manifest names
 * only size and root; the list is a separate document that is checked against the root.
 *
 *     a file of 20 MiB, chunk size 8 MiB:  list = h0 ‖ h1 ‖ h2 (96 bytes)
 *     root = H(01 ‖ H(01 ‖ H(00‖h0) ‖ H(00‖h1)) ‖ H(00‖h2))
 *
 * An empty file has an empty list and the root SHA-256("").
 */
import type { Digest } from '../digest.ts';
import { formatDigest } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { leafHash, rootOfLeaves } from '../log/merkle.ts';

/** The smallest chunk: 8 MiB. */
export const MIN_CHUNK_SIZE = 8 * 2 ** 20;
/** The largest chunk: 1 GiB. */
export const MAX_CHUNK_SIZE = 2 ** 30;
/** A list has no more than this many chunks while the chunk size can still grow. */
export const MAX_CHUNKS = 8192;
/** The largest file: as many of the largest chunks as a list may have, 8 TiB. */
export const MAX_FILE_SIZE = MAX_CHUNKS * MAX_CHUNK_SIZE;

/** Bytes of one SHA-256. */
const HASH = 32;
/** Bytes of the longest chunk list. */
export const MAX_CHUNK_LIST_BYTES = MAX_CHUNKS * HASH;

/** The chunk size, in bytes, for a file of `size` bytes: the smallest that gives at most 8,192 chunks. */
export function chunkSizeFor(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_SIZE) {
    throw new CodedError(
      'too-large',
      `a file may have at most ${MAX_FILE_SIZE} bytes, not ${size}`,
    );
  }
  let chunk = MIN_CHUNK_SIZE;
  while (Math.ceil(size / chunk) > MAX_CHUNKS) chunk *= 2;
  return chunk;
}

/** How many chunks a file of `size` bytes has. */
export function chunkCount(size: number, chunkSize: number): number {
  return Math.ceil(size / chunkSize);
}

/** Where chunk `index` lies in its file, in bytes. */
export function chunkRange(
  size: number,
  chunkSize: number,
  index: number,
): { offset: number; length: number } {
  const offset = index * chunkSize;
  return { offset, length: Math.min(chunkSize, size - offset) };
}

/** The chunk root of a list (32 bytes a chunk). */
export function chunkRoot(host: Host, list: Uint8Array): Digest {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < list.length; at += HASH)
    leaves.push(leafHash(host, list.subarray(at, at + HASH)));
  return formatDigest(rootOfLeaves(host, leaves));
}

/** A chunk list that was checked against its root. */
export interface ChunkList {
  readonly chunkSize: number;
  /** SHA-256 of chunk `index`: 32 bytes. */
  at(index: number): Uint8Array;
  readonly count: number;
}

/**
 * Reads the chunk list of a file of `size` bytes and checks it against the manifest's
 * `chunks`. Throws `digest-mismatch`.
 */
export function parseChunkList(
  host: Host,
  list: Uint8Array,
  size: number,
  chunks: { readonly size: number; readonly root: Digest },
  what: string,
): ChunkList {
  const count = chunkCount(size, chunks.size);
  if (list.length !== count * HASH) {
    throw new CodedError(
      'digest-mismatch',
      `the chunk list of ${what} has ${list.length} bytes where ${count * HASH} are due`,
    );
  }
  if (chunkRoot(host, list) !== chunks.root) {
    throw new CodedError(
      'digest-mismatch',
      `the chunk list of ${what} does not have the root that the manifest names`,
    );
  }
  return {
    chunkSize: chunks.size,
    count,
    at: (index) => list.subarray(index * HASH, (index + 1) * HASH),
  };
}
