import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRange } from '../../src/server/range.ts';

describe('the Range header', () => {
  test.each([
    ['bytes=0-0', { offset: 0, length: 1 }],
    ['bytes=0-9', { offset: 0, length: 10 }],
    ['bytes=0-10', { offset: 0, length: 10 }],
    ['bytes=3-', { offset: 3, length: 7 }],
    ['bytes=-3', { offset: 7, length: 3 }],
    ['bytes=-11', { offset: 0, length: 10 }],
    ['Bytes=9-9', { offset: 9, length: 1 }],
  ])('%s is one range of ten bytes', (header, range) => {
    expect(parseRange(header, 10)).toEqual(range);
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=999999999999999-'])(
    '%s lies outside of ten bytes',
    (header) => expect(parseRange(header, 10)).toBe('unsatisfiable'),
  );

  test.each(['bytes=0-', 'bytes=-1', 'bytes=0-0'])('%s lies outside of no bytes', (header) => {
    expect(parseRange(header, 0)).toBe('unsatisfiable');
  });

  test.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,2-3',
    'lines=0-1',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=0-1 ',
    'bytes = 0-1',
    'bytes=1e1-',
    `bytes=${'9'.repeat(16)}-`,
  ])('%s asks for no range that is served', (header) => {
    expect(parseRange(header, 10)).toBe(undefined);
  });

  test('never leads outside of the file', () => {
    const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9]{0,4}-[0-9]{0,4}$/));
    fc.assert(
      fc.property(header, fc.nat(2_000), (text, size) => {
        const range = parseRange(text, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(size);
      }),
    );
  });
});
