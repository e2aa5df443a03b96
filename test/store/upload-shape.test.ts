import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkAllParts,
  checkPartLength,
  checkShape,
  MAX_PART_SIZE,
  MAX_PARTS,
  MIN_PART_SIZE,
  partCount,
  partLength,
} from '../../src/store/upload-shape.ts';

const shape = { size: 3 * MIN_PART_SIZE + 1, partSize: MIN_PART_SIZE };

describe('the shape of an upload', () => {
  test('its parts make up the whole, none is empty, and all but the last are alike', () => {
    const shapes = fc.record({
      size: fc.integer({ min: 1, max: 20 * MIN_PART_SIZE }),
      partSize: fc.integer({ min: MIN_PART_SIZE, max: 3 * MIN_PART_SIZE }),
    });
    fc.assert(
      fc.property(shapes, (any) => {
        const lengths = Array.from({ length: partCount(any) }, (_, at) => partLength(any, at + 1));
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(any.size);
        expect(lengths.slice(0, -1).every((length) => length === any.partSize)).toBe(true);
        expect(lengths.at(-1)).toBeGreaterThan(0);
      }),
    );
  });

  test('is refused outside S3’s limits, and taken at them', () => {
    for (const good of [
      { size: 1, partSize: MIN_PART_SIZE },
      { size: 1, partSize: MAX_PART_SIZE },
      { size: MAX_PARTS * MIN_PART_SIZE, partSize: MIN_PART_SIZE },
      { size: 2 ** 40, partSize: 128 * 2 ** 20 },
    ]) {
      expect(() => checkShape(good)).not.toThrow();
    }
    for (const bad of [
      { size: 0, partSize: MIN_PART_SIZE },
      { size: -1, partSize: MIN_PART_SIZE },
      { size: 1.5, partSize: MIN_PART_SIZE },
      { size: 2 ** 53, partSize: MAX_PART_SIZE },
      { size: 1, partSize: MIN_PART_SIZE - 1 },
      { size: 1, partSize: MAX_PART_SIZE + 1 },
      { size: MAX_PARTS * MIN_PART_SIZE + 1, partSize: MIN_PART_SIZE },
    ]) {
      expect(() => checkShape(bad)).toThrowWithCode('internal');
    }
  });

  test('has the parts 1 to its last, of their lengths', () => {
    expect(() => checkPartLength(shape, 4, 1)).not.toThrow();
    expect(() => checkPartLength(shape, 4, 2)).toThrowWithCode('digest-mismatch');
    expect(() => checkPartLength(shape, 3, 1)).toThrowWithCode('digest-mismatch');
    for (const none of [0, 5, -1, 1.5, Number.NaN]) {
      expect(() => checkPartLength(shape, none, 1)).toThrowWithCode('internal');
    }
  });

  test('is complete with each part named once, in any order', () => {
    const named = (...numbers: number[]) => numbers.map((number) => ({ number }));
    expect(() => checkAllParts(shape, named(4, 2, 1, 3))).not.toThrow();
    for (const wrong of [[], [1, 2, 3], [1, 2, 4, 4], [1, 2, 3, 4, 4], [1, 2, 3, 4, 5]]) {
      expect(() => checkAllParts(shape, named(...wrong))).toThrowWithCode('conflict');
    }
  });
});
