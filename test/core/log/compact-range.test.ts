import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CompactRange } from '../../../src/core/log/compact-range.ts';
import { nodeHash, rootOfLeaves } from '../../../src/core/log/merkle.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const leaves = Array.from({ length: 70 }, (_, i) => new Uint8Array(32).fill(i));

function rangeOf(size: number): CompactRange {
  const range = CompactRange.empty(nodeHost);
  for (const leaf of leaves.slice(0, size)) range.append(leaf);
  return range;
}

describe('a compact range', () => {
  test('has the root of RFC 6962 at every size', () => {
    for (let size = 0; size <= leaves.length; size++) {
      expect(rangeOf(size).root).toEqual(rootOfLeaves(nodeHost, leaves.slice(0, size)));
      expect(rangeOf(size).size).toBe(size);
    }
  });

  test('goes on from what it wrote down', () => {
    fc.assert(
      fc.property(fc.nat(35), fc.nat(35), (size, more) => {
        const written = rangeOf(size).format();
        const range = CompactRange.parse(nodeHost, size, written);
        for (const leaf of leaves.slice(size, size + more)) range.append(leaf);
        expect(range.root).toEqual(rangeOf(size + more).root);
      }),
    );
  });

  test('takes complete subtrees, and only where the tree has them', () => {
    const range = rangeOf(2);
    range.appendSubtree(nodeHash(nodeHost, leaves[2]!, leaves[3]!), 2);
    expect(range.root).toEqual(rangeOf(4).root);
    expect(() => rangeOf(3).appendSubtree(leaves[0]!, 2)).toThrowWithCode('internal');
  });

  test('is left as it was by what is done to its copy', () => {
    const range = rangeOf(5);
    range.copy().append(leaves[5]!);
    expect(range.root).toEqual(rangeOf(5).root);
  });

  test.each([
    ['a hash too few', 7, 64],
    ['a hash too many', 4, 64],
    ['a hash cut short', 4, 31],
    ['a size that is none', -1, 0],
  ])('is not read from %s', (_, size, length) => {
    expect(() => CompactRange.parse(nodeHost, size, new Uint8Array(length))).toThrowWithCode(
      'bad-document',
    );
  });
});
