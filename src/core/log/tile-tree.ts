/**
 * A tree that is read from tiles which may lie. Nothing is used before it is known to belong
 * to the root that was signed:
 *
 *   - the partial tiles at the right edge are read first, and together they must make the root;
 *   - a full tile must have the root that stands in its slot of the tile above, which was
 *     checked in the same way (level 0 tile 1 ← slot 1 of level 1 tile 0 ← … ← the edge);
 *   - an entry must hash to its slot of the level 0 tile.
 *
 * Proofs are made of such hashes only, so whoever made one need not check it again.
 */
import { equal } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import type { TreeHead } from './checkpoint.ts';
import { emptyRoot, leafHash, nodeHash, runRoot } from './merkle.ts';
import {
  type CompleteNode,
  completeNodes,
  consistencySubtrees,
  inclusionSubtrees,
  type Subtree,
} from './subtree.ts';
import {
  formatTilePath,
  type HashTile,
  hashInTile,
  partialTiles,
  TILE_HEIGHT,
  TILE_WIDTH,
  tileWidth,
} from './tile.ts';
import { type ReadTile, readEntries, readHashTile } from './tile-reader.ts';

/** How many checked tiles a tree remembers besides its edge: at most 8 MiB. */
const MAX_REMEMBERED_TILES = 1024;

/** The checked tree of one checkpoint. */
export interface TileTree {
  readonly head: TreeHead;
  /** All the hashes that the tree has in tile `index` at `level`, 32 bytes each. */
  hashes(level: number, index: number): Promise<Uint8Array>;
  /** The leaf hash of entry `index`. */
  leafHash(index: number): Promise<Uint8Array>;
  /** Entry `index`. */
  entry(index: number): Promise<Uint8Array>;
  /** All the entries that the tree has in bundle `index`: 256 of them, or fewer in the last. */
  bundle(index: number): Promise<readonly Uint8Array[]>;
  /** The inclusion proof of entry `index`, leaf to root. */
  proveInclusion(index: number): Promise<Uint8Array[]>;
  /** The proof that this tree begins with the tree of `oldSize`. */
  proveConsistency(oldSize: number): Promise<Uint8Array[]>;
  /** The root that the log had at `oldSize`. */
  rootAt(oldSize: number): Promise<Uint8Array>;
}

/**
 * Opens the tree of a checkpoint. This and every method of the tree throw `proof-invalid`
 * when a tile or an entry does not belong to the root, `not-found` or `bad-tile` when it is
 * missing or misshapen, and `bad-proof` for an index or a size beyond the tree.
 */
export async function openTileTree(host: Host, head: TreeHead, read: ReadTile): Promise<TileTree> {
  const tiles = new CheckedTiles(host, head.size, read);
  await tiles.readEdge();
  const root = await rangeRoot(host, tiles, { start: 0, end: head.size });
  if (!equal(root, head.root)) {
    throw new CodedError(
      'proof-invalid',
      `the tiles at the right edge do not have the root of the checkpoint of size ${head.size}`,
      { size: head.size, expected: head.root, computed: root },
    );
  }
  return new ReadTree(host, head, read, tiles);
}

class ReadTree implements TileTree {
  readonly head: TreeHead;
  private readonly host: Host;
  private readonly read: ReadTile;
  private readonly tiles: CheckedTiles;

  constructor(host: Host, head: TreeHead, read: ReadTile, tiles: CheckedTiles) {
    this.host = host;
    this.head = head;
    this.read = read;
    this.tiles = tiles;
  }

  async hashes(level: number, index: number): Promise<Uint8Array> {
    requireWithin(index, tileWidth(level, index, this.head.size) === 0 ? -1 : index);
    return this.tiles.get(level, index);
  }

  async leafHash(index: number): Promise<Uint8Array> {
    requireWithin(index, this.head.size - 1);
    return nodeFromTiles(this.host, this.tiles, { height: 0, index });
  }

  async entry(index: number): Promise<Uint8Array> {
    requireWithin(index, this.head.size - 1);
    const entries = await this.bundle(Math.floor(index / TILE_WIDTH));
    return entries[index % TILE_WIDTH]!;
  }

  async bundle(index: number): Promise<readonly Uint8Array[]> {
    const width = tileWidth('entries', index, this.head.size);
    requireWithin(index, width === 0 ? -1 : index);
    const [leaves, entries] = await Promise.all([
      this.tiles.get(0, index),
      readEntries(this.read, index, width),
    ]);
    entries.forEach((entry, slot) => {
      if (equal(leafHash(this.host, entry), hashInTile(leaves, slot))) return;
      throw lying(formatTilePath({ level: 'entries', index, width }));
    });
    return entries;
  }

  async proveInclusion(index: number): Promise<Uint8Array[]> {
    return this.prove(inclusionSubtrees(index, this.head.size));
  }

  async proveConsistency(oldSize: number): Promise<Uint8Array[]> {
    return this.prove(consistencySubtrees(oldSize, this.head.size));
  }

  async rootAt(oldSize: number): Promise<Uint8Array> {
    requireWithin(oldSize, this.head.size);
    return rangeRoot(this.host, this.tiles, { start: 0, end: oldSize });
  }

  private prove(subtrees: readonly Subtree[]): Promise<Uint8Array[]> {
    return Promise.all(subtrees.map((subtree) => rangeRoot(this.host, this.tiles, subtree)));
  }
}

/** The hash tiles of a tree, each checked against the one above before it is handed out. */
class CheckedTiles {
  private readonly host: Host;
  private readonly size: number;
  private readonly read: ReadTile;
  private readonly edge = new Map<string, Uint8Array>();
  /** Tiles under way or checked, oldest first. One that fails is forgotten, to be asked for again. */
  private readonly recent = new Map<string, Promise<Uint8Array>>();

  constructor(host: Host, size: number, read: ReadTile) {
    this.host = host;
    this.size = size;
    this.read = read;
  }

  /** Reads the partial tiles. `openTileTree` checks all of them at once, by the root. */
  async readEdge(): Promise<void> {
    const tiles = partialTiles(this.size);
    const hashes = await Promise.all(tiles.map((tile) => readHashTile(this.read, tile)));
    tiles.forEach((tile, i) => {
      this.edge.set(formatTilePath(tile), hashes[i]!);
    });
  }

  async get(level: number, index: number): Promise<Uint8Array> {
    const tile: HashTile = { level, index, width: tileWidth(level, index, this.size) };
    const path = formatTilePath(tile);
    const edge = this.edge.get(path);
    if (edge !== undefined) return edge;
    const known = this.recent.get(path);
    if (known !== undefined) return known;
    const checked = this.readFull(tile);
    this.remember(path, checked);
    return checked;
  }

  private async readFull(tile: HashTile): Promise<Uint8Array> {
    const [hashes, above] = await Promise.all([
      readHashTile(this.read, tile),
      this.get(tile.level + 1, Math.floor(tile.index / TILE_WIDTH)),
    ]);
    const root = runRoot(this.host, hashes, 0, TILE_WIDTH);
    if (equal(root, hashInTile(above, tile.index % TILE_WIDTH))) return hashes;
    throw lying(formatTilePath(tile));
  }

  private remember(path: string, checked: Promise<Uint8Array>): void {
    this.recent.set(path, checked);
    checked.catch(() => this.recent.delete(path));
    if (this.recent.size <= MAX_REMEMBERED_TILES) return;
    const [oldest] = this.recent.keys();
    this.recent.delete(oldest!);
  }
}

/** The root over the leaves of `subtree`: its complete nodes, folded from the right. */
async function rangeRoot(host: Host, tiles: CheckedTiles, subtree: Subtree): Promise<Uint8Array> {
  const nodes = completeNodes(subtree);
  if (nodes.length === 0) return emptyRoot(host);
  const hashes = await Promise.all(nodes.map((node) => nodeFromTiles(host, tiles, node)));
  return hashes.reduceRight((right, left) => nodeHash(host, left, right));
}

/** A complete node out of the tile that holds the hashes at or next below its height. */
async function nodeFromTiles(
  host: Host,
  tiles: CheckedTiles,
  node: CompleteNode,
): Promise<Uint8Array> {
  const level = Math.floor(node.height / TILE_HEIGHT);
  const run = 2 ** (node.height % TILE_HEIGHT);
  const first = node.index * run;
  const tile = await tiles.get(level, Math.floor(first / TILE_WIDTH));
  return runRoot(host, tile, first % TILE_WIDTH, run);
}

function requireWithin(value: number, last: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && value <= last) return;
  throw new CodedError('bad-proof', `${value} is beyond the log of this checkpoint`);
}

function lying(path: string): CodedError {
  return new CodedError(
    'proof-invalid',
    `the log’s ${path} does not belong to the tree that was signed`,
    { path },
  );
}
