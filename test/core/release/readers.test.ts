import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatCanonical } from '../../../src/core/json.ts';
import {
  formatPolicy,
  type Policy,
  parsePolicy,
  soloPolicy,
} from '../../../src/core/release/policy.ts';
import {
  isOpenDocument,
  MAX_OPEN_DOCUMENT_BYTES,
  MAX_TERMS_NAME,
  MAX_TERMS_URL,
  type Restriction,
} from '../../../src/core/release/readers.ts';
import { enrolled } from '../../made/enrolment.ts';
import { makeKey } from '../../made/p256.ts';

const key = enrolled(makeKey(), { person: 'ada' });
const solo = soloPolicy('models.example.org', 'acme', { id: 'ada', name: 'Ada', key });
const TERMS = { name: 'Acme Licence 2 – “open”', url: 'https://acme.example/licence?v=2#terms' };

const parse = (bytes: unknown) =>
  parsePolicy(formatCanonical({ ...solo, bytes } as unknown as Policy)).bytes;
const refuse = (bytes: unknown) => expect(() => parse(bytes)).toThrowWithCode('bad-document');

describe('whose bytes they are', () => {
  test('stands in a policy, with terms or without, and reads back as it was written', () => {
    const line = fc.stringMatching(/^[ -~À-ÿ一-十]{1,40}$/u);
    const path = fc.stringMatching(/^(?:\/[A-Za-z0-9._~-]{0,20}){0,4}$/);
    const terms = fc.record({ name: line, url: path.map((it) => `https://acme.example${it}`) });
    const some: fc.Arbitrary<Restriction> = fc
      .option(terms, { nil: undefined })
      .map((it) => ({ for: 'readers', ...(it && { terms: it }) }));
    fc.assert(
      fc.property(some, (bytes) => {
        expect(parsePolicy(formatPolicy({ ...solo, bytes })).bytes).toEqual(bytes);
      }),
    );
  });

  test('a policy that says nothing of it is, to the byte, what it was before there was anything to say', () => {
    expect(Buffer.from(formatPolicy(solo)).toString()).not.toContain('bytes');
    expect(parsePolicy(formatPolicy(solo))).not.toHaveProperty('bytes');
  });

  test('is said in one way only', () => {
    for (const bytes of [null, {}, { for: 'everybody' }, { for: ['readers'] }, 'readers', []]) {
      refuse(bytes);
    }
    refuse({ for: 'readers', terms: {} });
    refuse({ for: 'readers', terms: TERMS, more: 1 });
  });

  test.each([
    ['http://acme.example/licence'],
    ['https://user:secret@acme.example/'],
    ['https://acme.example/a b'],
    ['https://acme.example/"onclick=1'],
    ['https://acme.example/<b>'],
    ['https://acme.example/\r\nX-Evil: 1'],
    ['https://acme.example/\u202e'],
    ['javascript:alert(1)'],
    ['https://'],
    [''],
  ])('no terms lie at %j', (url) => {
    refuse({ for: 'readers', terms: { ...TERMS, url } });
  });

  test.each(['', 'a\nb', 'a\u0000', 'a\u202eb', 'a\u2028b', '\u001b[31m'])(
    'no terms are called %j',
    (name) => refuse({ for: 'readers', terms: { ...TERMS, name } }),
  );

  test('terms are as long as they may be, and no longer', () => {
    const name = 'n'.repeat(MAX_TERMS_NAME);
    const url = `https://acme.example/${'u'.repeat(MAX_TERMS_URL - 21)}`;
    expect(parse({ for: 'readers', terms: { name, url } })).toEqual({
      for: 'readers',
      terms: { name, url },
    });
    refuse({ for: 'readers', terms: { name: `${name}n`, url } });
    refuse({ for: 'readers', terms: { name, url: `${url}u` } });
  });
});

describe('a document that everybody may read', () => {
  test.each([
    'README.md',
    'LICENSE',
    'LICENSE.txt',
    'licence.md',
    'NOTICE',
    'COPYING',
    'USE_POLICY.md',
  ])('is %s', (path) => {
    expect(isOpenDocument({ path, size: MAX_OPEN_DOCUMENT_BYTES } as never)).toBe(true);
    expect(isOpenDocument({ path, size: MAX_OPEN_DOCUMENT_BYTES + 1 } as never)).toBe(false);
  });

  test.each([
    'config.json',
    'docs/README.md',
    'README.md.safetensors',
    'LICENSE.gguf',
    'LICENSE/a',
    'model.safetensors',
    'tokenizer.json',
  ])('is not %s', (path) => expect(isOpenDocument({ path, size: 1 } as never)).toBe(false));
});
