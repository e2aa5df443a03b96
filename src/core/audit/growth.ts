/**
 * The tree, hashed again from its entries. Bundle after bundle goes in; what comes out is the
 * root that the checkpoint must have, and the hash tiles above level 0 that the log must
 * serve: proofs are made of those, so a tile that is wrong is found even where the root is
 * right. Memory: one tile a level.
 */
import { concat } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import type { TreeHead } from '../log/checkpoint.ts';
import { CompactRange } from '../log/compact-range.ts';
import { runRoot } from '../log/merkle.ts';
import { type HashTile, hashInTile, TILE_WIDTH } from '../log/tile.ts';
import type { TreeEdge } from '../log/tree.ts';
import { HASH_BYTES } from '../note/line.ts';
import type { HashedEntries } from './hashed-bundle.ts';

/** A hash tile and what it must hold. */
export interface DueTile {
  readonly tile: HashTile;
  readonly bytes: Uint8Array;
}

/** A tree that grows by bundles, from where an audit before it ended. */
export class GrowingTree {
  readonly #host: Host;
  readonly #range: CompactRange;
  readonly #levels: UpperLevel[];

  constructor(host: Host, edge: TreeEdge) {
    this.#host = host;
    this.#range = CompactRange.parse(host, edge.size, concat(...edge.nodes));
    this.#levels = edge.tiles.slice(1).map((tile, i) => new UpperLevel(i + 1, edge.size, tile));
  }

  get head(): TreeHead {
    return { size: this.#range.size, root: this.#range.root };
  }

  /** Appends what is new in bundle `index`; returns the upper tiles that are full by it. */
  append(index: number, { leaves, root }: HashedEntries): DueTile[] {
    const first = this.#range.size - index * TILE_WIDTH;
    if (first < 0 || first >= TILE_WIDTH) {
      throw new CodedError('internal', `bundle ${index} does not follow on ${this.#range.size}`);
    }
    if (first === 0 && root !== undefined) {
      this.#range.appendSubtree(root, TILE_WIDTH);
    } else {
      for (let slot = first; slot * HASH_BYTES < leaves.length; slot++) {
        this.#range.append(hashInTile(leaves, slot).slice());
      }
    }
    return root === undefined ? [] : this.#push(1, root);
  }

  /** The partial upper tiles of the tree as it is now. */
  partialTiles(): DueTile[] {
    return this.#levels.flatMap((level) => level.partial());
  }

  #push(level: number, hash: Uint8Array): DueTile[] {
    const upper = this.#level(level);
    const full = upper.push(hash);
    if (full === undefined) return [];
    return [full, ...this.#push(level + 1, runRoot(this.#host, full.bytes, 0, TILE_WIDTH))];
  }

  #level(level: number): UpperLevel {
    const known = this.#levels[level - 1];
    if (known !== undefined) return known;
    const begun = new UpperLevel(level, 0, new Uint8Array(0));
    this.#levels.push(begun);
    return begun;
  }
}

/** The last tile of a level above the leaves. */
class UpperLevel {
  readonly #level: number;
  #index: number;
  #hashes: Uint8Array[];

  constructor(level: number, size: number, partial: Uint8Array) {
    this.#level = level;
    this.#index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = partial.length / HASH_BYTES;
    this.#hashes = Array.from({ length: width }, (_, slot) => hashInTile(partial, slot));
  }

  /** The tile, once this hash has made it full. */
  push(hash: Uint8Array): DueTile | undefined {
    this.#hashes.push(hash);
    if (this.#hashes.length < TILE_WIDTH) return undefined;
    const full = this.#tile();
    this.#index++;
    this.#hashes = [];
    return full;
  }

  partial(): DueTile[] {
    return this.#hashes.length === 0 ? [] : [this.#tile()];
  }

  #tile(): DueTile {
    const tile = { level: this.#level, index: this.#index, width: this.#hashes.length };
    return { tile, bytes: concat(...this.#hashes) };
  }
}
