/** Tiles and bundles that were read, kept in memory: full ones never change. */
import { parseTilePath, TILE_WIDTH, type TilePath } from '../core/log/tile.ts';
import type { ReadTile } from '../core/log/tile-reader.ts';

/** Keeps files up to `maxBytes` of them; the least recently used goes first. */
export class ByteCache {
  readonly #kept = new Map<TilePath, Uint8Array>();
  readonly #maxBytes: number;
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(path: TilePath): Uint8Array | undefined {
    const known = this.#kept.get(path);
    if (known !== undefined) {
      this.#kept.delete(path);
      this.#kept.set(path, known);
    }
    return known;
  }

  keep(path: TilePath, bytes: Uint8Array): void {
    if (this.#kept.has(path)) return;
    this.#kept.set(path, bytes);
    this.#total += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#total <= this.#maxBytes) break;
      this.#kept.delete(oldest);
      this.#total -= length;
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#total = 0;
  }
}

/** Keeps full tiles, which never change. */
export function cachedTiles(read: ReadTile, files: ByteCache): ReadTile {
  return async (path) => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const bytes = await read(path);
    if (bytes !== undefined && parseTilePath(path).width === TILE_WIDTH) files.keep(path, bytes);
    return bytes;
  };
}
