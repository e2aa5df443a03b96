/**
 * Reading tiles from a place that may have dropped what it may drop. A partial tile may be
 * deleted once its full tile exists (C2SP tlog-tiles, "Partial Tiles"), so whoever finds none
 * asks for the full one and takes the beginning of it. What is read here has the right shape
 * and is not yet known to be true: `tree.ts` and `tile-tree.ts` check it against a root.
 */
import { CodedError } from '../error.ts';
import { HASH_BYTES } from '../note/line.ts';
import {
  formatEntryBundle,
  formatTilePath,
  type HashTile,
  parseEntryBundle,
  parseHashTile,
  TILE_WIDTH,
  type Tile,
  type TilePath,
} from './tile.ts';

/** The bytes at a path below the log's prefix; undefined when nothing is there. */
export type ReadTile = (path: TilePath) => Promise<Uint8Array | undefined>;

/** The hashes of `tile`, 32 bytes each. Throws `not-found` or `bad-tile`. */
export async function readHashTile(read: ReadTile, tile: HashTile): Promise<Uint8Array> {
  const { bytes, width } = await readEither(read, tile);
  return parseHashTile(bytes, width).subarray(0, tile.width * HASH_BYTES);
}

/** The first `width` entries of bundle `index`. Throws `not-found` or `bad-tile`. */
export async function readEntries(
  read: ReadTile,
  index: number,
  width: number,
): Promise<Uint8Array[]> {
  const found = await readEither(read, { level: 'entries', index, width });
  return parseEntryBundle(found.bytes, found.width).slice(0, width);
}

/** As `readEntries`, still in one piece. */
export async function readBundleBytes(
  read: ReadTile,
  index: number,
  width: number,
): Promise<Uint8Array> {
  const found = await readEither(read, { level: 'entries', index, width });
  if (found.width === width) return found.bytes;
  return formatEntryBundle(parseEntryBundle(found.bytes, found.width).slice(0, width));
}

async function readEither(
  read: ReadTile,
  tile: Tile,
): Promise<{ bytes: Uint8Array; width: number }> {
  const path = formatTilePath(tile);
  const bytes = await read(path);
  if (bytes !== undefined) return { bytes, width: tile.width };
  const full =
    tile.width < TILE_WIDTH && (await read(formatTilePath({ ...tile, width: TILE_WIDTH })));
  if (full) return { bytes: full, width: TILE_WIDTH };
  throw new CodedError('not-found', `the log’s ${path} is missing, and so is the full tile`, {
    path,
  });
}
