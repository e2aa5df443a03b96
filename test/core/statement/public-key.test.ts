import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { formatPem, keyHint, parsePem, parseSpki } from '../../../src/core/statement/public-key.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';

const derOf = (curve: string): Uint8Array =>
  new Uint8Array(
    generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({
      format: 'der',
      type: 'spki',
    }),
  );

describe('public keys', () => {
  test('PEM is byte for byte what OpenSSL writes, and reads back', () => {
    const key = makeKey();
    expect(formatPem(key.spki)).toBe(key.pem);
    expect(parsePem(key.pem)).toEqual(key.spki);
  });

  test('the hint is the SHA-256 of the PEM text, the last newline included', () => {
    const key = makeKey();
    const expected = Buffer.from(nodeHost.sha256(Buffer.from(key.pem))).toString('hex');
    expect(keyHint(nodeHost, key.spki)).toBe(expected);
  });

  test.each(['P-384', 'P-521', 'secp256k1'])('a key on %s is refused', (curve) => {
    expect(() => parseSpki(derOf(curve))).toThrowWithCode('bad-key');
  });

  test('an Ed25519 key is refused', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(() => parsePem(pem)).toThrowWithCode('bad-key');
  });

  test('a key that is cut short or goes on is refused', () => {
    const { spki } = makeKey();
    expect(() => parseSpki(spki.subarray(0, -1))).toThrowWithCode('bad-key');
    expect(() => parseSpki(new Uint8Array([...spki, 0]))).toThrowWithCode('bad-key');
  });

  test('PEM text is read in one spelling only', () => {
    const { pem } = makeKey();
    const twins = [
      pem.trimEnd(),
      `${pem}\n`,
      ` ${pem}`,
      pem.replaceAll('\n', '\r\n'),
      pem.replace('PUBLIC KEY-----\n', 'PUBLIC KEY-----\n\n'),
      pem.replaceAll('PUBLIC', 'PRIVATE'),
      pem + pem,
      '',
    ];
    for (const twin of twins) expect(() => parsePem(twin)).toThrowWithCode('bad-key');
  });
});
