import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatHex, parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { formatCanonical, type Json, parseCanonical, parseJson } from '../../src/core/json.ts';

const read = (text: string) => parseJson(utf8(text), 'the document');

describe('canonical JSON', () => {
  test('every JSON value survives format and parse', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small', stringUnit: 'grapheme' }), (value) => {
        // The one key that is refused (see below).
        fc.pre(!JSON.stringify(value).includes('"__proto__"'));
        const bytes = formatCanonical(value as Json);
        expect(formatCanonical(parseCanonical(bytes, 'it'))).toEqual(bytes);
      }),
    );
  });

  test('sorts members by UTF-16 code unit (RFC 8785, section 3.2.3)', () => {
    const bytes = formatCanonical({
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\u{1f600}': 5,
      '\u0080': 6,
    });
    expect(parseUtf8(bytes)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  });

  test('writes numbers as ECMAScript does', () => {
    expect(parseUtf8(formatCanonical([1e21, 0.000001, 1e-7, 333333333.3333333]))).toBe(
      '[1e+21,0.000001,1e-7,333333333.3333333]',
    );
  });

  test.each([['{"b":1,"a":2}'], ['{ "a":1}'], ['[1.0]'], ['"\\u0061"'], ['[1]\n']])(
    'refuses %s, which is not in canonical form',
    (text) => {
      expect(() => parseCanonical(utf8(text), 'the document')).toThrowWithCode('bad-json');
    },
  );
});

describe('parsing at the edge', () => {
  test.each([
    ['a key that stands twice', '{"a":1,"b":{"a":1},"a":2}'],
    ['a key that stands twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a __proto__ key', '{"__proto__":{"admin":true}}'],
    ['a lone surrogate', '["\\ud800"]'],
    ['text after the value', '[1]]'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrowWithCode('bad-json');
  });

  test('the same key in two objects is no duplicate', () => {
    expect(read('[{"a":"}{,"},{"a":[{"a":1},{"a":2}]}]')).toEqual([
      { a: '}{,' },
      { a: [{ a: 1 }, { a: 2 }] },
    ]);
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]), 'it')).toThrowWithCode(
      'bad-encoding',
    );
  });

  test('reads up to the depth limit and not one level more', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(() => read(nested(32))).not.toThrow();
    expect(() => read(nested(33))).toThrowWithCode('too-large');
    expect(() => read(nested(10_000))).toThrowWithCode('too-large');
  });

  test('reads up to the size limit and not one byte more', () => {
    const limits = { maxBytes: 10, maxDepth: 1 };
    expect(parseJson(utf8('"12345678"'), 'it', limits)).toBe('12345678');
    expect(() => parseJson(utf8('"123456789"'), 'it', limits)).toThrowWithCode('too-large');
  });

  test('hex of all bytes', () => {
    expect(formatHex(new Uint8Array([0, 1, 15, 16, 255]))).toBe('00010f10ff');
  });
});
