import { describe, expect, test } from '@jest/globals';
import {
  MAX_DURATION,
  MAX_RATE,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from '../../src/cli/units.ts';

describe('sizes and durations', () => {
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
