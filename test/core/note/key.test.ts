import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatSigningKey,
  formatVerifierKey,
  MAX_KEY_LENGTH,
  parseSigningKey,
  parseVerifierKey,
  SIGNATURE_TYPE,
  sameKey,
  signingKey,
  verifierKey,
} from '../../../src/core/note/key.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

// The example of the specification, "Verifier keys".
const SPECIFIED = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const names = fc.stringMatching(/^[a-z0-9.\-/]{1,40}$/);

describe('verifier keys', () => {
  test('reads and writes the key that the specification shows', () => {
    const key = parseVerifierKey(host, SPECIFIED);
    expect(key.name).toBe('example.com/foo');
    expect(key.id).toBe(0x530d903a);
    expect(key.type).toBe(SIGNATURE_TYPE.ed25519);
    expect(formatVerifierKey(key)).toBe(SPECIFIED);
  });

  test('every key survives format and parse, whatever its base64 holds', () => {
    fc.assert(
      fc.property(
        names,
        fc.constantFrom(1, 4),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (name, type, publicKey) => {
          const key = verifierKey(host, name, type, publicKey);
          expect(parseVerifierKey(host, formatVerifierKey(key))).toEqual(key);
        },
      ),
    );
  });

  test('a plus in the base64 does not separate', () => {
    const key = verifierKey(host, 'a', 1, new Uint8Array(32).fill(0xfb));
    const text = formatVerifierKey(key);
    expect(text.split('+').length).toBeGreaterThan(3);
    expect(parseVerifierKey(host, text)).toEqual(key);
  });

  test('no character of a key can be changed without being noticed', () => {
    for (let i = SPECIFIED.indexOf('+') + 1; i < SPECIFIED.length; i++) {
      const other = SPECIFIED[i] === 'B' ? 'C' : 'B';
      expect(readsAsNoteKey(`${SPECIFIED.slice(0, i)}${other}${SPECIFIED.slice(i + 1)}`)).toBe(
        false,
      );
    }
  });

  test.each([
    ['no separator', 'example.com'],
    ['one separator', 'example.com+530d903a'],
    ['an empty name', `+${SPECIFIED.split('+').slice(1).join('+')}`],
    ['a space in the name', SPECIFIED.replace('foo', 'f o')],
    ['a no-break space in the name', SPECIFIED.replace('foo', 'f\u00a0o')],
    ['an upper-case ID', SPECIFIED.replace('530d903a', '530D903A')],
    ['a short ID', SPECIFIED.replace('530d903a', '530d90')],
    ['a newline behind it', `${SPECIFIED}\n`],
    ['a public key of 31 bytes', 'a+00000000+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE='],
    ['no public key', 'a+00000000+AQ=='],
    ['nothing but a name and an ID', 'a+00000000+'],
    ['too many characters', 'a'.repeat(MAX_KEY_LENGTH + 1)],
  ])('refuses %s', (_, text) => {
    expect(() => parseVerifierKey(host, text)).toThrowWithCode('bad-key');
  });

  test('keeps a key of a type that it does not know, with the ID it came with', () => {
    const text = 'other.example+12345678+/wFvdGhlcg==';
    const key = parseVerifierKey(host, text);
    expect(key.type).toBe(0xff);
    expect(formatVerifierKey(key)).toBe(text);
  });

  test('one public key has different IDs as a note key and as a cosigner', () => {
    const publicKey = new Uint8Array(32).fill(7);
    const [note, witness] = [1, 4].map((type) => verifierKey(host, 'w', type, publicKey));
    expect(note!.id).not.toBe(witness!.id);
  });
});

test('keys are the same by name, type and public key, not by their short ID', () => {
  const key = verifierKey(host, 'a', 1, new Uint8Array(32).fill(1));
  expect(sameKey(key, { ...key, publicKey: key.publicKey.slice() })).toBe(true);
  expect(sameKey(key, { ...key, publicKey: new Uint8Array(32).fill(2) })).toBe(false);
  expect(sameKey(key, verifierKey(host, 'b', 1, key.publicKey))).toBe(false);
  expect(sameKey(key, verifierKey(host, 'a', 4, key.publicKey))).toBe(false);
});

describe('signing keys', () => {
  test('every key survives format and parse', () => {
    fc.assert(
      fc.property(names, fc.constantFrom(1, 4), seeds, (name, type, seed) => {
        const key = signingKey(host, name, seed, type);
        expect(parseSigningKey(host, formatSigningKey(key))).toEqual(key);
      }),
      { numRuns: 20 },
    );
  });

  test('is refused without its prefix, with a foreign ID, and for a type that cannot sign', () => {
    const key = signingKey(host, 'a.example', new Uint8Array(32).fill(1));
    const text = formatSigningKey(key);
    const id = text.split('+')[3]!;
    const refused = (it: string) =>
      expect(() => parseSigningKey(host, it)).toThrowWithCode('bad-key');
    refused(text.slice('PRIVATE+KEY+'.length));
    refused(text.replace(id, '00000000'));
    refused('PRIVATE+KEY+a.example+00000000+AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC');
    expect(() => signingKey(host, 'a', new Uint8Array(31))).toThrowWithCode('bad-key');
  });

  test('a failure never shows the secret', () => {
    const text = formatSigningKey(signingKey(host, 'a.example', new Uint8Array(32).fill(9)));
    const secret = text.split('+').at(-1)!;
    try {
      parseSigningKey(host, `${text}!`);
      expect('refused').toBe('accepted');
    } catch (error) {
      expect(String((error as Error).stack)).not.toContain(secret);
    }
  });
});

function readsAsNoteKey(text: string): boolean {
  try {
    // A change of the type byte makes a key of a type unknown to us, which verifies nothing.
    return parseVerifierKey(host, text).type === SIGNATURE_TYPE.ed25519;
  } catch {
    return false;
  }
}
