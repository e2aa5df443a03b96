import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cutPlan, STRETCH_BYTES, type Stretch } from '../../src/hashing/cut.ts';
import { chunkCount, type HashPlan } from '../../src/hashing/plan.ts';
import { plans } from './plans.ts';

const MiB = 1024 * 1024;
const cases = fc.record({
  plan: plans(4 * MiB),
  together: fc.boolean(),
  stretchBytes: fc.integer({ min: 1, max: 2 * MiB }),
});

describe('a plan that is cut into stretches', () => {
  test('has every chunk and every piece in exactly one of them, in order', () => {
    fc.assert(
      fc.property(cases, ({ plan, together, stretchBytes }) => {
        const stretches = cutPlan(plan, together, stretchBytes);
        const chunks = plan.chunkSize === undefined ? 0 : chunkCount(plan.size, plan.chunkSize);
        expect(taken(stretches, 'firstChunk', 'chunks')).toBe(chunks);
        expect(taken(stretches, 'firstPiece', 'pieces')).toBe(plan.pieces?.length ?? 0);
        expect(stretches.filter((stretch) => stretch.whole)).toHaveLength(plan.whole ? 1 : 0);
      }),
    );
  });

  test('reads in each of them all that its hashes need', () => {
    fc.assert(
      fc.property(cases, ({ plan, together, stretchBytes }) => {
        for (const stretch of cutPlan(plan, together, stretchBytes)) {
          expect(stretch.end).toBeLessThanOrEqual(plan.size);
          for (const { begin, end } of runsIn(stretch, plan)) {
            expect(begin).toBeGreaterThanOrEqual(stretch.from);
            expect(end).toBeLessThanOrEqual(stretch.end);
          }
        }
      }),
    );
  });

  test('is one stretch when it is hashed together', () => {
    const plan = { size: 10 * STRETCH_BYTES, whole: true, chunkSize: 8 * MiB };
    expect(cutPlan(plan, true)).toHaveLength(1);
  });

  test('gives other threads the chunks when the whole file is hashed apart', () => {
    const plan = { size: 10 * STRETCH_BYTES, whole: true, chunkSize: 8 * MiB };
    const [whole, ...others] = cutPlan(plan, false);
    expect(whole).toMatchObject({ whole: true, from: 0, end: plan.size, chunks: 0 });
    expect(others).toHaveLength(10);
  });

  test('opens even a file of which nothing is to be read', () => {
    expect(cutPlan({ size: 0, chunkSize: 1 }, false)).toHaveLength(1);
    expect(cutPlan({ size: 5, pieces: [] }, false)).toHaveLength(1);
  });

  test('does not read what lies far between two pieces', () => {
    const pieces = [
      { offset: 0, length: 10 },
      { offset: 1e9, length: 10 },
    ];
    const read = cutPlan({ size: 2e9, pieces }, false).map(({ from, end }) => [from, end]);
    expect(read).toEqual([
      [0, 10],
      [1e9, 1e9 + 10],
    ]);
  });
});

/** Counts runs, expecting each stretch to begin where the one before it ended. */
function taken(
  stretches: readonly Stretch[],
  first: 'firstChunk' | 'firstPiece',
  count: 'chunks' | 'pieces',
): number {
  let next = 0;
  for (const stretch of stretches) {
    if (stretch[count] === 0) continue;
    expect(stretch[first]).toBe(next);
    next += stretch[count];
  }
  return next;
}

function runsIn(stretch: Stretch, { size, chunkSize = 0, pieces = [] }: HashPlan) {
  const chunks = Array.from({ length: stretch.chunks }, (_, i) => ({
    begin: (stretch.firstChunk + i) * chunkSize,
    end: Math.min(size, (stretch.firstChunk + i + 1) * chunkSize),
  }));
  const runs = pieces
    .slice(stretch.firstPiece, stretch.firstPiece + stretch.pieces)
    .map(({ offset, length }) => ({ begin: offset, end: offset + length }));
  return [...chunks, ...runs];
}
