/** The files of one tile: the newest, which must be there, and what it was while it grew, where that is still kept. */
import { formatTilePath, TILE_WIDTH, type Tile } from '../../core/log/tile.ts';
import { keys, prefixes } from '../../store/keys.ts';
import type { Walk, WalkParts } from './step.ts';

export async function* tileFiles({ store, pace }: WalkParts, tile: Tile): Walk {
  const newest = keys.tile(formatTilePath(tile));
  yield { key: newest, due: { by: 'tree' } };
  const full = formatTilePath({ ...tile, width: TILE_WIDTH });
  await pace.request();
  for await (const key of store.list(prefixes.partialTiles(full))) {
    const width = Number(key.slice(key.lastIndexOf('/') + 1));
    // A wider one is of a commit that is not public yet.
    if (key === newest || !(width < tile.width)) continue;
    yield { key, due: { by: 'tree' }, optional: true };
  }
}
