import { basename } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { bundle } from '../../../scripts/bundle.ts';

/** Bytes of the whole check, in Brotli as browsers get it, and of deciding: what a phone loads in a moment. */
const MAX_RELEASE_BYTES = 60_000;
/** Bytes of what compares files, and of the worker. */
const MAX_OTHER_BYTES = 8_000;

test('the scripts of the pages are small', async () => {
  const scripts = await bundle();
  const sizesBy = (compress: (contents: Uint8Array) => Uint8Array) =>
    Object.fromEntries(
      scripts.map(({ path, contents }) => [basename(path), compress(contents).length]),
    );
  const sizes = sizesBy(brotliCompressSync);
  const gzipped = sizesBy((contents) => gzipSync(contents, { level: 9 }));
  console.log(
    `Brotli: ${JSON.stringify(sizes)}, of ${MAX_RELEASE_BYTES} for release.js; gzip: ${JSON.stringify(gzipped)}`,
  );
  expect(Object.keys(sizes).toSorted()).toEqual([
    'draft.js',
    'files.js',
    'release.js',
    'worker.js',
  ]);
  expect(sizes['release.js']).toBeLessThanOrEqual(MAX_RELEASE_BYTES);
  expect(sizes['draft.js']).toBeLessThanOrEqual(MAX_RELEASE_BYTES);
  expect(sizes['files.js']).toBeLessThanOrEqual(MAX_OTHER_BYTES);
  expect(sizes['worker.js']).toBeLessThanOrEqual(MAX_OTHER_BYTES);
});

test('the scripts hold nothing that a page’s policy forbids', async () => {
  for (const { text } of await bundle()) {
    expect(text).not.toMatch(/\beval\(|new Function\(|\.innerHTML|document\.write/);
  }
});
