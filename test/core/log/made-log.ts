/** A log in memory for tests, grown in batches as a sequencer grows one. */
import { utf8 } from '../../../src/core/bytes.ts';
import type { TilePath } from '../../../src/core/log/tile.ts';
import { emptyEdge, grow, type TreeEdge } from '../../../src/core/log/tree.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

export interface MadeLog {
  readonly edge: TreeEdge;
  readonly files: Map<TilePath, Uint8Array>;
  readonly leafHashes: readonly Uint8Array[];
  readonly read: (path: TilePath) => Promise<Uint8Array | undefined>;
}

export const entryAt = (index: number): Uint8Array => utf8(`entry ${index}`);

/** A log of `size` entries; `batches` are the sizes at which it was committed before. */
export function makeLog(size: number, batches: readonly number[] = []): MadeLog {
  const files = new Map<TilePath, Uint8Array>();
  const leafHashes: Uint8Array[] = [];
  let edge = emptyEdge(host);
  for (const end of [...batches, size]) {
    const entries = Array.from({ length: end - edge.size }, (_, i) => entryAt(edge.size + i));
    const growth = grow(host, edge, entries);
    edge = growth.edge;
    leafHashes.push(...growth.leafHashes);
    for (const { path, bytes } of growth.files) files.set(path, bytes);
  }
  return { edge, files, leafHashes, read: async (path) => files.get(path) };
}
