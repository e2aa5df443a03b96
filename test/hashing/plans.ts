/** Files and plans for property tests: sizes around every border that the code has. */
import fc from 'fast-check';
import type { HashPlan, Piece } from '../../src/hashing/plan.ts';
import { BLOCK_BYTES } from '../../src/hashing/stretch.ts';

const CHUNK_SIZES = [1, 1000, 4096, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES];

/** A plan for up to `maxSize` bytes, with anything wanted. */
export function plans(maxSize: number): fc.Arbitrary<HashPlan> {
  return sizes(maxSize).chain((size) =>
    fc
      .record({
        whole: fc.boolean(),
        chunkSize: fc.option(fc.constantFrom(...CHUNK_SIZES), { nil: undefined }),
        pieces: fc.option(pieces(size), { nil: undefined }),
      })
      .filter(({ chunkSize }) => chunkSize === undefined || size / chunkSize <= 5000)
      .map(({ whole, chunkSize, pieces }) => ({
        size,
        whole: whole || (chunkSize === undefined && pieces === undefined),
        ...(chunkSize !== undefined && { chunkSize }),
        ...(pieces !== undefined && { pieces }),
      })),
  );
}

/** Zero, one, and one to either side of multiples of a block, besides any size. */
function sizes(maxSize: number): fc.Arbitrary<number> {
  const beside = fc
    .tuple(fc.nat(Math.floor(maxSize / BLOCK_BYTES)), fc.constantFrom(-1, 0, 1))
    .map(([blocks, more]) => Math.min(maxSize, Math.max(0, blocks * BLOCK_BYTES + more)));
  return fc.oneof(beside, fc.nat(maxSize));
}

/** Ordered pieces, some empty, some neighbours, some with a gap between. */
function pieces(size: number): fc.Arbitrary<Piece[]> {
  const cuts = fc.array(fc.nat(size), { maxLength: 40 });
  return fc
    .tuple(cuts, fc.array(fc.boolean(), { minLength: 41, maxLength: 41 }))
    .map(([points, kept]) => {
      const ordered = [0, ...points, size].sort((a, b) => a - b);
      return ordered
        .slice(1)
        .map((end, i) => ({ offset: ordered[i]!, length: end - ordered[i]! }))
        .filter((_, i) => kept[i]);
    });
}
