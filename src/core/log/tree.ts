/**
 * The right edge of a growing tree: all that is needed to append to a log of any size.
 *
 * An edge holds, for each level, the hashes of the last tile while it is partial; the entries
 * of the last partial bundle; and the *nodes*, the roots of the complete subtrees that the
 * tree consists of, largest first. A tree of 7 entries:
 *
 *     nodes:    [0,4)  [4,6)  6           folded from the right they give the root
 *     tiles[0]: 0 1 2 3 4 5 6             leaf hashes, on their way to being tile/0/000
 *
 * Appending a leaf merges nodes of equal height as a binary counter carries; each time a node
 * of height 8, 16, … is made, the tile below has become full and that node is the next hash
 * of the tile above. So an entry costs one leaf hash and, on average, one node hash.
 *
 * Edges are values: `grow` makes a new one and the files to write, and leaves the old one as
 * it was, so that a commit that fails is forgotten by forgetting what `grow` made. Before a
 * grown tree is signed, `recompute.ts` derives its root a second time from those files.
 */
import { equal } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { HASH_BYTES } from '../note/line.ts';
import type { TreeHead } from './checkpoint.ts';
import { emptyRoot, leafHash, nodeHash, runRoot } from './merkle.ts';
import { completeNodes } from './subtree.ts';
import {
  formatEntryBundle,
  formatTilePath,
  hashInTile,
  partialTiles,
  requireEntry,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TileFile,
} from './tile.ts';
import { type ReadTile, readEntries, readHashTile } from './tile-reader.ts';

/** The right edge of a tree. Immutable; made by `emptyEdge`, `loadEdge` and `grow`. */
export interface TreeEdge extends TreeHead {
  /** By level: the hashes of the partial tile, 32 bytes each; empty where there is none. */
  readonly tiles: readonly Uint8Array[];
  /** The entries of the partial bundle: as many as the hashes in `tiles[0]`. */
  readonly entries: readonly Uint8Array[];
  /** Roots of the complete subtrees, largest first. */
  readonly nodes: readonly Uint8Array[];
}

/** What appending made. */
export interface Growth {
  readonly edge: TreeEdge;
  /** Every file that has to be written, none that has not changed, as `tilesBetween` lists them. */
  readonly files: readonly TileFile[];
  /** Leaf hashes of the new entries, in order. */
  readonly leafHashes: readonly Uint8Array[];
}

/** The edge of a log without entries. */
export function emptyEdge(host: Host): TreeEdge {
  return { size: 0, root: emptyRoot(host), tiles: [], entries: [], nodes: [] };
}

/**
 * Reads the edge of the tree `head` back from its tiles. Throws `not-found` or `bad-tile` for
 * a missing or misshapen file, and `proof-invalid` when the files are not those of the tree
 * that was signed: nothing may then be appended.
 */
export async function loadEdge(host: Host, head: TreeHead, read: ReadTile): Promise<TreeEdge> {
  const partial = partialTiles(head.size);
  const [hashes, bundle] = await Promise.all([
    Promise.all(partial.map((tile) => readHashTile(read, tile))),
    readPartialBundle(head, read),
  ]);
  const tiles: Uint8Array[] = [];
  for (const [i, { level }] of partial.entries()) {
    while (tiles.length < level) tiles.push(new Uint8Array(0));
    tiles.push(hashes[i]!);
  }
  const entries = checkEntries(host, head, tiles, bundle);
  const nodes = nodesOfTiles(host, head.size, tiles);
  const root = foldNodes(host, nodes);
  if (!equal(root, head.root)) {
    throw new CodedError(
      'proof-invalid',
      `the hash tiles do not have the root of the checkpoint of size ${head.size}; restore them`,
      { size: head.size, expected: head.root, computed: root },
    );
  }
  return { size: head.size, root, tiles, entries, nodes };
}

/** Appends `entries` to the tree. Throws `too-large` for an entry that no bundle can hold. */
export function grow(host: Host, edge: TreeEdge, entries: readonly Uint8Array[]): Growth {
  for (const entry of entries) requireEntry(entry);
  const draft = new Draft(host, edge);
  const leafHashes = entries.map((entry) => draft.append(entry));
  return { edge: draft.edge(), files: draft.files(), leafHashes };
}

/** A tree while it grows. */
class Draft {
  private readonly host: Host;
  private readonly bundles: BundleWriter;
  private readonly levels: TileWriter[];
  private readonly nodes: Uint8Array[];
  private size: number;

  constructor(host: Host, edge: TreeEdge) {
    this.host = host;
    this.size = edge.size;
    this.bundles = new BundleWriter(edge);
    this.levels = edge.tiles.map((tile, level) => new TileWriter(level, edge.size, tile));
    this.nodes = [...edge.nodes];
  }

  /** Appends one entry and returns its leaf hash. */
  append(entry: Uint8Array): Uint8Array {
    const leaf = leafHash(this.host, entry);
    this.bundles.push(entry);
    this.level(0).push(leaf);
    this.merge(leaf);
    return leaf;
  }

  edge(): TreeEdge {
    return {
      size: this.size,
      root: foldNodes(this.host, this.nodes),
      tiles: this.levels.map((level) => level.partial()),
      entries: this.bundles.partial(),
      nodes: this.nodes,
    };
  }

  files(): TileFile[] {
    return [this.bundles, ...this.levels].flatMap((writer) => writer.files());
  }

  /** Carries like a binary counter: the trailing ones of the size are the nodes to merge. */
  private merge(leaf: Uint8Array): void {
    let node = leaf;
    let height = 0;
    for (let rest = this.size; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = nodeHash(this.host, this.nodes.pop()!, node);
      height++;
      if (height % TILE_HEIGHT === 0) this.level(height / TILE_HEIGHT).push(node);
    }
    this.nodes.push(node);
    this.size++;
  }

  private level(level: number): TileWriter {
    const known = this.levels[level];
    if (known !== undefined) return known;
    // A level begins when the tree first has a hash for it; there is nothing to its left.
    const begun = new TileWriter(level, 0, new Uint8Array(0));
    this.levels.push(begun);
    return begun;
  }
}

/** Fills the tiles of one level from left to right. */
class TileWriter {
  private readonly level: number;
  private readonly full: TileFile[] = [];
  private index: number;
  private width: number;
  private hashes = new Uint8Array(TILE_WIDTH * HASH_BYTES);
  private changed = false;

  constructor(level: number, size: number, partial: Uint8Array) {
    this.level = level;
    this.index = Math.floor(size / TILE_WIDTH ** (level + 1));
    this.width = partial.length / HASH_BYTES;
    this.hashes.set(partial);
  }

  push(hash: Uint8Array): void {
    this.hashes.set(hash, this.width * HASH_BYTES);
    this.width++;
    this.changed = true;
    if (this.width < TILE_WIDTH) return;
    this.full.push({ path: this.path(), bytes: this.hashes });
    this.hashes = new Uint8Array(TILE_WIDTH * HASH_BYTES);
    this.index++;
    this.width = 0;
    this.changed = false;
  }

  partial(): Uint8Array {
    return this.hashes.slice(0, this.width * HASH_BYTES);
  }

  files(): TileFile[] {
    if (!this.changed) return this.full;
    return [...this.full, { path: this.path(), bytes: this.partial() }];
  }

  private path() {
    return formatTilePath({ level: this.level, index: this.index, width: this.width });
  }
}

/** Fills the entry bundles from left to right. */
class BundleWriter {
  private readonly full: TileFile[] = [];
  private readonly kept: number;
  private entries: Uint8Array[];
  private index: number;

  constructor(edge: TreeEdge) {
    this.index = Math.floor(edge.size / TILE_WIDTH);
    this.entries = [...edge.entries];
    this.kept = edge.size;
  }

  push(entry: Uint8Array): void {
    this.entries.push(entry);
    if (this.entries.length < TILE_WIDTH) return;
    this.full.push(this.file());
    this.index++;
    this.entries = [];
  }

  partial(): readonly Uint8Array[] {
    return this.entries;
  }

  files(): TileFile[] {
    const size = this.index * TILE_WIDTH + this.entries.length;
    const changed = this.entries.length > 0 && size > this.kept;
    return changed ? [...this.full, this.file()] : this.full;
  }

  private file(): TileFile {
    const path = formatTilePath({
      level: 'entries',
      index: this.index,
      width: this.entries.length,
    });
    return { path, bytes: formatEntryBundle(this.entries) };
  }
}

async function readPartialBundle({ size }: TreeHead, read: ReadTile): Promise<Uint8Array[]> {
  const width = size % TILE_WIDTH;
  return width === 0 ? [] : readEntries(read, (size - width) / TILE_WIDTH, width);
}

function checkEntries(
  host: Host,
  { size }: TreeHead,
  tiles: readonly Uint8Array[],
  entries: readonly Uint8Array[],
): readonly Uint8Array[] {
  for (const [slot, entry] of entries.entries()) {
    if (equal(leafHash(host, entry), hashInTile(tiles[0]!, slot))) continue;
    const at = size - entries.length + slot;
    throw new CodedError(
      'proof-invalid',
      `entry ${at} in the last bundle is not the one that its hash tile names; restore it`,
      { index: at },
    );
  }
  return entries;
}

/** The complete subtrees of the tree, largest first, from the hashes of its partial tiles. */
function nodesOfTiles(host: Host, size: number, tiles: readonly Uint8Array[]): Uint8Array[] {
  return completeNodes({ start: 0, end: size }).map(({ height, index }) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const hashes = 2 ** (height % TILE_HEIGHT);
    const first = (index * hashes) % TILE_WIDTH;
    return runRoot(host, tiles[level]!, first, hashes);
  });
}

/** The root of the tree whose complete subtrees are `nodes`, largest first. */
function foldNodes(host: Host, nodes: readonly Uint8Array[]): Uint8Array {
  if (nodes.length === 0) return emptyRoot(host);
  return nodes.reduceRight((right, left) => nodeHash(host, left, right));
}
