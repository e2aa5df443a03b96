import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rawSignature } from '../../../src/browser/check/der.ts';
import { browserHost } from '../../../src/browser/check/host.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';
import { changed } from '../../made/tampering.ts';

const host = browserHost(crypto.subtle);
const DATA = utf8('what was signed');

test('hashes as Node does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(host.sha256(bytes)).toEqual(nodeHost.sha256(bytes));
    }),
  );
});

describe('signatures', () => {
  test('of every length that DER gives them are good, and with one bit changed bad', async () => {
    const lengths = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const key = makeKey();
      const signature = key.sign(DATA);
      lengths.add(signature.length);
      expect(await host.verifyP256(key.spki, DATA, signature)).toBe(true);
    }
    expect(lengths.size).toBeGreaterThan(2);
    const key = makeKey();
    for (const signature of changed(key.sign(DATA))) {
      expect(await host.verifyP256(key.spki, DATA, signature)).toBe(false);
    }
  });

  test('over other bytes, and by another key, are bad', async () => {
    const key = makeKey();
    const signature = key.sign(DATA);
    expect(await host.verifyP256(key.spki, utf8('something else'), signature)).toBe(false);
    expect(await host.verifyP256(makeKey().spki, DATA, signature)).toBe(false);
  });

  test('by what is no P-256 key are bad', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    const signature = new Uint8Array(sign('sha256', DATA, privateKey));
    expect(await host.verifyP256(spki, DATA, signature)).toBe(false);
    const good = makeKey();
    for (const key of [new Uint8Array(0), utf8('no key'), good.spki.subarray(1)]) {
      expect(await host.verifyP256(key, DATA, good.sign(DATA))).toBe(false);
    }
  });
});

describe('DER', () => {
  /** SEQUENCE of these INTEGERs. */
  const der = (...integers: (readonly number[])[]) => {
    const body = integers.flatMap((integer) => [0x02, integer.length, ...integer]);
    return Uint8Array.from([0x30, body.length, ...body]);
  };
  const full = Array.from({ length: 32 }, (_, i) => 0x7f - i);

  test('gives both numbers their full length', () => {
    const raw = rawSignature(der([5], [0, 0x80]))!;
    expect(raw).toHaveLength(64);
    expect([raw[31], raw[63]]).toEqual([5, 0x80]);
    expect(raw.filter((byte) => byte !== 0)).toHaveLength(2);
    expect([...rawSignature(der(full, full))!]).toEqual([...full, ...full]);
  });

  test.each<[what: string, bytes: Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a negative number', der([0x80], [1])],
    ['a number with a zero too many', der([0, 1], [1])],
    ['zero', der([0], [1])],
    ['an empty number', der([], [1])],
    ['a number of 33 bytes', der([1, ...full], [1])],
    ['one number', der([1])],
    ['three numbers', der([1], [1], [1])],
    ['bytes behind', Uint8Array.from([...der([1], [1]), 0])],
    ['a wrong length', Uint8Array.from([0x30, 7, 2, 1, 1, 2, 1, 1])],
    ['a length in two bytes', Uint8Array.from([0x30, 0x81, 6, 2, 1, 1, 2, 1, 1])],
    ['no sequence', Uint8Array.from([0x31, 6, 2, 1, 1, 2, 1, 1])],
  ])('refuses %s', (_, bytes) => {
    expect(rawSignature(bytes)).toBeUndefined();
  });
});
