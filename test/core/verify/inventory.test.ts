import { describe, expect, test } from '@jest/globals';
import { digestOf, formatDigest } from '../../../src/core/digest.ts';
import type { Manifest } from '../../../src/core/release/manifest.ts';
import { parseFilePath } from '../../../src/core/release/path.ts';
import { openInventory } from '../../../src/core/verify/inventory.ts';
import { formatInventory } from '../../../src/core/weights/inventory.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const SHA256 = formatDigest(new Uint8Array(32).fill(0xab));
const FILE = { path: 'm.safetensors', size: 100, format: 'safetensors' };

/** The inventory of one file with one tensor, which ends at byte 100. */
const BYTES = formatInventory({
  files: [
    {
      path: parseFilePath(FILE.path),
      format: 'safetensors',
      tensors: [{ name: 'w', dtype: 'U8', shape: [20], offset: 80, size: 20, sha256: SHA256 }],
    },
  ],
});
const NAMED = { sha256: digestOf(nodeHost, BYTES), size: BYTES.length };

function open(file: Partial<typeof FILE>, tensors: Manifest['tensors'] = NAMED) {
  const manifest = { release: 'acme/tiny@v1', files: [{ ...FILE, ...file }], tensors };
  return openInventory(nodeHost, manifest as unknown as Manifest, BYTES);
}

describe('the inventory of a release', () => {
  test('is the document that its manifest names, of files that it has', () => {
    expect(open({})).toMatchObject({ ok: true, inventory: { files: [{ path: FILE.path }] } });
  });

  test('has the digest and the size that the manifest names', () => {
    for (const other of [{ sha256: SHA256 }, { size: NAMED.size + 1 }]) {
      expect(open({}, { ...NAMED, ...other })).toMatchObject({
        ok: false,
        code: 'digest-mismatch',
      });
    }
  });

  test.each([
    ['a file that the release has not', { path: 'other.safetensors' }],
    ['a file of another format there', { format: 'gguf' }],
    ['a tensor beyond the end of its file', { size: 99 }],
  ])('that tells of %s is refused', (_, file) => {
    expect(() => open(file)).toThrowWithCode('bad-document');
  });
});
