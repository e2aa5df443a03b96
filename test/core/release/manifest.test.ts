import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareCodePoints, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { chunkSizeFor } from '../../../src/core/release/chunks.ts';
import {
  findFile,
  formatManifest,
  type Manifest,
  parseManifest,
} from '../../../src/core/release/manifest.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const someDigest = digestOf(nodeHost, utf8('x'));

function makeManifest(paths: readonly string[], changes: Partial<Manifest> = {}): Manifest {
  const files = [...paths].sort(compareCodePoints).map((path, i) => ({
    path,
    size: i * 1000,
    sha256: digestOf(nodeHost, utf8(path)),
    format: 'other',
    chunks: { size: chunkSizeFor(i * 1000), root: someDigest },
  }));
  return {
    v: 1,
    origin: 'models.example.org',
    release: 'acme/kimi@v1',
    draft: { revision: 1, former: [], nonce: 'ab'.repeat(32) },
    files,
    size: files.reduce((sum, { size }) => sum + size, 0),
    ...changes,
  };
}

/** What a parser makes of a manifest that no formatter wrote. */
const parse = (manifest: unknown) => parseManifest(formatCanonical(manifest as Manifest));

describe('the manifest', () => {
  test('reads back what was written, whatever the files are called', () => {
    const segment = fc.stringMatching(/^[a-z\u00e4\u4e00-\u4e10\u{1f600}-\u{1f610}]{1,6}$/u);
    const path = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((parts) => `${parts.join('/')}.bin`);
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 8 }), (paths) => {
        const manifest = makeManifest(paths);
        const bytes = formatManifest(manifest);
        expect(parseManifest(bytes)).toEqual(manifest);
        for (const wanted of paths) expect(findFile(manifest, wanted)?.path).toBe(wanted);
        expect(findFile(manifest, 'absent')).toBeUndefined();
      }),
    );
  });

  test('stays small for a terabyte: sixty shards are some ten kilobytes', () => {
    const shards = Array.from(
      { length: 60 },
      (_, i) => `model-${String(i + 1).padStart(5, '0')}-of-00060.safetensors`,
    );
    const manifest = makeManifest(shards);
    const files = manifest.files.map((file) => ({
      ...file,
      size: 17e9,
      chunks: { size: chunkSizeFor(17e9), root: someDigest },
    }));
    expect(formatManifest({ ...manifest, files, size: 60 * 17e9 }).length).toBeLessThan(20_000);
  });

  test('may say where the release came from', () => {
    const source = { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) };
    const manifest = makeManifest(['a.bin'], { source });
    expect(parseManifest(formatManifest(manifest)).source).toEqual(source);
  });

  test.each<[string, (manifest: Manifest) => unknown]>([
    ['an unknown member', (m) => ({ ...m, signed: true })],
    ['no files', (m) => ({ ...m, files: [], size: 0 })],
    ['a wrong total', (m) => ({ ...m, size: m.size + 1 })],
    ['files out of order', (m) => ({ ...m, files: m.files.toReversed() })],
    ['a file twice', (m) => ({ ...m, files: [m.files[0], m.files[0], m.files[1]] })],
    [
      'a size that is no whole number',
      (m) => ({ ...m, files: [{ ...m.files[0], size: 0.5 }], size: 0.5 }),
    ],
    [
      'a size over 2^53',
      (m) => ({ ...m, files: [{ ...m.files[0], size: 2 ** 53 }], size: 2 ** 53 }),
    ],
    ['a negative size', (m) => ({ ...m, files: [{ ...m.files[0], size: -1 }], size: -1 })],
    [
      'another chunk size than the file’s',
      (m) => ({
        ...m,
        files: m.files.map((f) => ({ ...f, chunks: { ...f.chunks, size: 2 ** 24 } })),
      }),
    ],
    ['a former digest too many', (m) => ({ ...m, draft: { ...m.draft, former: [someDigest] } })],
    ['a former digest too few', (m) => ({ ...m, draft: { ...m.draft, revision: 2 } })],
    ['revision 0', (m) => ({ ...m, draft: { ...m.draft, revision: 0 } })],
    ['a short nonce', (m) => ({ ...m, draft: { ...m.draft, nonce: 'ab' } })],
    [
      'a digest in capitals',
      (m) => ({ ...m, files: m.files.map((f) => ({ ...f, sha256: f.sha256.toUpperCase() })) }),
    ],
    ['code in a file that is not there', (m) => ({ ...m, executes: ['absent.py'] })],
    [
      'a source that names no commit',
      (m) => ({ ...m, source: { url: 'https://hub.example/acme/tiny', revision: 'main' } }),
    ],
    ['an empty list of code', (m) => ({ ...m, executes: [] })],
    ['a release that is not in its normal form', (m) => ({ ...m, release: 'Acme/kimi@v1' })],
  ])('refuses %s', (_, change) => {
    expect(() => parse(change(makeManifest(['a.bin', 'b.bin'])))).toThrowWithCode('bad-document');
  });

  test.each([
    ['../a'],
    ['/a'],
    ['a//b'],
    ['C:/a'],
    ['a\\b'],
    ['aux.txt'],
    ['a/.'],
    ['a '],
    ['e\u0301'],
  ])('refuses the path %j', (path) => {
    expect(() => parse(makeManifest([path]))).toThrowWithCode('bad-path');
  });

  test('refuses names that differ in case alone', () => {
    expect(() => parse(makeManifest(['README.md', 'readme.md']))).toThrowWithCode('bad-path');
  });

  test('refuses the same document in another spelling', () => {
    const bytes = utf8(JSON.stringify(makeManifest(['a.bin']), null, 1));
    expect(() => parseManifest(bytes)).toThrowWithCode('bad-json');
  });
});
