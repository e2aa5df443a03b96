import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, cutRuns, STRETCH_BYTES } from '../../../src/transfer/download/stretch.ts';

const MIB = 2 ** 20;

test('runs hold every missing chunk once, in order, and are no longer than a stretch', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(200)).map((chunks) => chunks.sort((a, b) => a - b)),
      fc.constantFrom(8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB),
      (missing, chunkSize) => {
        const runs = cutRuns(missing, chunkSize);
        const covered = runs.flatMap(({ first, count }) =>
          Array.from({ length: count }, (_, i) => first + i),
        );
        expect(covered).toEqual(missing);
        for (const { count } of runs) {
          expect(count === 1 || count * chunkSize <= STRETCH_BYTES).toBe(true);
        }
      },
    ),
  );
});

test('the last run ends with the file', () => {
  expect(bytesOf({ first: 2, count: 1 }, 17 * MIB, 8 * MIB)).toEqual({
    offset: 16 * MIB,
    length: MIB,
  });
  expect(bytesOf({ first: 0, count: 3 }, 17 * MIB, 8 * MIB)).toEqual({
    offset: 0,
    length: 17 * MIB,
  });
});
