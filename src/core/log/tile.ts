/**
 * Tiles (C2SP tlog-tiles): the tree and its entries as static files, 256 to a file.
 *
 *     tile/<L>/<N>[.p/<W>]        hash tile: W hashes of 32 bytes (256 when it is full)
 *     tile/entries/<N>[.p/<W>]    entry bundle: W times uint16 length (big-endian) ‖ entry
 *
 * Hash i of tile N at level L is the root over the 256^L leaves from (N × 256 + i) × 256^L.
 * N is written in groups of three digits, all but the last behind an `x`:
 *
 *     tile/3/x001/x234/067        level 3, tile 1,234,067: all its 256 hashes
 *     tile/0/273.p/112            level 0, tile 273, its first 112 hashes
 *
 * A tree of 70,000 entries: 273 full tiles at level 0 and tile/0/273.p/112; one full tile at
 * level 1 and tile/1/001.p/17; tile/2/000.p/1. A tree of 256: tile/0/000 and tile/1/000.p/1.
 * An empty tile does not exist.
 */
import { CodedError } from '../error.ts';
import { HASH_BYTES, parseDecimal } from '../note/line.ts';

declare const brand: unique symbol;

/** A path below a log's prefix, beginning with `tile/`. Made by `formatTilePath`. */
export type TilePath = string & { readonly [brand]: 'TilePath' };

/** Hashes of a full tile, entries of a full bundle. */
export const TILE_WIDTH = 256;
/** Tree levels between a tile and the tile above it. */
export const TILE_HEIGHT = 8;
/** The highest level that a path may name. */
export const MAX_TILE_LEVEL = 63;
/** The length of an entry is a uint16. */
export const MAX_ENTRY_BYTES = 65_535;
/** A full bundle of the longest entries. */
export const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES);

/** One file: a hash tile at a level, or a bundle of entries. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 255 for a partial tile, 256 for a full one. */
  readonly width: number;
}

/** A tile of hashes. */
export interface HashTile extends Tile {
  readonly level: number;
}

/** One file and its content. */
export interface TileFile {
  readonly path: TilePath;
  readonly bytes: Uint8Array;
}

const PATH =
  /^tile\/(?<level>entries|[0-9]{1,2})\/(?<index>(?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/(?<width>[0-9]{1,3}))?$/;

/** The path of a tile. Throws `bad-tile` for what `parseTilePath` would not read. */
export function formatTilePath(tile: Tile): TilePath {
  requireTile(tile);
  const suffix = tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`;
  return `tile/${tile.level}/${formatIndex(tile.index)}${suffix}` as TilePath;
}

/** Parses a path below the log's prefix. Throws `bad-tile`. */
export function parseTilePath(path: string): Tile {
  const parts = PATH.exec(path)?.groups;
  if (parts === undefined) throw notAPath();
  const digits = parts.index!.replaceAll(/[x/]/g, '').replace(/^0+(?=[0-9])/, '');
  const tile: Tile = {
    level:
      parts.level === 'entries' ? 'entries' : parseDecimal(parts.level!, 'bad-tile', 'the level'),
    index: parseDecimal(digits, 'bad-tile', 'the index of the tile'),
    width:
      parts.width === undefined ? TILE_WIDTH : parseDecimal(parts.width, 'bad-tile', 'the width'),
  };
  requireTile(tile);
  // One tile, one path: no leading group of zeros, no full tile written as a partial one.
  if (formatTilePath(tile) !== path) throw notAPath();
  return tile;
}

/** The hashes that a tree of `size` has at `level`: ⌊size / 256^level⌋. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The width in a tree of `size` of tile `index` at `level`: 0 when it is not there yet. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const hashes = hashesAt(level === 'entries' ? 0 : level, size);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** The partial hash tiles of a tree of `size`, lowest level first: its right edge. */
export function partialTiles(size: number): HashTile[] {
  const tiles: HashTile[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const hashes = hashesAt(level, size);
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: (hashes - width) / TILE_WIDTH, width });
  }
  return tiles;
}

/**
 * The files that must be written when a tree grows from `oldSize` to `newSize`, and no
 * others: every tile that became full and every partial tile that changed. Bundles first,
 * then hash tiles by level.
 */
export function tilesBetween(oldSize: number, newSize: number): Tile[] {
  const tiles: Tile[] = [];
  for (const { index, width } of changedTiles(0, oldSize, newSize)) {
    tiles.push({ level: 'entries', index, width });
  }
  for (let level = 0; hashesAt(level, newSize) > 0; level++) {
    tiles.push(...changedTiles(level, oldSize, newSize));
  }
  return tiles;
}

/** The bytes of a bundle of 1 to 256 entries. Throws `too-large` or `bad-tile`. */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  requireWidth(entries.length);
  let length = 0;
  for (const entry of entries) length += 2 + requireEntry(entry).length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const entry of entries) {
    bytes[offset] = entry.length >> 8;
    bytes[offset + 1] = entry.length;
    bytes.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bytes;
}

/** The `width` entries of a bundle, as views of `bytes`. Throws `bad-tile`. */
export function parseEntryBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  requireWidth(width);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length && entries.length < width) {
    if (offset + 2 > bytes.length)
      throw new CodedError('bad-tile', 'the entry bundle is cut short');
    const end = offset + 2 + bytes[offset]! * 256 + bytes[offset + 1]!;
    if (end > bytes.length) throw new CodedError('bad-tile', 'the entry bundle is cut short');
    entries.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  if (entries.length !== width || offset !== bytes.length) {
    throw new CodedError('bad-tile', `the entry bundle does not hold exactly ${width} entries`);
  }
  return entries;
}

/** `entry`, when it can stand in a log. Throws `too-large`. */
export function requireEntry(entry: Uint8Array): Uint8Array {
  if (entry.length > MAX_ENTRY_BYTES) {
    throw new CodedError(
      'too-large',
      `a log entry may have ${MAX_ENTRY_BYTES} bytes, not ${entry.length}`,
    );
  }
  return entry;
}

/** The bytes of a hash tile of `width`, when they have its length. Throws `bad-tile`. */
export function parseHashTile(bytes: Uint8Array, width: number): Uint8Array {
  requireWidth(width);
  if (bytes.length !== width * HASH_BYTES) {
    throw new CodedError(
      'bad-tile',
      `a hash tile of width ${width} has ${width * HASH_BYTES} bytes, not ${bytes.length}`,
    );
  }
  return bytes;
}

/** Hash `slot` of a hash tile, as a view of it. */
export function hashInTile(tile: Uint8Array, slot: number): Uint8Array {
  return tile.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES);
}

function changedTiles(level: number, oldSize: number, newSize: number): HashTile[] {
  const before = hashesAt(level, oldSize);
  const after = hashesAt(level, newSize);
  const tiles: HashTile[] = [];
  if (before >= after) return tiles;
  for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index++) {
    tiles.push({ level, index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) });
  }
  return tiles;
}

function formatIndex(index: number): string {
  let text = group(index % 1000);
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    text = `x${group(rest % 1000)}/${text}`;
  }
  return text;
}

function group(value: number): string {
  return String(value).padStart(3, '0');
}

function requireTile(tile: Tile): void {
  const { level, index, width } = tile;
  const isLevel =
    level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= MAX_TILE_LEVEL);
  if (!isLevel || !Number.isSafeInteger(index) || index < 0) throw notAPath();
  requireWidth(width);
}

function requireWidth(width: number): void {
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new CodedError(
      'bad-tile',
      `a tile has 1 to ${TILE_WIDTH} hashes or entries, not ${width}`,
    );
  }
}

function notAPath(): CodedError {
  return new CodedError('bad-tile', 'that is not the path of a tile or an entry bundle');
}
