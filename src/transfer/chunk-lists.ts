/**
 * The chunk lists of a release's files, each checked against the root in the manifest. A file
 * of at most one chunk needs no document: its list is its own SHA-256, or nothing at all.
 */
import { digestBytes } from '../core/digest.ts';
import type { Host } from '../core/host.ts';
import { inParallel } from '../core/parallel.ts';
import { type ChunkList, parseChunkList } from '../core/release/chunks.ts';
import type { ManifestFile } from '../core/release/manifest.ts';
import { chunkListName } from './left-documents.ts';

/** Documents that are read at once. */
const PARALLEL = 8;

export interface ReleaseLists {
  /** The list of a file, by path. */
  readonly byPath: ReadonlyMap<string, ChunkList>;
  /** The documents among them, by the name under which `pull` leaves them. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

/** Reads and checks the lists of `files`. Throws `digest-mismatch` and what `read` throws. */
export async function readChunkLists(
  host: Host,
  files: readonly ManifestFile[],
  read: (file: ManifestFile, name: string) => Promise<Uint8Array>,
): Promise<ReleaseLists> {
  const byPath = new Map<string, ChunkList>();
  const documents = new Map<string, Uint8Array>();
  await inParallel(files, PARALLEL, async (file) => {
    const name = chunkListName(file);
    const bytes = name === undefined ? ownList(file) : await read(file, name);
    byPath.set(file.path, parseChunkList(host, bytes, file.size, file.chunks, file.path));
    if (name !== undefined) documents.set(name, bytes);
  });
  return { byPath, documents };
}

function ownList({ size, sha256 }: ManifestFile): Uint8Array {
  return size === 0 ? new Uint8Array(0) : digestBytes(sha256);
}
