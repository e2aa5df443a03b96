import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareCodePoints, parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { digestBytes, digestOf, formatDigest } from '../../../src/core/digest.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { MAX_FILES } from '../../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import {
  formatModelStatement,
  modelRoot,
  parseModelStatement,
} from '../../../src/core/statement/oms.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const release = parseReleaseName('acme/kimi-k2@v1.0');
const resource = (path: string) => ({ path, sha256: digestOf(nodeHost, utf8(path)) });
const payloadOf = (...paths: string[]) =>
  formatModelStatement(nodeHost, release, paths.map(resource));
const parse = (payload: Uint8Array) => parseModelStatement(nodeHost, payload);

// Each segment begins with an x, for `con` and `nul` are no names of files.
const anyPaths = fc.uniqueArray(fc.stringMatching(/^x[a-z]{0,8}(\/x[a-z0-9]{0,8}){0,3}$/), {
  minLength: 1,
  maxLength: 20,
});

describe('a model signature’s statement', () => {
  test('reads back what was written, in the order of code points', () => {
    fc.assert(
      fc.property(anyPaths, (paths) => {
        const statement = parse(payloadOf(...paths));
        const sorted = paths.toSorted(compareCodePoints).map(resource);
        expect(statement).toEqual({
          release,
          root: modelRoot(nodeHost, sorted),
          resources: sorted,
        });
      }),
    );
  });

  test('is, to the byte, what the specification shows', () => {
    const { sha256 } = resource('a');
    const hex = sha256.slice(7);
    const root = formatDigest(nodeHost.sha256(digestBytes(sha256))).slice(7);
    expect(parseUtf8(payloadOf('a'))).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","predicate":{"resources":[{"algorithm":"sha256","digest":"${hex}","name":"a"}],"serialization":{"allow_symlinks":false,"hash_type":"sha256","ignore_paths":[".weighhouse",".cache/huggingface"],"method":"files"}},"predicateType":"https://model_signing/signature/v1.0","subject":[{"digest":{"sha256":"${root}"},"name":"acme/kimi-k2@v1.0"}]}`,
    );
  });

  test('sorts by code point where UTF-16 sorts otherwise', () => {
    const { resources } = parse(payloadOf('\u{1f600}', '\ufffd'));
    expect(resources.map(({ path }) => path)).toEqual(['\ufffd', '\u{1f600}']);
  });

  test('takes as many files as a release may have and not one more', () => {
    const { sha256 } = resource('a');
    const files = Array.from({ length: MAX_FILES }, (_, i) => ({ path: `f${i}`, sha256 }));
    expect(() => formatModelStatement(nodeHost, release, files)).not.toThrow();
    const more = [...files, resource('a')];
    expect(() => formatModelStatement(nodeHost, release, more)).toThrowWithCode('bad-statement');
  });

  test('of no file is not written', () => {
    expect(() => payloadOf()).toThrowWithCode('bad-statement');
  });

  test('of one path twice is not written', () => {
    expect(() => payloadOf('a', 'a')).toThrowWithCode('bad-statement');
  });

  test.each(['../a', '/a', 'a//b', 'a\\b', '.weighhouse/x', ''])(
    'of the path "%s" is not written',
    (path) => {
      expect(() => payloadOf(path)).toThrowWithCode('bad-path');
    },
  );

  type Shown = {
    subject: { name: string; digest: Record<string, string> }[];
    predicate: {
      serialization: Record<string, unknown>;
      resources: Record<string, unknown>[];
    };
  } & Record<string, unknown>;

  test.each<[string, (it: Shown) => void]>([
    ['a ROOT of other bytes', (it) => (it.subject[0]!.digest = { sha256: '0'.repeat(64) })],
    ['a digest that changed', (it) => (it.predicate.resources[0]!.digest = '0'.repeat(64))],
    ['resources out of order', (it) => it.predicate.resources.reverse()],
    ['a resource twice', (it) => it.predicate.resources.push(it.predicate.resources[1]!)],
    ['no resources', (it) => (it.predicate.resources = [])],
    [
      'a further ignored path',
      (it) => (it.predicate.serialization.ignore_paths as string[]).push('x'),
    ],
    ['one ignored path less', (it) => (it.predicate.serialization.ignore_paths as string[]).pop()],
    [
      'ignored paths in another order',
      (it) => (it.predicate.serialization.ignore_paths as string[]).reverse(),
    ],
    ['symbolic links allowed', (it) => (it.predicate.serialization.allow_symlinks = true)],
    ['another method', (it) => (it.predicate.serialization.method = 'shards')],
    ['a further key in the predicate', (it) => Object.assign(it.predicate, { note: 1 })],
    ['a further key in the serialization', (it) => (it.predicate.serialization.shard_size = 1)],
    ['a further key in a resource', (it) => (it.predicate.resources[0]!.size = 1)],
    ['two subjects', (it) => it.subject.push(it.subject[0]!)],
    ['a second digest in its subject', (it) => (it.subject[0]!.digest.sha512 = '00')],
    ['another predicate type', (it) => (it.predicateType = 'https://model_signing/Digests/v0.1')],
    ['another statement type', (it) => (it._type = 'https://in-toto.io/Statement/v0.1')],
    ['a name with capitals', (it) => (it.subject[0]!.name = 'Acme/kimi-k2@v1.0')],
  ])('with %s is refused', (_, change) => {
    const it = JSON.parse(parseUtf8(payloadOf('a', 'b'))) as Shown;
    change(it);
    expect(() => parse(formatCanonical(it as never))).toThrowWithCode('bad-statement');
  });

  test('with a bad path is refused', () => {
    const text = parseUtf8(payloadOf('ab')).replace('"name":"ab"', '"name":".."');
    expect(() => parse(utf8(text))).toThrowWithCode('bad-path');
  });

  test('is refused, or says something else, after a change of any one byte', () => {
    const payload = payloadOf('a', 'b');
    const before = parse(payload);
    for (let at = 0; at < payload.length; at++) {
      const bumped = payload.slice();
      bumped[at]! ^= 1;
      let after: unknown;
      try {
        after = parse(bumped);
      } catch {
        continue;
      }
      expect(after).not.toEqual(before);
    }
  });
});
