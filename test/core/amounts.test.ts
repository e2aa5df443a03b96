import { describe, expect, test } from '@jest/globals';
import {
  formatBytes,
  formatCount,
  formatParameters,
  formatSeconds,
  formatWait,
} from '../../src/core/amounts.ts';

describe('amounts as people read them', () => {
  test('sizes have the unit in which they are easiest to read', () => {
    expect([0, 1023, 1024, 1536, 2 ** 20, 5 * 2 ** 30, 2 ** 50].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '1.0 MiB',
      '5.0 GiB',
      '1.0 PiB',
    ]);
  });

  test('no size is shown as 1024 of a unit', () => {
    for (const bytes of [2 ** 20 - 1, 2 ** 30 - 1, 2 ** 40 - 1]) {
      expect(formatBytes(bytes)).toMatch(/^1\.0 /);
    }
  });

  test('parameters are counted as models are spoken of', () => {
    expect([5, 262_144, 7.24e9, 1.04e12].map(formatParameters)).toEqual([
      '5',
      '262.1 K',
      '7.2 B',
      '1.0 T',
    ]);
  });

  test('durations never lose a second to rounding', () => {
    expect([0.2, 59, 60, 250, 3600, 12_000, 172_799, 1_213_200].map(formatSeconds)).toEqual([
      '1 s',
      '59 s',
      '1 min 0 s',
      '4 min 10 s',
      '1 h 0 min',
      '3 h 20 min',
      '47 h 59 min',
      '14 d 1 h',
    ]);
  });

  test('one file is not "1 files"', () => {
    expect([0, 1, 2].map((n) => formatCount(n, 'file'))).toEqual(['0 files', '1 file', '2 files']);
  });

  test('waits have two units, and end in seconds only for who asks', () => {
    const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
    const waits = [0, 1, minute - 1, minute, 12 * minute + 59_999, hour, 3 * hour + 20 * minute];
    expect(waits.map((wait) => formatWait(wait))).toEqual([
      ...Array(3).fill('less than a minute'),
      ...['1 min', '12 min', '1 h 0 min', '3 h 20 min'],
    ]);
    expect([day, 2 * day + 4 * hour].map((wait) => formatWait(wait))).toEqual([
      '1 day 0 h',
      '2 days 4 h',
    ]);
    const seconds = [-5, 1, 1000, 1001, minute - 1].map((wait) => formatWait(wait, 'second'));
    expect(seconds).toEqual(['0 s', '1 s', '1 s', '2 s', '60 s']);
  });
});
