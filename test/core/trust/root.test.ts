import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { formatVerifierKey, signingKey, verifierKey } from '../../../src/core/note/key.ts';
import {
  fingerprint,
  formatRoot,
  MAX_MAX_AGE,
  MAX_ROOT_KEYS,
  parseRoot,
  type RootDocument,
  rootToSign,
} from '../../../src/core/trust/root.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { makeRootDocument, publicLogKey, signRoot } from '../../made/trust-root.ts';

const keys = [makeKey(), makeKey(), makeKey()];
const some = digestOf(nodeHost, utf8('the log'));
const document = makeRootDocument(keys, {
  threshold: 2,
  log: [
    { key: publicLogKey(1), from: 0, end: { size: 10, root: some } },
    { key: publicLogKey(2), from: 10 },
  ],
  release: [
    { spki: makeKey().spki, from: 0, to: 7 },
    { spki: makeKey().spki, from: 5 },
  ],
  witnessPolicy: 'quorum none\n',
});
const bytes = signRoot(document, keys);
const releaseKeys = Array.from({ length: 4 }, () => makeKey().spki);
const refused = (changes: Partial<RootDocument>) =>
  expect(() => rootToSign(nodeHost, { ...document, ...changes }));

describe('root.json', () => {
  test('has a witness policy that can be read, and that names no log', () => {
    const vkey = formatVerifierKey(publicLogKey(1));
    refused({ witnessPolicy: 'quorum somebody\n' }).toThrowWithCode('bad-policy');
    refused({ witnessPolicy: `log ${vkey}\nquorum none\n` }).toThrowWithCode('bad-document');
  });

  test('reads back what was written', () => {
    const parsed = parseRoot(nodeHost, bytes);
    expect(rootToSign(nodeHost, parsed.document)).toEqual(rootToSign(nodeHost, document));
    expect(formatRoot(nodeHost, parsed)).toEqual(bytes);
    expect({ ...parsed.document, keys: [] }).toEqual({ ...document, keys: [] });
  });

  test('reads back whatever it may say', () => {
    const anyPeriod = fc.record({
      from: fc.nat(),
      length: fc.option(fc.nat(), { nil: undefined }),
    });
    const anyDocument = fc.record({
      version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      threshold: fc.integer({ min: 1, max: 3 }),
      maxAge: fc.integer({ min: 1, max: MAX_MAX_AGE }),
      lengths: fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 5 }),
      periods: fc.array(anyPeriod, { minLength: 1, maxLength: releaseKeys.length }),
    });
    fc.assert(
      fc.property(anyDocument, ({ lengths, periods, ...rest }) => {
        const said = { ...document, ...rest, log: logOf(lengths), release: releasesOf(periods) };
        const signatures = parseRoot(nodeHost, bytes).signatures;
        const read = parseRoot(nodeHost, formatRoot(nodeHost, { document: said, signatures }));
        expect({ ...read.document, keys: [] }).toEqual({ ...said, keys: [] });
      }),
    );
  });

  test('is the same bytes whatever the order of keys and signatures', () => {
    const { document: read, signatures } = parseRoot(nodeHost, bytes);
    const turned = {
      document: { ...read, keys: read.keys.toReversed() },
      signatures: signatures.toReversed(),
    };
    expect(formatRoot(nodeHost, turned)).toEqual(bytes);
  });

  test('has for its fingerprint the SHA-256 of version 1', () => {
    expect(fingerprint(nodeHost, bytes)).toBe(digestOf(nodeHost, bytes));
    const second = signRoot({ ...document, version: 2 }, keys);
    expect(() => fingerprint(nodeHost, second)).toThrowWithCode('bad-document');
  });

  test.each<[string, Partial<RootDocument>]>([
    ['a threshold of 0', { threshold: 0 }],
    ['a threshold above the number of keys', { threshold: 4 }],
    ['no root key', { keys: [], threshold: 0 }],
    ['a root key twice', { keys: [keys[0]!.spki, keys[0]!.spki] }],
    ['a root key that also signs releases', { release: [{ spki: keys[0]!.spki, from: 0 }] }],
    ['a release key twice', { release: [document.release[0]!, document.release[0]!] }],
    ['a token key twice', { token: [document.token[0]!, document.token[0]!] }],
    ['a log key twice', { log: [document.log[0]!, { key: publicLogKey(1), from: 10 }] }],
    ['a gap between its log keys', { log: [document.log[0]!, { key: publicLogKey(2), from: 11 }] }],
    ['log keys that overlap', { log: [document.log[0]!, { key: publicLogKey(2), from: 9 }] }],
    ['a log that begins late', { log: [{ key: publicLogKey(1), from: 1 }] }],
    ['no present log key', { log: [document.log[0]!] }],
    ['no log key', { log: [] }],
    ['a period that ends before it begins', { release: [{ ...document.release[1]!, to: 4 }] }],
    ['an expiry before its issue', { expires: document.issued }],
  ])('with %s is refused', (_, changes) => {
    if (changes.log?.length !== 0) refused(changes).toThrowWithCode('bad-document');
    const altered = { ...document, ...changes };
    expect(() =>
      formatRoot(nodeHost, { ...parseRoot(nodeHost, bytes), document: altered }),
    ).toThrowWithCode('bad-document');
  });

  test('with a log key of another name or type is refused', () => {
    const seed = new Uint8Array(32);
    const stranger = signingKey(nodeHost, 'other.example.org', seed);
    const witness = verifierKey(nodeHost, ORIGIN, 4, stranger.publicKey);
    for (const key of [stranger, witness]) {
      refused({ log: [{ key, from: 0 }] }).toThrowWithCode('bad-document');
    }
  });

  test('has up to the limit of root keys and not one more', () => {
    const many = Array.from({ length: MAX_ROOT_KEYS }, () => makeKey().spki);
    refused({ keys: many }).not.toThrow();
    refused({ keys: [...many, makeKey().spki] }).toThrowWithCode('bad-document');
  });

  test('has an age of up to the limit and not one second more', () => {
    expect(() => signRoot({ ...document, maxAge: MAX_MAX_AGE }, keys)).not.toThrow();
    expect(() => signRoot({ ...document, maxAge: MAX_MAX_AGE + 1 }, keys)).toThrowWithCode(
      'bad-document',
    );
    expect(() => signRoot({ ...document, maxAge: 0 }, keys)).toThrowWithCode('bad-document');
  });

  test('counts one signature a key', () => {
    expect(() => signRoot(document, [keys[0]!, keys[0]!])).toThrowWithCode('bad-document');
  });

  type Shown = {
    signatures: Record<string, unknown>[];
    signed: Record<string, Record<string, never>>;
  };

  test.each<[string, (it: Shown) => void]>([
    ['no signature', (it) => (it.signatures = [])],
    ['signatures out of order', (it) => it.signatures.reverse()],
    ['a further key', (it) => Object.assign(it.signed, { extra: 1 })],
    ['a key under another key’s id', (it) => swapKeys(it.signed.keys!)],
    [
      'key ids that are not its keys’',
      (it) => Object.assign(it.signed.roles!.root!, { keyids: ['0'.repeat(64)] }),
    ],
    [
      'an end without a final root',
      (it) => Object.assign(it.signed.log![0]!, { final_root: null }),
    ],
    [
      'a final root without an end',
      (it) => Object.assign(it.signed.log![1]!, { final_root: some }),
    ],
    [
      'a time in another zone',
      (it) => Object.assign(it.signed, { expires: '2027-01-31T12:00:00+01:00' }),
    ],
    ['a private token key', (it) => Object.assign(it.signed.token![0]!, { d: 'AAAA' })],
    ['a version 0', (it) => Object.assign(it.signed, { version: 0 })],
    ['a signature that is not DER', (it) => Object.assign(it.signatures[0]!, { sig: 'AAAA' })],
  ])('with %s is refused', (_, change) => {
    const it = JSON.parse(parseUtf8(bytes)) as Shown;
    change(it);
    expect(() => parseRoot(nodeHost, formatCanonical(it as never))).toThrowWithCode('bad-document');
  });
});

/** Log keys that ended after so many entries each, and the present one. */
function logOf(lengths: readonly number[]): RootDocument['log'] {
  let from = 0;
  const former = lengths.map((length, i) => {
    const period = { key: publicLogKey(i + 1), from, end: { size: from + length, root: some } };
    from += length;
    return period;
  });
  return [...former, { key: publicLogKey(lengths.length + 1), from }];
}

function releasesOf(
  periods: readonly { from: number; length: number | undefined }[],
): RootDocument['release'] {
  return periods.map(({ from, length }, i) => ({
    spki: releaseKeys[i]!,
    from,
    ...(length === undefined ? {} : { to: from + length }),
  }));
}

function swapKeys(keysById: Record<string, never>): void {
  const [a, b] = Object.keys(keysById) as [string, string];
  [keysById[a], keysById[b]] = [keysById[b]!, keysById[a]!];
}
