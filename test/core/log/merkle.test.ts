import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, formatHex, utf8 } from '../../../src/core/bytes.ts';
import {
  checkConsistency,
  checkInclusion,
  emptyRoot,
  leafHash,
  MAX_PROOF_HASHES,
  proveConsistency,
  proveInclusion,
  rootOfLeaves,
  runRoot,
} from '../../../src/core/log/merkle.ts';
import { completeNodes, inclusionSubtrees, splitPoint } from '../../../src/core/log/subtree.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

const leaves = Array.from({ length: 70 }, (_, i) => leafHash(host, utf8(`entry ${i}`)));
const sizes = fc.integer({ min: 1, max: leaves.length });

/** RFC 6962, section 2.1, as it stands there: slow, and sharing nothing with what is tested. */
function mth(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return host.sha256(new Uint8Array(0));
  if (entries.length === 1) return host.sha256(concat(Uint8Array.of(0), entries[0]!));
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  return host.sha256(concat(Uint8Array.of(1), mth(entries.slice(0, k)), mth(entries.slice(k))));
}

describe('roots', () => {
  test('of no entries and of the empty entry are those of RFC 6962', () => {
    expect(formatHex(emptyRoot(host))).toMatch(/^e3b0c44298fc1c149afb/);
    expect(formatHex(leafHash(host, new Uint8Array(0)))).toMatch(/^6e340b9cffb37a989ca5/);
  });

  test('are those of the definition at every size', () => {
    for (let size = 0; size <= leaves.length; size++) {
      const entries = Array.from({ length: size }, (_, i) => utf8(`entry ${i}`));
      expect(rootOfLeaves(host, leaves.slice(0, size))).toEqual(mth(entries));
    }
  });

  test('over a run of hashes is the root of that many leaves', () => {
    for (const count of [1, 2, 4, 64]) {
      const run = concat(leaves[0]!, ...leaves.slice(1, 1 + count));
      expect(runRoot(host, run, 1, count)).toEqual(rootOfLeaves(host, leaves.slice(1, 1 + count)));
    }
  });

  test('long and short entries do not disturb one another', () => {
    const long = new Uint8Array(65_535).fill(9);
    expect(leafHash(host, long)).toEqual(host.sha256(concat(Uint8Array.of(0), long)));
    expect(leafHash(host, utf8('entry 0'))).toEqual(leaves[0]);
  });
});

describe('inclusion', () => {
  const claim = (size: number, index: number) => ({
    index,
    size,
    leafHash: leaves[index]!,
    root: rootOfLeaves(host, leaves.slice(0, size)),
    proof: proveInclusion(host, leaves.slice(0, size), index),
  });

  test('every entry of every small tree can be proved', () => {
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) {
        expect(checkInclusion(host, claim(size, index))).toEqual({ ok: true });
      }
    }
  });

  test('no proof holds at another index or for another leaf', () => {
    for (const index of [0, 5, 6, 12]) {
      for (let other = -1; other < 15; other++) {
        if (other === index) continue;
        expect(checkInclusion(host, { ...claim(13, index), index: other }).ok).toBe(false);
      }
      expect(checkInclusion(host, { ...claim(13, index), leafHash: leaves[20]! }).ok).toBe(false);
    }
  });

  test('no byte of a proof can be flipped, no hash added, dropped or moved', () => {
    const good = claim(13, 6);
    for (const [i, hash] of good.proof.entries()) {
      for (let at = 0; at < hash.length; at++) {
        const proof = good.proof.map((it, j) => (i === j ? flip(it, at) : it));
        expect(checkInclusion(host, { ...good, proof }).ok).toBe(false);
      }
      expect(checkInclusion(host, { ...good, proof: good.proof.toSpliced(i, 1) }).ok).toBe(false);
      const longer = good.proof.toSpliced(i, 0, hash);
      expect(checkInclusion(host, { ...good, proof: longer }).ok).toBe(false);
    }
    expect(checkInclusion(host, { ...good, proof: good.proof.toReversed() }).ok).toBe(false);
    expect(checkInclusion(host, { ...good, proof: [...good.proof, leaves[0]!] }).ok).toBe(false);
  });

  test('a proof that climbs beyond the root, or stops below it, is refused', () => {
    const good = claim(13, 6);
    const above = {
      ...good,
      proof: [...good.proof, leaves[0]!],
      root: node(leaves[0]!, good.root),
    };
    expect(checkInclusion(host, above).ok).toBe(false);
    expect(checkInclusion(host, { ...good, size: 17 }).ok).toBe(false);
  });

  test('hashes of a wrong length and numbers that are no sizes are refused, not thrown', () => {
    const good = claim(13, 6);
    for (const bad of [
      { index: 13 },
      { index: -1 },
      { index: 1.5 },
      { size: 2 ** 53 },
      { size: Number.NaN },
      { leafHash: new Uint8Array(31) },
      { root: new Uint8Array(0) },
      { proof: [new Uint8Array(33), ...good.proof.slice(1)] },
      { proof: Array(MAX_PROOF_HASHES + 1).fill(leaves[0]) },
    ]) {
      expect(checkInclusion(host, { ...good, ...bad })).toMatchObject({
        ok: false,
        code: 'proof-invalid',
      });
    }
  });

  test('in the largest tree, beyond 32 bits, walks the way that the arithmetic gives', () => {
    const size = Number.MAX_SAFE_INTEGER;
    for (const index of [0, 2 ** 31, 2 ** 32 + 1, 2 ** 52, size - 1]) {
      const subtrees = inclusionSubtrees(index, size);
      const proof = subtrees.map((_, i) => leaves[i]!);
      const root = subtrees.reduce(
        (hash, { start }, i) => (start > index ? node(hash, leaves[i]!) : node(leaves[i]!, hash)),
        leaves[60]!,
      );
      const inclusion = { index, size, leafHash: leaves[60]!, root, proof };
      expect(checkInclusion(host, inclusion)).toEqual({ ok: true });
    }
  });
});

describe('consistency', () => {
  const claim = (oldSize: number, newSize: number) => ({
    oldSize,
    newSize,
    oldRoot: rootOfLeaves(host, leaves.slice(0, oldSize)),
    newRoot: rootOfLeaves(host, leaves.slice(0, newSize)),
    proof: proveConsistency(host, leaves.slice(0, newSize), oldSize),
  });

  test('every two sizes of a small log can be proved', () => {
    for (let newSize = 0; newSize <= 40; newSize++) {
      for (let oldSize = 0; oldSize <= newSize; oldSize++) {
        expect(checkConsistency(host, claim(oldSize, newSize))).toEqual({ ok: true });
      }
    }
  });

  test('no claim holds for another old size, another root or a changed proof', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(31), fc.nat(), (a, b, at, pick) => {
        const good = claim(Math.min(a, b), Math.max(a, b));
        const refused = (bad: Partial<typeof good>) =>
          expect(checkConsistency(host, { ...good, ...bad }).ok).toBe(false);
        refused({ oldRoot: flip(good.oldRoot, at) });
        refused({ newRoot: flip(good.newRoot, at) });
        refused({ proof: [...good.proof, leaves[0]!] });
        if (good.proof.length === 0) return;
        const i = pick % good.proof.length;
        refused({ proof: good.proof.toSpliced(i, 1) });
        refused({ proof: good.proof.with(i, flip(good.proof[i]!, at)) });
      }),
    );
  });

  test('a proof that climbs beyond the root, or stops below it, is refused', () => {
    const good = claim(3, 7);
    const extra = leaves[0]!;
    const above = {
      oldRoot: node(extra, good.oldRoot),
      newRoot: node(extra, good.newRoot),
      proof: [...good.proof, extra],
    };
    expect(checkConsistency(host, { ...good, ...above }).ok).toBe(false);
    expect(checkConsistency(host, { ...claim(4, 8), newSize: 16 }).ok).toBe(false);
  });

  test('a log that shrank, or has another root at the same size, is refused', () => {
    const { oldRoot, newRoot } = claim(5, 9);
    const shrunk = { oldSize: 9, newSize: 5, oldRoot: newRoot, newRoot: oldRoot, proof: [] };
    expect(checkConsistency(host, shrunk).ok).toBe(false);
    const forked = { oldSize: 9, newSize: 9, oldRoot, newRoot, proof: [] };
    expect(checkConsistency(host, forked).ok).toBe(false);
  });

  test('the empty log is the beginning of every log, if its root is the empty root', () => {
    expect(checkConsistency(host, { ...claim(0, 9), oldRoot: leaves[0]! }).ok).toBe(false);
    expect(checkConsistency(host, { ...claim(0, 9), proof: [leaves[0]!] }).ok).toBe(false);
  });
});

describe('subtrees', () => {
  test('split at the largest power of two below the size, exactly, for every magnitude', () => {
    for (let exponent = 1; exponent <= 52; exponent++) {
      const power = 2 ** exponent;
      expect(splitPoint(power)).toBe(power / 2);
      expect(splitPoint(power + 1)).toBe(power);
      expect(splitPoint(2 * power - 1)).toBe(power === 1 ? 1 : power);
    }
  });

  test('complete nodes cover the range without gap, in falling height', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        let [at, height] = [0, 54];
        for (const node of completeNodes({ start: 0, end: size })) {
          expect(node.index * 2 ** node.height).toBe(at);
          expect(node.height).toBeLessThan(height);
          at += 2 ** node.height;
          height = node.height;
        }
        expect(at).toBe(size);
      }),
    );
  });

  test('a proof beyond the tree is refused', () => {
    expect(() => proveInclusion(host, leaves, leaves.length)).toThrowWithCode('bad-proof');
    expect(() => proveConsistency(host, leaves, leaves.length + 1)).toThrowWithCode('bad-proof');
  });
});

function flip(hash: Uint8Array, at: number): Uint8Array {
  return hash.with(at, hash[at]! ^ 1);
}

function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return host.sha256(concat(Uint8Array.of(1), left, right));
}
