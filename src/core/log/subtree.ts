/**
 * Which subtrees make up a root or a proof (RFC 6962, section 2.1): arithmetic only, no
 * hashing. A subtree is the half-open range of leaves [start, end) that it covers.
 *
 *     inclusionSubtrees(4, 7)    → [5,6) [6,7) [0,4)       from the leaf up
 *     consistencySubtrees(4, 7)  → [4,7)
 *     completeNodes([4,7))       → height 1 index 2 (leaves 4, 5), height 0 index 6
 */
import { CodedError } from '../error.ts';

/** The leaves from `start` up to, not including, `end`. */
export interface Subtree {
  readonly start: number;
  readonly end: number;
}

/** A complete subtree: the leaves [index × 2^height, (index + 1) × 2^height). */
export interface CompleteNode {
  readonly height: number;
  readonly index: number;
}

/** The largest power of two below `size`, which is at least 2. */
export function splitPoint(size: number): number {
  // Math.log2 rounds near powers of two; this is exact for every safe integer.
  let power = 2 ** Math.floor(Math.log2(size));
  while (power >= size) power /= 2;
  while (power * 2 < size) power *= 2;
  return power;
}

/** The subtrees whose roots are the inclusion proof PATH(index, D[size]), leaf to root. */
export function inclusionSubtrees(index: number, size: number): Subtree[] {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) {
    throw new CodedError('bad-proof', `entry ${index} is not in a log of size ${size}`);
  }
  const path: Subtree[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  return path.reverse();
}

/**
 * The subtrees whose roots are the consistency proof PROOF(oldSize, D[newSize]). Empty when
 * one of the trees is empty or both are the same: there is nothing to prove.
 */
export function consistencySubtrees(oldSize: number, newSize: number): Subtree[] {
  if (!(Number.isSafeInteger(oldSize) && oldSize >= 0 && oldSize <= newSize)) {
    throw new CodedError('bad-proof', `a log of size ${newSize} never had the size ${oldSize}`);
  }
  if (oldSize === 0) return [];
  const path: Subtree[] = [];
  let [start, end] = [0, newSize];
  while (oldSize < end) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  // SUBPROOF(m, D[m], true): a subtree that begins the old tree is known to whoever asks.
  if (start > 0) path.push({ start, end });
  return path.reverse();
}

/**
 * The complete nodes that cover `subtree`, left to right, in falling height. The root of the
 * subtree is the fold of their hashes from the right. `start` must be a multiple of the
 * largest power of two in the range, as it is for every subtree of a root or a proof.
 */
export function completeNodes(subtree: Subtree): CompleteNode[] {
  const nodes: CompleteNode[] = [];
  let { start } = subtree;
  while (start < subtree.end) {
    let [height, width] = [0, 1];
    while (start + 2 * width <= subtree.end) {
      height++;
      width *= 2;
    }
    nodes.push({ height, index: start / width });
    start += width;
  }
  return nodes;
}
