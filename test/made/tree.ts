/**
 * A Merkle tree that remembers its nodes: a registry of thousands of entries shows proofs of
 * each release, and hashing all of them for each proof takes minutes.
 */
import { emptyRoot, nodeHash } from '../../src/core/log/merkle.ts';
import { nodeHost } from '../../src/hashing/host.ts';

export class MadeTree {
  /** Level by level, the roots of complete subtrees of 1, 2, 4 … leaves. */
  readonly #levels: Uint8Array[][];

  constructor(leaves: readonly Uint8Array[]) {
    this.#levels = [[...leaves]];
    for (let level = this.#levels[0]!; level.length > 1; ) {
      const pairs = Math.floor(level.length / 2);
      const below = level;
      level = Array.from({ length: pairs }, (_, i) =>
        nodeHash(nodeHost, below[2 * i]!, below[2 * i + 1]!),
      );
      this.#levels.push(level);
    }
  }

  get size(): number {
    return this.#levels[0]!.length;
  }

  get root(): Uint8Array {
    return this.size === 0 ? emptyRoot(nodeHost) : this.#hash(0, this.size);
  }

  isOf(leaves: readonly Uint8Array[]): boolean {
    const [own] = this.#levels;
    return own!.length === leaves.length && leaves.every((leaf, i) => leaf === own![i]);
  }

  /** RFC 6962, section 2.1.1. */
  prove(index: number): Uint8Array[] {
    const path: Uint8Array[] = [];
    let [from, to] = [0, this.size];
    while (to - from > 1) {
      const middle = from + split(to - from);
      if (index < middle) {
        path.push(this.#hash(middle, to));
        to = middle;
      } else {
        path.push(this.#hash(from, middle));
        from = middle;
      }
    }
    return path.reverse();
  }

  #hash(from: number, to: number): Uint8Array {
    const level = Math.log2(to - from);
    if (Number.isInteger(level) && from % (to - from) === 0) {
      return this.#levels[level]![from / (to - from)]!;
    }
    const middle = from + split(to - from);
    return nodeHash(nodeHost, this.#hash(from, middle), this.#hash(middle, to));
  }
}

/** The largest power of two that is smaller than `size`. */
function split(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}
