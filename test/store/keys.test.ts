import { describe, expect, test } from '@jest/globals';
import { parseDigest } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { keys, parseKey } from '../../src/store/keys.ts';

const digest = parseDigest(`sha256:${'0123456789abcdef'.repeat(4)}`);

describe('keys', () => {
  test('every version of a release name, however typed, has one key', () => {
    expect(keys.release(parseReleaseName('Acme/Kimi-K2@V1.0'))).toBe('releases/acme/kimi-k2/v1.0');
    expect(keys.release(parseReleaseName('acme/kimi-k2@v1.0'))).toBe('releases/acme/kimi-k2/v1.0');
  });

  test('the longest release name has keys', () => {
    const longest = parseReleaseName(`${'a'.repeat(47)}/${'b'.repeat(48)}@${'v'.repeat(128)}`);
    expect(keys.draftFile(longest, digest)).toContain('/files/0123456789abcdef');
  });

  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    '.hidden',
    '-a',
    '@a',
    'A',
    'a/B',
    'a\\b',
    'a b',
    'a\0b',
    'é',
    'a'.repeat(256),
    `${'a'.repeat(255)}/`.repeat(3) + 'a'.repeat(129),
  ])('%j is no key', (text) => {
    expect(() => parseKey(text)).toThrowWithCode('internal');
  });

  test('a segment may have 255 bytes, a key 896', () => {
    expect(parseKey('a'.repeat(255))).toHaveLength(255);
    expect(parseKey(`${'a'.repeat(255)}/`.repeat(3) + 'a'.repeat(128))).toHaveLength(896);
  });

  test('nothing that climbs can be smuggled in by an argument', () => {
    expect(() => keys.tile('../../private/lock')).toThrowWithCode('internal');
    expect(() => keys.revoked('../lock')).toThrowWithCode('internal');
    expect(() => keys.blob('ab/../../x')).toThrowWithCode('internal');
  });
});
