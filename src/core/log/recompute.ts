/**
 * The second opinion before a tree is signed. A bit that flips in memory between hashing and
 * signing once ended a public log: the root was signed, and no file led to it. So the tree is
 * derived again, from the very bytes that are about to be written and by another way: the
 * entries are hashed anew out of their bundles, every full tile into its slot of the tile
 * above, and the partial tiles into the root.
 */
import { equal } from '../bytes.ts';
import type { Host } from '../host.ts';
import { HASH_BYTES } from '../note/line.ts';
import { type Refusal, refusal, type Verdict } from '../verdict.ts';
import { emptyRoot, leafHash, nodeHash, runRoot } from './merkle.ts';
import {
  formatTilePath,
  type HashTile,
  hashInTile,
  parseEntryBundle,
  parseHashTile,
  partialTiles,
  TILE_WIDTH,
  type Tile,
  type TilePath,
  tilesBetween,
  tileWidth,
} from './tile.ts';
import type { Growth, TreeEdge } from './tree.ts';

/** What is compared: the tree before, the files to write, and the size they lead to. */
interface Work {
  readonly host: Host;
  readonly before: TreeEdge;
  readonly files: ReadonlyMap<TilePath, Uint8Array>;
  readonly size: number;
}

/**
 * Do the files of `growth`, written over the tree `before`, make the tree that `growth.edge`
 * says? Refuses with `internal`: then nothing may be signed. Throws `bad-tile` for a file of
 * the wrong shape, which means the same.
 */
export function checkGrowth(host: Host, before: TreeEdge, growth: Growth): Verdict<object> {
  const files = new Map(growth.files.map(({ path, bytes }) => [path, bytes]));
  const work: Work = { host, before, files, size: growth.edge.size };
  const expected = tilesBetween(before.size, work.size);
  if (expected.length !== growth.files.length || expected.length !== files.size) {
    return disagreement(work, 'there are files too many or too few');
  }
  for (const tile of expected) {
    const agrees = isHashTile(tile) ? tileAgrees(work, tile) : bundleAgrees(work, tile);
    if (!agrees) return disagreement(work, `${formatTilePath(tile)} does not fit the entries`);
  }
  if (!equal(recomputeRoot(work), growth.edge.root)) {
    return disagreement(work, 'the files lead to another root than the one to be signed');
  }
  return { ok: true };
}

/** Do the entries of the bundle hash to the level 0 tile beside it? */
function bundleAgrees(work: Work, tile: Tile): boolean {
  const bundle = work.files.get(formatTilePath(tile));
  const leaves = work.files.get(formatTilePath({ ...tile, level: 0 }));
  if (bundle === undefined || leaves === undefined) return false;
  return parseEntryBundle(bundle, tile.width).every((entry, slot) =>
    equal(leafHash(work.host, entry), hashInTile(leaves, slot)),
  );
}

/** Does the tile keep what was committed and, when it is full, stand in the tile above? */
function tileAgrees(work: Work, tile: HashTile): boolean {
  const bytes = work.files.get(formatTilePath(tile));
  if (bytes === undefined) return false;
  const hashes = parseHashTile(bytes, tile.width);
  const kept = keptHashes(work.before, tile);
  if (!equal(hashes.subarray(0, kept.length), kept)) return false;
  if (tile.width < TILE_WIDTH) return true;
  const above = tileAt(work, tile.level + 1, Math.floor(tile.index / TILE_WIDTH));
  const root = runRoot(work.host, hashes, 0, TILE_WIDTH);
  return above !== undefined && equal(root, hashInTile(above, tile.index % TILE_WIDTH));
}

/** The hashes of the tile that the tree before had already. */
function keptHashes(before: TreeEdge, { level, index }: HashTile): Uint8Array {
  const width = tileWidth(level, index, before.size);
  return width === 0 ? new Uint8Array(0) : before.tiles[level]!.subarray(0, width * HASH_BYTES);
}

/** The root from the partial tiles alone, smallest subtree first. */
function recomputeRoot(work: Work): Uint8Array {
  let root: Uint8Array | undefined;
  for (const { level, index, width } of partialTiles(work.size)) {
    const hashes = tileAt(work, level, index) ?? work.before.tiles[level]!;
    for (let end = width; end > 0; ) {
      const run = end & -end;
      end -= run;
      const left = runRoot(work.host, hashes, end, run);
      root = root === undefined ? left : nodeHash(work.host, left, root);
    }
  }
  return root ?? emptyRoot(work.host);
}

/** The file of a hash tile at the new size, undefined when it is not written anew. */
function tileAt(work: Work, level: number, index: number): Uint8Array | undefined {
  const width = tileWidth(level, index, work.size);
  return work.files.get(formatTilePath({ level, index, width }));
}

function isHashTile(tile: Tile): tile is HashTile {
  return tile.level !== 'entries';
}

function disagreement(work: Work, why: string): Refusal {
  return refusal('internal', `the grown tree was computed twice and differs: ${why}; stop`, {
    from: work.before.size,
    to: work.size,
  });
}
