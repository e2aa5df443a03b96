import { expect, test } from '@jest/globals';
import { formatHex, parseHex, utf8 } from '../../../src/core/bytes.ts';
import { publicKeyOf, sign, verify } from '../../../src/core/note/ed25519.ts';

test('agrees with RFC 8032, section 7.1, test 2', () => {
  const seed = parseHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
  const key = publicKeyOf(seed);
  expect(formatHex(key)).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const signature = sign(seed, Uint8Array.of(0x72));
  expect(formatHex(signature)).toMatch(
    /^92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da/,
  );
  expect(verify(key, Uint8Array.of(0x72), signature)).toBe(true);
});

test('refuses the second spelling of a signature, its scalar raised by the group order', () => {
  const seed = new Uint8Array(32).fill(3);
  const message = utf8('a message');
  const signature = sign(seed, message);
  const order = parseHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    const sum = signature[32 + i]! + order[i]! + carry;
    signature[32 + i] = sum & 0xff;
    carry = sum >> 8;
  }
  expect(carry).toBe(0);
  expect(verify(publicKeyOf(seed), message, signature)).toBe(false);
});

test('refuses signatures and keys of the wrong length', () => {
  const seed = new Uint8Array(32).fill(3);
  const signature = sign(seed, utf8('m'));
  expect(verify(publicKeyOf(seed), utf8('m'), signature.subarray(1))).toBe(false);
  expect(verify(publicKeyOf(seed).subarray(1), utf8('m'), signature)).toBe(false);
});

test('a signature that fitted fits nothing but its own key and message', () => {
  const seed = new Uint8Array(32).fill(3);
  const key = publicKeyOf(seed);
  const message = utf8('signed');
  const signature = sign(seed, message);
  const fits = () => verify(key, message, signature);
  expect(fits()).toBe(true);
  expect(fits()).toBe(true);
  for (const bytes of [key, message, signature]) {
    for (let i = 0; i < bytes.length; i++) {
      bytes[i]! ^= 1;
      expect(fits()).toBe(false);
      bytes[i]! ^= 1;
      expect(fits()).toBe(true);
    }
  }
});
