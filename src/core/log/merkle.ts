/**
 * Merkle tree hashes and proofs (RFC 6962, section 2.1), over leaf hashes in memory or
 * received in a proof. Trees in tiles are `tree.ts` (growing) and `tile-tree.ts` (reading).
 *
 *     leaf hash = SHA-256(00 ‖ entry)          root of no entries = SHA-256("")
 *     node hash = SHA-256(01 ‖ left ‖ right)
 *
 * A tree of n > 1 leaves splits at the largest power of two below n:
 *
 *     n = 7           root
 *                   /      \
 *               [0,4)      [4,7)          inclusion of leaf 4:  5, [6,7), [0,4)
 *               /   \      /    \         consistency 4 → 7:    [4,7)
 *           [0,2) [2,4) [4,6)    6
 *
 * Sizes go up to 2^53 − 1, beyond what bit operators can do: they are divided, not shifted.
 */
import { equal } from '../bytes.ts';
import type { Host } from '../host.ts';
import { HASH_BYTES } from '../note/line.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { consistencySubtrees, inclusionSubtrees, type Subtree, splitPoint } from './subtree.ts';

type Hasher = Pick<Host, 'sha256'>;

/** The longest proof in a tree of at most 2^63 leaves; ours have 53 hashes at most. */
export const MAX_PROOF_HASHES = 63;

/** What an inclusion proof claims. */
export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  /** From the leaf's sibling up to the root's child. */
  readonly proof: readonly Uint8Array[];
}

/** What a consistency proof claims: the newer tree begins with the older. */
export interface Consistency {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

// These run millions of times: the prefix is set once, and nothing is joined anew. Hashing
// is synchronous, so a scratch array is never in use twice.
const leafScratch = new Uint8Array(1 + 4096);
const nodeScratch = new Uint8Array(1 + 2 * HASH_BYTES).fill(1, 0, 1);

/** SHA-256(00 ‖ entry). */
export function leafHash(host: Hasher, entry: Uint8Array): Uint8Array {
  const length = 1 + entry.length;
  const prefixed =
    length <= leafScratch.length ? leafScratch.subarray(0, length) : new Uint8Array(length);
  prefixed.set(entry, 1);
  return host.sha256(prefixed);
}

/** SHA-256(01 ‖ left ‖ right). */
export function nodeHash(host: Hasher, left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_BYTES);
  return host.sha256(nodeScratch);
}

/** The root of a log without entries. */
export function emptyRoot(host: Hasher): Uint8Array {
  return host.sha256(new Uint8Array(0));
}

/** The root over `leaves`, which are leaf hashes. */
export function rootOfLeaves(host: Hasher, leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot(host);
  return subtreeRoot(host, leaves, { start: 0, end: leaves.length });
}

/** The root over `count` hashes, a power of two, that stand side by side in `hashes` from `first`. */
export function runRoot(
  host: Hasher,
  hashes: Uint8Array,
  first: number,
  count: number,
): Uint8Array {
  if (count === 1) return hashes.slice(first * HASH_BYTES, (first + 1) * HASH_BYTES);
  if (count === 2) {
    nodeScratch.set(hashes.subarray(first * HASH_BYTES, (first + 2) * HASH_BYTES), 1);
    return host.sha256(nodeScratch);
  }
  const half = count / 2;
  return nodeHash(
    host,
    runRoot(host, hashes, first, half),
    runRoot(host, hashes, first + half, half),
  );
}

/** The inclusion proof of leaf `index`. Only for a tree that is small enough to be in memory. */
export function proveInclusion(
  host: Hasher,
  leaves: readonly Uint8Array[],
  index: number,
): Uint8Array[] {
  return inclusionSubtrees(index, leaves.length).map((part) => subtreeRoot(host, leaves, part));
}

/** The proof that the tree over `leaves` begins with its own first `oldSize` leaves. */
export function proveConsistency(
  host: Hasher,
  leaves: readonly Uint8Array[],
  oldSize: number,
): Uint8Array[] {
  return consistencySubtrees(oldSize, leaves.length).map((part) => subtreeRoot(host, leaves, part));
}

/** Is the leaf at that index of the tree? Refuses with `proof-invalid`. */
export function checkInclusion(host: Hasher, claim: Inclusion): Verdict<object> {
  const root = rootFromInclusion(host, claim);
  if (root !== undefined && equal(root, claim.root)) return { ok: true };
  return refusal(
    'proof-invalid',
    `the inclusion proof of entry ${claim.index} does not lead to the root of size ${claim.size}`,
    { ...claim, computed: root },
  );
}

/** Does the newer tree begin with the older one? Refuses with `proof-invalid`. */
export function checkConsistency(host: Hasher, claim: Consistency): Verdict<object> {
  return isConsistent(host, claim)
    ? { ok: true }
    : refusal(
        'proof-invalid',
        `the log of size ${claim.newSize} is not shown to begin with the log of size ${claim.oldSize}`,
        { ...claim },
      );
}

function subtreeRoot(host: Hasher, leaves: readonly Uint8Array[], part: Subtree): Uint8Array {
  const { start, end } = part;
  if (end - start === 1) return leaves[start]!;
  const middle = start + splitPoint(end - start);
  return nodeHash(
    host,
    subtreeRoot(host, leaves, { start, end: middle }),
    subtreeRoot(host, leaves, { start: middle, end }),
  );
}

/** RFC 9162, section 2.1.3.2: the root to which a proof leads, undefined when it has the wrong shape. */
function rootFromInclusion(host: Hasher, claim: Inclusion): Uint8Array | undefined {
  const { index, size, proof } = claim;
  if (!isSize(size) || !isSize(index) || index >= size || !areHashes([claim.leafHash, ...proof])) {
    return undefined;
  }
  let hash = claim.leafHash;
  let node = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(host, sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = half(last);
      }
    } else {
      hash = nodeHash(host, hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 ? hash : undefined;
}

/** RFC 9162, section 2.1.4.2, with the trivial cases that it leaves to the caller. */
function isConsistent(host: Hasher, claim: Consistency): boolean {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim;
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false;
  if (!areHashes([oldRoot, newRoot, ...proof])) return false;
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot);
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, emptyRoot(host));
  return climb(host, claim);
}

function climb(host: Hasher, claim: Consistency): boolean {
  const { oldSize, newSize, oldRoot, newRoot } = claim;
  // A complete old tree is itself a node of the new one; the proof then leaves its root out.
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...claim.proof] : claim.proof;
  if (first === undefined) return false;
  let node = oldSize - 1;
  let last = newSize - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(host, sibling, oldHash);
      newHash = nodeHash(host, sibling, newHash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = half(last);
      }
    } else {
      newHash = nodeHash(host, newHash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equal(oldHash, oldRoot) && equal(newHash, newRoot);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return (
    values.length <= MAX_PROOF_HASHES + 2 && values.every((value) => value.length === HASH_BYTES)
  );
}
