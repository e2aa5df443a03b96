import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  compareBytes,
  compareCodePoints,
  formatBase64,
  formatHex,
  parseBase64,
  parseHex,
  parseUtf8,
  utf8,
} from '../../src/core/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

describe('text forms of bytes', () => {
  test('hex and base64 read back what they wrote', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(parseHex(formatHex(data))).toEqual(data);
        expect(parseBase64(formatBase64(data))).toEqual(data);
      }),
    );
  });

  test.each([['A'], ['AA'], ['AA='], ['AB=='], ['A A='], ['AA==\n'], ['AA-_'], ['====']])(
    'base64 refuses %j',
    (text) => {
      expect(() => parseBase64(text)).toThrowWithCode('bad-encoding');
    },
  );

  test.each([['0'], ['0G'], ['AB'], ['0x00'], ['00 ']])('hex refuses %j', (text) => {
    expect(() => parseHex(text)).toThrowWithCode('bad-encoding');
  });

  test('UTF-8 refuses lone surrogates, overlong forms and stray bytes', () => {
    expect(() => utf8('\ud800')).toThrowWithCode('bad-encoding');
    for (const bad of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
      expect(() => parseUtf8(Uint8Array.from(bad))).toThrowWithCode('bad-encoding');
    }
  });
});

describe('orders', () => {
  test('code point order is the order of UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(compareBytes(utf8(a), utf8(b))));
      }),
      { numRuns: 2000 },
    );
    expect(compareCodePoints('\uffff', '\u{10000}')).toBeLessThan(0);
  });
});
