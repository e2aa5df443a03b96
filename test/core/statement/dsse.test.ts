import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { isCoded } from '../../../src/core/error.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import {
  envelopeToJson,
  formatEnvelope,
  MAX_PAYLOAD_BYTES,
  MAX_PAYLOAD_TYPE_LENGTH,
  openEnvelope,
  parseEnvelope,
  toSign,
} from '../../../src/core/statement/dsse.ts';
import { isSignature } from '../../../src/core/statement/signature.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';

const TYPE = 'application/vnd.in-toto+json';
const key = makeKey();
const signature = key.sign(toSign(TYPE, utf8('hello')));

const anyPayload = fc.uint8Array({ maxLength: 300 });

describe('the bytes that are signed', () => {
  test('are those of the DSSE specification', () => {
    const bytes = toSign('http://example.com/HelloWorld', utf8('hello world'));
    expect(parseUtf8(bytes)).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  test('count bytes, not characters', () => {
    expect(parseUtf8(toSign('é', utf8('€')))).toBe('DSSEv1 2 é 3 €');
  });

  test('tell every two pairs of type and payload apart', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (t1, p1, t2, p2) => {
        fc.pre(t1 !== t2 || p1 !== p2);
        fc.pre([t1, p1, t2, p2].every((text) => text.isWellFormed()));
        expect(toSign(t1, utf8(p1))).not.toEqual(toSign(t2, utf8(p2)));
      }),
    );
  });
});

describe('an envelope', () => {
  test('reads back what was written', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const bytes = formatEnvelope(TYPE, payload, signature);
        expect(parseEnvelope(bytes)).toEqual({ payloadType: TYPE, payload, signature });
      }),
    );
  });

  test('opens for the key that signed it and for no other', async () => {
    const envelope = parseEnvelope(formatEnvelope(TYPE, utf8('hello'), signature));
    expect(await openEnvelope(nodeHost, envelope, key.spki)).toMatchObject({ ok: true });
    expect(await openEnvelope(nodeHost, envelope, makeKey().spki)).toMatchObject({
      ok: false,
      code: 'signature-invalid',
    });
  });

  test('opens under its own payload type only', async () => {
    const renamed = parseEnvelope(formatEnvelope('text/plain', utf8('hello'), signature));
    expect(await openEnvelope(nodeHost, renamed, key.spki)).toMatchObject({ ok: false });
  });

  test('is refused after a change of any one byte', async () => {
    const bytes = formatEnvelope(TYPE, utf8('hello'), signature);
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 0x20]) {
        const bumped = bytes.slice();
        bumped[at]! ^= bit;
        expect(await opens(bumped)).toBe(false);
      }
    }
  });

  test.each([
    ['a key id', (json: Json) => ({ ...json, signatures: [{ ...json.signatures[0], keyid: '' }] })],
    [
      'two signatures',
      (json: Json) => ({ ...json, signatures: [json.signatures[0], json.signatures[0]] }),
    ],
    ['no signature', (json: Json) => ({ ...json, signatures: [] })],
    ['a further member', (json: Json) => ({ ...json, extra: 1 })],
    [
      'a payload type with parameters',
      (json: Json) => ({ ...json, payloadType: 'text/plain; a=b' }),
    ],
    ['a payload that is a number', (json: Json) => ({ ...json, payload: 1 })],
    ['a signature that is not DER', (json: Json) => ({ ...json, signatures: [{ sig: 'AAAA' }] })],
  ])('with %s is refused', (_, change) => {
    const json = JSON.parse(parseUtf8(formatEnvelope(TYPE, utf8('hello'), signature)));
    expect(() => parseEnvelope(formatCanonical(change(json) as never))).toThrowWithCode(
      'bad-envelope',
    );
  });

  test('that is not in canonical form is refused', () => {
    const text = parseUtf8(formatEnvelope(TYPE, utf8('hello'), signature));
    expect(() => parseEnvelope(utf8(`${text}\n`))).toThrowWithCode('bad-json');
    expect(() => parseEnvelope(utf8(text.replace(':', ': ')))).toThrowWithCode('bad-json');
  });

  test('has a payload of up to the limit and not one byte more', () => {
    const envelope = (length: number) => ({
      payloadType: TYPE,
      payload: new Uint8Array(length),
      signature,
    });
    expect(() => envelopeToJson(envelope(MAX_PAYLOAD_BYTES))).not.toThrow();
    expect(() => envelopeToJson(envelope(MAX_PAYLOAD_BYTES + 1))).toThrowWithCode('too-large');
  });

  test('has a payload type of up to the limit and not one character more', () => {
    const type = `text/${'x'.repeat(MAX_PAYLOAD_TYPE_LENGTH - 5)}`;
    expect(() => formatEnvelope(type, utf8(''), signature)).not.toThrow();
    expect(() => formatEnvelope(`${type}x`, utf8(''), signature)).toThrowWithCode('bad-envelope');
  });
});

describe('a signature in DER', () => {
  const der = (...parts: number[][]) => {
    const body = parts.flatMap((integer) => [2, integer.length, ...integer]);
    return Uint8Array.of(0x30, body.length, ...body);
  };
  const full = (first: number) => [first, ...new Array<number>(31).fill(9)];

  test('is known as such, as Node writes it', () => {
    for (let i = 0; i < 200; i++) expect(isSignature(key.sign(Uint8Array.of(i)))).toBe(true);
  });

  test.each([
    ['the shortest', der([1], [1]), true],
    ['the longest', der([0, ...full(0x80)], [0, ...full(0x80)]), true],
    ['one integer too few', der([1, 2, 3, 4]), false],
    ['one integer too many', der([1], [1], [1]), false],
    ['an empty integer', der([1, 1], []), false],
    ['a negative integer', der(full(0x80), [1]), false],
    ['a padded integer', der([0, 1], [1]), false],
    ['an integer of 33 bytes that is too large', der([1, ...full(1)], [1]), false],
    ['bytes after it', Uint8Array.of(...der([1], [1]), 0), false],
    ['another tag', Uint8Array.of(0x31, ...der([1], [1]).slice(1)), false],
    ['nothing', new Uint8Array(0), false],
  ])('%s', (_, bytes, good) => {
    expect(isSignature(bytes)).toBe(good);
  });
});

type Json = { signatures: object[] };

async function opens(bytes: Uint8Array): Promise<boolean> {
  try {
    return (await openEnvelope(nodeHost, parseEnvelope(bytes), key.spki)).ok;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return false;
  }
}
