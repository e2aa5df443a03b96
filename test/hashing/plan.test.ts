import { describe, expect, test } from '@jest/globals';
import { checkPlan, type HashPlan } from '../../src/hashing/plan.ts';

describe('a hash plan', () => {
  const sound: HashPlan = {
    size: 10,
    whole: true,
    chunkSize: 4,
    pieces: [
      { offset: 0, length: 4 },
      { offset: 4, length: 6 },
    ],
  };

  test('may want everything at once', () => {
    expect(() => checkPlan(sound)).not.toThrow();
  });

  test.each<[string, HashPlan]>([
    ['wants nothing', { size: 10 }],
    ['has a negative size', { ...sound, size: -1 }],
    ['has a size over 2^53', { size: 2 ** 53, whole: true }],
    ['has empty chunks', { ...sound, chunkSize: 0 }],
    ['has a piece behind the end by one byte', { ...sound, pieces: [{ offset: 4, length: 7 }] }],
    ['has a piece of negative length', { ...sound, pieces: [{ offset: 4, length: -1 }] }],
    ['has a piece at half a byte', { ...sound, pieces: [{ offset: 0.5, length: 1 }] }],
    [
      'has pieces that overlap by one byte',
      {
        ...sound,
        pieces: [
          { offset: 0, length: 4 },
          { offset: 3, length: 1 },
        ],
      },
    ],
  ])('is refused when it %s', (_, plan) => {
    expect(() => checkPlan(plan)).toThrowWithCode('internal');
  });
});
