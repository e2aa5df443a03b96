/**
 * The roots that a log had at sizes of the near past, for an audit that replays it once and
 * learns only later which sizes it is asked for: decisions name the checkpoint that their signer
 * saw, and are read when their release is reached.
 *
 * Of each bundle are kept the leaf hashes, and the compact range in front of it (`compact-range.ts`),
 * whose nodes are shared with all the others. The hashes above the leaves are made when a bundle is
 * asked for the first time: 255 of them, and after that a root takes one hash a node, some ten at
 * a million entries. What is longer past than `KEPT_BUNDLES` is forgotten, so that memory stays
 * bounded, and must be read from the log's tiles.
 */
import { concat } from '../bytes.ts';
import type { Host } from '../host.ts';
import { CompactRange } from '../log/compact-range.ts';
import { nodeHash } from '../log/merkle.ts';
import { hashInTile, TILE_HEIGHT, TILE_WIDTH } from '../log/tile.ts';
import type { TreeEdge } from '../log/tree.ts';
import { HASH_BYTES } from '../note/line.ts';
import type { HashedEntries } from './hashed-bundle.ts';

/** Bundles that are remembered: 262,144 entries, in 8 MiB, or 16 MiB when all are asked for. */
export const KEPT_BUNDLES = 1_024;

interface KeptBundle {
  /** The tree in front of it. */
  readonly before: CompactRange;
  /** By height, the hashes of the complete subtrees in it; the leaves alone until it is asked. */
  readonly levels: Uint8Array[];
}

export class PastRoots {
  readonly #host: Host;
  readonly #range: CompactRange;
  readonly #bundles = new Map<number, KeptBundle>();

  constructor(host: Host, edge: TreeEdge) {
    this.#host = host;
    this.#range = CompactRange.parse(host, edge.size, concat(...edge.nodes));
  }

  /** Takes in what is new in bundle `index`; bundles come in order. */
  append(index: number, { leaves, root }: HashedEntries): void {
    const first = this.#range.size - index * TILE_WIDTH;
    if (first === 0) this.#keep(index, { before: this.#range.copy(), levels: [leaves] });
    if (first === 0 && root !== undefined) {
      this.#range.appendSubtree(root, TILE_WIDTH);
      return;
    }
    for (let slot = first; slot * HASH_BYTES < leaves.length; slot++) {
      this.#range.append(hashInTile(leaves, slot).slice());
    }
  }

  /** The root of the tree of `size`; undefined when that is too long past, or is not there yet. */
  at(size: number): Uint8Array | undefined {
    if (size > this.#range.size) return undefined;
    if (size === this.#range.size) return this.#range.root;
    const bundle = this.#bundles.get(Math.floor(size / TILE_WIDTH));
    if (bundle === undefined) return undefined;
    const range = bundle.before.copy();
    // The complete subtrees of what is in the bundle, largest first.
    let slot = 0;
    for (let height = TILE_HEIGHT - 1; height >= 0; height--) {
      const width = 2 ** height;
      if (((size % TILE_WIDTH) & width) === 0) continue;
      const hashes = this.#level(bundle, height);
      range.appendSubtree(hashInTile(hashes, slot / width), width);
      slot += width;
    }
    return range.root;
  }

  #keep(index: number, bundle: KeptBundle): void {
    this.#bundles.set(index, bundle);
    this.#bundles.delete(index - KEPT_BUNDLES);
  }

  #level({ levels }: KeptBundle, height: number): Uint8Array {
    while (levels.length <= height) levels.push(this.#above(levels.at(-1)!));
    return levels[height]!;
  }

  /** The hashes of pairs; one that stands alone has none yet. */
  #above(hashes: Uint8Array): Uint8Array {
    const pairs = Math.floor(hashes.length / HASH_BYTES / 2);
    const above = new Uint8Array(pairs * HASH_BYTES);
    for (let pair = 0; pair < pairs; pair++) {
      const [left, right] = [hashInTile(hashes, 2 * pair), hashInTile(hashes, 2 * pair + 1)];
      above.set(nodeHash(this.#host, left, right), pair * HASH_BYTES);
    }
    return above;
  }
}
