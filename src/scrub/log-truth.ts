/**
 * What the log says for certain, out of files of which some may be damaged. The signed root
 * tells good from bad: a full tile must have the root that stands in its slot of the tile
 * above, the partial tiles must make the signed root together, and an entry must hash to its
 * slot. A hash tile that is missing or wrong is made again out of what lies below it; and
 * where other copies of the log can be read, their files are tried like our own.
 */
import { equal } from '../core/bytes.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { TreeHead } from '../core/log/checkpoint.ts';
import { type Entry, parseEntry } from '../core/log/entry.ts';
import { emptyRoot, leafHash, nodeHash, runRoot } from '../core/log/merkle.ts';
import {
  formatTilePath,
  type HashTile,
  hashInTile,
  partialTiles,
  TILE_WIDTH,
  type Tile,
  tileWidth,
} from '../core/log/tile.ts';
import { type ReadTile, readEntries, readHashTile } from '../core/log/tile-reader.ts';
import { HASH_BYTES } from '../core/note/line.ts';
import { keys } from '../store/keys.ts';

/** Tiles and bundles that are remembered: 8 MiB of hashes, and a few bundles. */
const MAX_TILES = 1_024;
const MAX_BUNDLES = 4;

export class LogTruth {
  readonly head: TreeHead;
  readonly #host: Host;
  readonly #reads: readonly ReadTile[];
  readonly #tiles = new Map<string, Promise<Uint8Array>>();
  readonly #bundles = new Map<string, Promise<readonly Uint8Array[]>>();
  #edge: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

  /** `reads` are the copies of the log, one's own first. `head` is signed. */
  constructor(host: Host, head: TreeHead, reads: readonly ReadTile[]) {
    this.#host = host;
    this.head = head;
    this.#reads = reads;
  }

  /** The hashes of tile `index` at `level`. Throws `damaged` where nothing tells what they were. */
  hashes(level: number, index: number): Promise<Uint8Array> {
    const tile = { level, index, width: tileWidth(level, index, this.head.size) };
    const path = formatTilePath(tile);
    return remembered(this.#tiles, path, MAX_TILES, () =>
      tile.width < TILE_WIDTH ? this.#fromEdge(path) : this.#full(tile),
    );
  }

  /** The entries of bundle `index`. Throws `damaged` where no copy has them. */
  entries(index: number): Promise<readonly Uint8Array[]> {
    const width = tileWidth('entries', index, this.head.size);
    return remembered(this.#bundles, String(index), MAX_BUNDLES, async () => {
      const leaves = await this.hashes(0, index);
      for (const read of this.#reads) {
        const entries = await ifReadable(() => readEntries(read, index, width));
        if (entries !== undefined && equal(this.#leavesOf(entries), leaves)) return entries;
      }
      throw lost({ level: 'entries', index, width });
    });
  }

  /** Entry `index`, where it is of a kind that we know. Throws `damaged`, and `bad-proof` beyond the log. */
  async entry(index: number): Promise<Entry | undefined> {
    if (index >= this.head.size) {
      throw new CodedError('bad-proof', `the log has ${this.head.size} entries, not ${index + 1}`);
    }
    const entries = await this.entries(Math.floor(index / TILE_WIDTH));
    const parsed = parseEntry(entries[index % TILE_WIDTH]!);
    return parsed.known ? parsed.entry : undefined;
  }

  async #full(tile: HashTile): Promise<Uint8Array> {
    const above = await this.hashes(tile.level + 1, Math.floor(tile.index / TILE_WIDTH));
    const wanted = hashInTile(above, tile.index % TILE_WIDTH);
    for await (const hashes of this.#candidates(tile)) {
      if (equal(runRoot(this.#host, hashes, 0, TILE_WIDTH), wanted)) return hashes;
    }
    throw lost(tile);
  }

  async #fromEdge(path: string): Promise<Uint8Array> {
    this.#edge ??= this.#findEdge();
    this.#edge.catch(() => {
      this.#edge = undefined;
    });
    return (await this.#edge).get(path)!;
  }

  /** The partial tiles: nothing stands above them, so they are only good together. */
  async #findEdge(): Promise<ReadonlyMap<string, Uint8Array>> {
    const tiles = partialTiles(this.head.size);
    const stored = await Promise.all(tiles.map((tile) => this.#firstStored(tile)));
    if (this.#isEdge(tiles, stored)) return named(tiles, stored as Uint8Array[]);
    const options: Uint8Array[][] = [];
    for (const tile of tiles) {
      const found: Uint8Array[] = [];
      for await (const hashes of this.#candidates(tile)) {
        if (!found.some((known) => equal(known, hashes))) found.push(hashes);
      }
      if (found.length === 0) throw lost(tile);
      options.push(found);
    }
    for (const chosen of combinations(options)) {
      if (this.#isEdge(tiles, chosen)) return named(tiles, chosen);
    }
    throw lost(tiles[0]!);
  }

  #isEdge(tiles: readonly HashTile[], hashes: readonly (Uint8Array | undefined)[]): boolean {
    let root: Uint8Array | undefined;
    for (const [i, { width }] of tiles.entries()) {
      const tile = hashes[i];
      if (tile === undefined) return false;
      for (let end = width; end > 0; ) {
        const run = end & -end;
        end -= run;
        const left = runRoot(this.#host, tile, end, run);
        root = root === undefined ? left : nodeHash(this.#host, left, root);
      }
    }
    return equal(root ?? emptyRoot(this.#host), this.head.root);
  }

  async #firstStored(tile: HashTile): Promise<Uint8Array | undefined> {
    return ifReadable(() => readHashTile(this.#reads[0]!, tile));
  }

  /** What the hashes of a tile may have been: what is stored, then what lies below makes of them. */
  async *#candidates(tile: HashTile): AsyncGenerator<Uint8Array> {
    for (const read of this.#reads) {
      const hashes = await ifReadable(() => readHashTile(read, tile));
      if (hashes !== undefined) yield hashes;
    }
    for (const isDeep of tile.level === 0 ? [false] : [false, true]) {
      for (const read of this.#reads) {
        const hashes = await this.#recompute(read, tile, isDeep);
        if (hashes !== undefined) yield hashes;
      }
    }
  }

  /** `isDeep`: the tiles below are made again as well, out of the entries at the bottom. */
  async #recompute(
    read: ReadTile,
    { level, index, width }: HashTile,
    isDeep: boolean,
  ): Promise<Uint8Array | undefined> {
    if (level === 0) {
      const entries = await ifReadable(() => readEntries(read, index, width));
      return entries && this.#leavesOf(entries);
    }
    const hashes = new Uint8Array(width * HASH_BYTES);
    for (let slot = 0; slot < width; slot++) {
      const child = { level: level - 1, index: index * TILE_WIDTH + slot, width: TILE_WIDTH };
      const below = isDeep
        ? await this.#recompute(read, child, isDeep)
        : await ifReadable(() => readHashTile(read, child));
      if (below === undefined) return undefined;
      hashes.set(runRoot(this.#host, below, 0, TILE_WIDTH), slot * HASH_BYTES);
    }
    return hashes;
  }

  #leavesOf(entries: readonly Uint8Array[]): Uint8Array {
    const leaves = new Uint8Array(entries.length * HASH_BYTES);
    for (const [slot, entry] of entries.entries()) {
      leaves.set(leafHash(this.#host, entry), slot * HASH_BYTES);
    }
    return leaves;
  }
}

/** What reading gives, or undefined for a file that is missing or misshapen. */
async function ifReadable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const isDamage = isCoded(error) && ['not-found', 'bad-tile', 'too-large'].includes(error.code);
    if (isDamage) return undefined;
    throw error;
  }
}

/** Keeps what was made, the oldest going first; what failed is asked for again. */
function remembered<T>(
  kept: Map<string, Promise<T>>,
  name: string,
  max: number,
  make: () => Promise<T>,
): Promise<T> {
  const known = kept.get(name);
  if (known !== undefined) return known;
  const made = make();
  kept.set(name, made);
  made.catch(() => kept.delete(name));
  if (kept.size > max) kept.delete(kept.keys().next().value!);
  return made;
}

function* combinations(options: readonly Uint8Array[][]): Generator<Uint8Array[]> {
  const [first, ...rest] = options;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const others of combinations(rest)) {
    for (const option of first) yield [option, ...others];
  }
}

function named(tiles: readonly HashTile[], hashes: readonly Uint8Array[]) {
  return new Map(tiles.map((tile, i) => [formatTilePath(tile) as string, hashes[i]!]));
}

function lost(tile: Tile): CodedError {
  const object = keys.tile(formatTilePath(tile));
  return new CodedError('damaged', `${object} is damaged, and so is what tells what it was`, {
    object,
  });
}
