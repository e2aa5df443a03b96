/**
 * The roots of the complete subtrees that a tree of a given size consists of: enough to go on
 * hashing it, and to tell its root, in 32 bytes a level. Whoever follows a log and keeps no
 * tiles, as the index and the auditor do, holds one of these. (`tree.ts` is for the log itself.)
 *
 *     size 7:   [0,4)  [4,6)  6        folded from the right they give the root
 */
import { concat } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { HASH_BYTES } from '../note/line.ts';
import type { TreeHead } from './checkpoint.ts';
import { emptyRoot, nodeHash } from './merkle.ts';
import { completeNodes } from './subtree.ts';

type Hasher = Pick<Host, 'sha256'>;

/** A tree from its first leaf on, growing to the right. */
export class CompactRange implements TreeHead {
  readonly #host: Hasher;
  readonly #nodes: Uint8Array[];
  #size: number;

  private constructor(host: Hasher, size: number, nodes: Uint8Array[]) {
    this.#host = host;
    this.#size = size;
    this.#nodes = nodes;
  }

  static empty(host: Hasher): CompactRange {
    return new CompactRange(host, 0, []);
  }

  /** A range as `format` wrote it. Throws `bad-document`. */
  static parse(host: Hasher, size: number, bytes: Uint8Array): CompactRange {
    const isSize = Number.isSafeInteger(size) && size >= 0;
    const nodes = isSize ? completeNodes({ start: 0, end: size }).length : 0;
    if (!isSize || bytes.length !== nodes * HASH_BYTES) {
      throw new CodedError('bad-document', 'the subtree roots do not fit the size of their tree');
    }
    const at = (slot: number) => bytes.slice(slot * HASH_BYTES, (slot + 1) * HASH_BYTES);
    return new CompactRange(
      host,
      size,
      Array.from({ length: nodes }, (_, slot) => at(slot)),
    );
  }

  get size(): number {
    return this.#size;
  }

  get root(): Uint8Array {
    if (this.#nodes.length === 0) return emptyRoot(this.#host);
    return this.#nodes.reduceRight((right, left) => nodeHash(this.#host, left, right));
  }

  /** The subtree roots one after another, largest first. */
  format(): Uint8Array {
    return concat(...this.#nodes);
  }

  copy(): CompactRange {
    return new CompactRange(this.#host, this.#size, [...this.#nodes]);
  }

  /** Appends one leaf hash. */
  append(leaf: Uint8Array): void {
    this.appendSubtree(leaf, 1);
  }

  /**
   * Appends the root of a complete subtree of `width` leaves, a power of two that divides the
   * size of the tree so far: only there does the tree have such a node.
   */
  appendSubtree(root: Uint8Array, width: number): void {
    if (this.#size % width !== 0) {
      throw new CodedError('internal', `no subtree of ${width} leaves begins at ${this.#size}`);
    }
    // A binary counter: each carry joins two subtrees of equal size.
    let node = root;
    for (let rest = this.#size / width; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = nodeHash(this.#host, this.#nodes.pop()!, node);
    }
    this.#nodes.push(node);
    this.#size += width;
  }
}
