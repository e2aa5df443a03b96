import { describe, expect, test } from '@jest/globals';
import {
  formatBytes,
  formatCount,
  formatParameters,
  formatSeconds,
  MAX_DURATION,
  MAX_RATE,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from '../../src/cli/units.ts';

describe('sizes and durations', () => {
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
    expect([0.2, 59, 60, 250, 3600, 12_000].map(formatSeconds)).toEqual([
      '1 s',
      '59 s',
      '1 min 0 s',
      '4 min 10 s',
      '1 h 0 min',
      '3 h 20 min',
    ]);
  });

  test('one file is not "1 files"', () => {
    expect([0, 1, 2].map((n) => formatCount(n, 'file'))).toEqual(['0 files', '1 file', '2 files']);
  });

  test('durations are read in seconds, minutes, hours and days', () => {
    const read = ['90s', '30m', '1h', '7d'].map((text) => parseDuration(text, '--ttl'));
    expect(read).toEqual([90, 1800, 3600, 604_800]);
  });

  test('ten years is the longest duration', () => {
    expect(parseDuration(`${MAX_DURATION}s`, '--ttl')).toBe(MAX_DURATION);
    expect(() => parseDuration(`${MAX_DURATION + 1}s`, '--ttl')).toThrowWithCode('usage');
  });

  test.each(['', '1', 'h', '0h', '-1h', '1.5h', '1 h', '1w', '01h'])(
    '"%s" is no duration',
    (text) => {
      expect(() => parseDuration(text, '--ttl')).toThrowWithCode('usage');
    },
  );

  test.each(['', '-1', '1.0', '01', '1e3', '0x1', '9007199254740993'])(
    '"%s" is no index',
    (text) => {
      expect(() => parseCount(text, 'an index')).toThrowWithCode('usage');
    },
  );

  test('sizes are read in decimal and binary units, and in bytes', () => {
    const read = ['0', '12', '1B', '500GB', '2TB', '1.5TiB', '3 MiB'].map((it) =>
      parseBytes(it, '--bytes'),
    );
    expect(read).toEqual([0, 12, 1, 5e11, 2e12, 1.5 * 2 ** 40, 3 * 2 ** 20]);
  });

  test.each(['', 'TB', '-1', '1.2345TB', '1e3', '2 cups', '1tb', '9007199254740993', '9000PiB'])(
    '"%s" is no size',
    (text) => {
      expect(() => parseBytes(text, '--bytes')).toThrowWithCode('usage');
    },
  );
  test('rates are bytes a second, in tens or in twos; 0 is none at all', () => {
    const rates = ['0', '1B/s', '50MB/s', '50MB', '8MiB/s', '1GiB/s', '800kB/s'];
    expect(rates.map((text) => parseRate(text, '--rate'))).toEqual([
      ...[0, 1, 50e6, 50e6, 8 * 2 ** 20, 2 ** 30, 800e3],
    ]);
  });

  test.each(['', '50', '-1MB/s', '1.5MB/s', 'fast', '1MB/min', '1mb/s', '01MB/s', '999999GiB/s'])(
    '"%s" is no rate',
    (text) => {
      expect(() => parseRate(text, '--rate')).toThrowWithCode('usage');
    },
  );

  test('the highest rate is a terabyte a second', () => {
    expect(parseRate(`${MAX_RATE / 1e9}GB/s`, '--rate')).toBe(MAX_RATE);
    expect(() => parseRate(`${MAX_RATE / 1e9 + 1}GB/s`, '--rate')).toThrowWithCode('usage');
  });
});
