/**
 * What to read of a release to look into its headers without its weights, and what that proves.
 *
 *     tensors   the bytes up to the first tensor alone. They describe exactly the tensors of the
 *               signed inventory; their metadata is whatever the server sent.
 *     header    the whole chunks in which the header lies, each with the SHA-256 that the release
 *               gives it: every byte of the header is the one that was released.
 *
 * A chunk has 8 MiB or more, which is little of a large file and too much of many small ones: a
 * release is read to `header` when that costs 8 MiB at most beyond the headers themselves, or a
 * hundredth of the release in all.
 */
import { CodedError } from '../error.ts';
import { chunkSizeFor, MIN_CHUNK_SIZE } from '../release/chunks.ts';
import type { Manifest } from '../release/manifest.ts';
import { parseFilePath } from '../release/path.ts';
import { headerLength, type WeightsFile } from './header.ts';
import type { Inventory } from './inventory.ts';

/** Files of weights in one release, each of which takes a request. */
export const MAX_HEADERS = 10_000;
/** Bytes of all headers together: their metadata is kept in memory. */
export const MAX_HEADERS_LENGTH = 1_000_000_000;
/** The part of a release that may be read to come to `header`. */
const PROOF_SHARE = 1 / 100;
/** Bytes beyond the headers that may be read of any release to come there. */
const PROOF_BYTES = MIN_CHUNK_SIZE;

/** How far a file was checked. */
export type HeaderLevel = 'tensors' | 'header';

export interface PlannedHeader {
  readonly file: WeightsFile;
  /** Bytes up to the first tensor. */
  readonly length: number;
  /** Bytes to read: the same, or up to the end of the chunk. */
  readonly reach: number;
}

export interface HeaderPlan {
  readonly level: HeaderLevel;
  /** By code point of the path. */
  readonly headers: readonly PlannedHeader[];
}

/** Plans for the files of weights in a verified release. Throws `too-large`, `bad-document`. */
export function planHeaders(manifest: Manifest, inventory: Inventory): HeaderPlan {
  const headers = weightsOf(manifest, inventory).map((file): PlannedHeader => {
    const length = headerLength(file);
    return { file, length, reach: endOfChunk(file.size, length) };
  });
  const sum = (of: 'length' | 'reach') => headers.reduce((total, each) => total + each[of], 0);
  const [length, reach] = [sum('length'), sum('reach')];
  requireAtMost(manifest, 'files of weights', headers.length, MAX_HEADERS);
  requireAtMost(manifest, 'bytes of headers', length, MAX_HEADERS_LENGTH);
  if (reach - length <= PROOF_BYTES || reach <= manifest.size * PROOF_SHARE) {
    return { level: 'header', headers };
  }
  return { level: 'tensors', headers: headers.map((each) => ({ ...each, reach: each.length })) };
}

function weightsOf({ files }: Manifest, inventory: Inventory): WeightsFile[] {
  const tensors = new Map(inventory.files.map((file) => [file.path as string, file.tensors]));
  return files.flatMap(({ path, size, format }) => {
    if (format !== 'safetensors' && format !== 'gguf') return [];
    return [{ path: parseFilePath(path), size, format, tensors: tensors.get(path) ?? [] }];
  });
}

function endOfChunk(size: number, length: number): number {
  const chunkSize = chunkSizeFor(size);
  return Math.min(size, Math.ceil(length / chunkSize) * chunkSize);
}

function requireAtMost({ release }: Manifest, what: string, count: number, limit: number): void {
  if (count <= limit) return;
  throw new CodedError(
    'too-large',
    `${release} has ${count} ${what}; ${limit} are looked into over the network: pull it and inspect the folder`,
    { count, limit },
  );
}
