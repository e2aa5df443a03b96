import { describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../../src/core/error.ts';
import {
  baseTags,
  type Claims,
  claimsOf,
  isSameClaims,
  MAX_BASES,
  MAX_COMPANION_MODEL,
  MAX_COMPANION_URL,
  parseClaims,
  RELATIONS,
} from '../../../src/core/release/claims.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const COMPANION = { url: 'https://api.example.com/v1', model: 'acme/large-2' };
const base = (release: string, relation = 'finetune') => ({ relation, release, digest: DIGEST });
const refuses = (claims: unknown, code: ErrorCode = 'bad-document') =>
  expect(() => parseClaims(claims)).toThrowWithCode(code);

describe('bases', () => {
  test.each(RELATIONS)('may be the ones of a model that is a %s', (relation) => {
    const claims = { base: [base('acme/base@1.0', relation)] };
    expect(parseClaims(claims)).toEqual(claims);
  });

  test('are releases in their normal form, in order, each once', () => {
    const two = [base('acme/a@1'), base('acme/b@1', 'merge')];
    expect(parseClaims({ base: two }).base).toHaveLength(2);
    refuses({ base: two.toReversed() });
    refuses({ base: [two[0], two[0]] });
    refuses({ base: [base('Acme/A@1')] });
    refuses({ base: [base('acme/a')] }, 'bad-reference');
    refuses({ base: [{ ...two[0], relation: 'copy' }] });
    refuses({ base: [{ ...two[0], digest: 'ab' }] });
    refuses({ base: [{ ...two[0], note: '' }] });
  });

  test(`are 1 to ${MAX_BASES}`, () => {
    const many = Array.from({ length: MAX_BASES + 1 }, (_, i) => base(`acme/m${100 + i}@1`));
    expect(parseClaims({ base: many.slice(1) }).base).toHaveLength(MAX_BASES);
    refuses({ base: many });
    refuses({ base: [] });
  });

  test('are tagged as at the hub', () => {
    const claims = parseClaims({ base: [base('acme/a@1', 'quantized')] });
    expect(baseTags(claims)).toEqual(['base_model:acme/a', 'base_model:quantized:acme/a']);
    expect(baseTags({})).toEqual([]);
  });
});

describe('a companion', () => {
  test('is an address over TLS, and a name', () => {
    expect(parseClaims({ companion: COMPANION })).toEqual({ companion: COMPANION });
    for (const url of [
      'http://api.example.com/v1',
      'https://user@api.example.com/',
      'https://api.example.com/v1?key=1',
      'https://api.example.com/#a',
      'https://api.example.com/../v1',
      'https://API.example.com/',
      'javascript:alert(1)',
    ]) {
      refuses({ companion: { ...COMPANION, url } });
    }
    for (const model of ['', ' a', 'a\nb', '<b>']) refuses({ companion: { ...COMPANION, model } });
    refuses({ companion: { url: COMPANION.url } });
  });

  test(`has ${MAX_COMPANION_URL} and ${MAX_COMPANION_MODEL} characters at most`, () => {
    const url = `${COMPANION.url}/`.padEnd(MAX_COMPANION_URL, 'a');
    const model = 'a'.repeat(MAX_COMPANION_MODEL);
    expect(parseClaims({ companion: { url, model } }).companion).toEqual({ url, model });
    refuses({ companion: { ...COMPANION, url: `${url}a` } });
    refuses({ companion: { ...COMPANION, model: `${model}a` } });
  });
});

describe('claims', () => {
  const all: Claims = parseClaims({
    source: { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) },
    base: [base('acme/a@1')],
    companion: COMPANION,
  });

  test('are taken out of whatever makes them', () => {
    expect(claimsOf({ ...all, nonce: 'x' } as Claims)).toEqual(all);
    expect(claimsOf({})).toEqual({});
  });

  test('are the same only when each of them is', () => {
    expect(isSameClaims(all, structuredClone(all))).toBe(true);
    expect(isSameClaims({}, {})).toBe(true);
    for (const name of Object.keys(all)) {
      const { [name as keyof Claims]: _, ...rest } = all;
      expect([name, isSameClaims(all, rest)]).toEqual([name, false]);
    }
    expect(isSameClaims(all, { ...all, base: [base('acme/a@2')] as never })).toBe(false);
  });

  test('are nothing else', () => refuses({ ...all, license: 'mit' }));
});
