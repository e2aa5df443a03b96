/**
 * The log's growth: every entry bundle is read and hashed, every hash tile compared with what
 * the entries make, and the root with the checkpoint. It needs no understanding of entries.
 */

import type { Findings } from '../../core/audit/findings.ts';
import { type DueTile, GrowingTree } from '../../core/audit/growth.ts';
import { type HashedEntries, hashBundle } from '../../core/audit/hashed-bundle.ts';
import { equal } from '../../core/bytes.ts';
import type { Host } from '../../core/host.ts';
import type { TreeHead } from '../../core/log/checkpoint.ts';
import {
  formatEntryBundle,
  formatTilePath,
  hashInTile,
  parseTilePath,
  TILE_WIDTH,
  tileWidth,
} from '../../core/log/tile.ts';
import {
  type ReadTile,
  readBundleBytes,
  readEntries,
  readHashTile,
} from '../../core/log/tile-reader.ts';
import type { TreeEdge } from '../../core/log/tree.ts';
import { HASH_BYTES } from '../../core/note/line.ts';
import { Lanes } from './lanes.ts';

/** Bundles that are read and hashed ahead of the one that is looked at. */
const BUNDLES_AHEAD = 8;
/** Upper tiles that are compared at a time. */
const TILES_AT_ONCE = 4;

/** Where the hashing is done: on threads, where there are any. */
export interface BundleHasher {
  /** Hashes the `width` entries of a bundle. Throws `bad-tile` when it does not hold so many. */
  hashBundle(bundle: Uint8Array, width: number): Promise<HashedEntries>;
}

/** Hashes where it is called: for browsers, and for small logs. */
export function hashingHere(host: Host): BundleHasher {
  return { hashBundle: async (bundle, width) => hashBundle(host, bundle, width) };
}

/** A bundle whose entries were hashed. It stays in bytes: a million entries are a million objects. */
export interface ReadBundle {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly hashed: HashedEntries;
}

/** What following the growth of a log takes. */
export interface GrowthParts {
  readonly host: Host;
  readonly read: ReadTile;
  readonly hasher: BundleHasher;
  readonly findings: Findings;
}

/**
 * Follows the log from the tree of `edge` to `head`. `visit` sees every bundle that has new
 * entries, in order. A bundle that cannot be read is a violation and ends it.
 */
export async function followGrowth(
  parts: GrowthParts,
  edge: TreeEdge,
  head: TreeHead,
  visit: (bundle: ReadBundle) => Promise<void> = async () => {},
): Promise<boolean> {
  const tree = new GrowingTree(parts.host, edge);
  const uppers = new Lanes(TILES_AT_ONCE);
  const compare = (tile: DueTile) => uppers.add(() => compareTile(parts, tile));
  for await (const bundle of readBundles(parts, edge.size, head.size)) {
    if (bundle === undefined) return false;
    for (const tile of tree.append(bundle.index, bundle.hashed)) await compare(tile);
    await visit(bundle);
  }
  for (const tile of tree.partialTiles()) await compare(tile);
  await uppers.end();
  if (equal(tree.head.root, head.root)) return true;
  parts.findings.violate(
    head.size,
    'proof-invalid',
    `the ${head.size} entries do not make the root that the checkpoint signs`,
    { size: head.size, expected: head.root, computed: tree.head.root },
  );
  return false;
}

/**
 * Reads the tiles that a smaller tree had out of those of the tree of `size`, which must begin
 * with it: a server need not keep the partial tiles of every size that it ever had.
 */
export function tilesOfSmaller(read: ReadTile, size: number): ReadTile {
  return async (path) => {
    const { level, index, width } = parseTilePath(path);
    const now = tileWidth(level, index, size);
    if (level === 'entries') {
      return formatEntryBundle((await readEntries(read, index, now)).slice(0, width));
    }
    return (await readHashTile(read, { level, index, width: now })).slice(0, width * HASH_BYTES);
  };
}

/** The bundles with entries from `from` on, in order, some of them read ahead; undefined ends it. */
async function* readBundles(
  parts: GrowthParts,
  from: number,
  size: number,
): AsyncGenerator<ReadBundle | undefined> {
  if (from === size) return;
  const last = Math.ceil(size / TILE_WIDTH) - 1;
  const ahead: Promise<ReadBundle | undefined>[] = [];
  for (let next = Math.floor(from / TILE_WIDTH); next <= last || ahead.length > 0; next++) {
    if (next <= last) ahead.push(settledLater(readBundle(parts, next, size)));
    if (ahead.length < BUNDLES_AHEAD && next < last) continue;
    yield await ahead.shift();
  }
}

/** A bundle against its level 0 tile; undefined where it cannot be read. */
async function readBundle(
  { read, hasher, findings }: GrowthParts,
  index: number,
  size: number,
): Promise<ReadBundle | undefined> {
  const width = tileWidth('entries', index, size);
  const tile = settledLater(readHashTile(read, { level: 0, index, width }));
  try {
    const bytes = await readBundleBytes(read, index, width);
    const hashed = await hasher.hashBundle(bytes, width);
    compareLeaves(findings, index, hashed.leaves, await tile.catch(() => undefined));
    await tile.catch((error) => findings.fault(index * TILE_WIDTH, error));
    return { index, bytes, width, hashed };
  } catch (error) {
    findings.fault(index * TILE_WIDTH, error);
    return undefined;
  }
}

/** Names every entry whose hash is not the one in the tile. */
function compareLeaves(
  findings: Findings,
  bundle: number,
  leaves: Uint8Array,
  tile: Uint8Array | undefined,
): void {
  if (tile === undefined || equal(leaves, tile)) return;
  for (let slot = 0; slot * HASH_BYTES < leaves.length; slot++) {
    if (equal(hashInTile(leaves, slot), hashInTile(tile, slot))) continue;
    const index = bundle * TILE_WIDTH + slot;
    const path = formatTilePath({ level: 0, index: bundle, width: leaves.length / HASH_BYTES });
    findings.violate(index, 'proof-invalid', `entry ${index} has not the hash in ${path}`);
  }
}

async function compareTile({ read, findings }: GrowthParts, due: DueTile): Promise<void> {
  const { level, index } = due.tile;
  const first = index * TILE_WIDTH ** (level + 1);
  try {
    const found = await readHashTile(read, due.tile);
    if (equal(found, due.bytes)) return;
    const path = formatTilePath(due.tile);
    findings.violate(first, 'proof-invalid', `${path} does not hold what its entries make`);
  } catch (error) {
    findings.fault(first, error);
  }
}

/** A promise that is awaited later; if it is not, because something else failed first, nobody need hear. */
function settledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
