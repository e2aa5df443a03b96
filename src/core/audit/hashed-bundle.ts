/** The hashing of one entry bundle: the bulk of an audit's work, and all that its threads do of it. */
import type { Host } from '../host.ts';
import { leafHash, runRoot } from '../log/merkle.ts';
import { parseEntryBundle, TILE_WIDTH } from '../log/tile.ts';
import { HASH_BYTES } from '../note/line.ts';

export interface HashedEntries {
  /** Leaf hashes, 32 bytes each: what the level 0 tile must be. */
  readonly leaves: Uint8Array;
  /** The root over 256 of them; undefined while the bundle is partial. */
  readonly root: Uint8Array | undefined;
}

/** Hashes the `width` entries of a bundle. Throws `bad-tile` when it does not hold so many. */
export function hashBundle(
  host: Pick<Host, 'sha256'>,
  bundle: Uint8Array,
  width: number,
): HashedEntries {
  const entries = parseEntryBundle(bundle, width);
  const leaves = new Uint8Array(entries.length * HASH_BYTES);
  entries.forEach((entry, slot) => {
    leaves.set(leafHash(host, entry), slot * HASH_BYTES);
  });
  const isFull = entries.length === TILE_WIDTH;
  return { leaves, root: isFull ? runRoot(host, leaves, 0, TILE_WIDTH) : undefined };
}
