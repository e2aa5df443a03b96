import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareCodePoints } from '../../../src/core/bytes.ts';
import { formatDigest } from '../../../src/core/digest.ts';
import { formatCanonical, type Json } from '../../../src/core/json.ts';
import { parseFilePath } from '../../../src/core/release/path.ts';
import {
  formatInventory,
  INVENTORY_LIMITS,
  type Inventory,
  parseInventory,
} from '../../../src/core/weights/inventory.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import { readSafetensors } from '../../../src/core/weights/safetensors.ts';
import { makeSafetensors } from '../../made/safetensors.ts';

const SHA256 = formatDigest(new Uint8Array(32).fill(0xab));

const tensor = (name: string, offset: number, more: Record<string, Json> = {}) => ({
  name,
  dtype: 'U8',
  shape: [4],
  offset,
  size: 4,
  sha256: SHA256,
  ...more,
});

const document = (tensors: Json, more: Record<string, Json> = {}) =>
  formatCanonical({
    v: 1,
    files: [{ path: 'm.safetensors', format: 'safetensors', tensors, ...more }],
  });

describe('the tensor inventory', () => {
  test('of any files survives format and parse', async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(names, names, async (paths, tensors) => {
        const made = Object.fromEntries(
          tensors.map((name, i) => [name, { dtype: 'F16', shape: [i] }]),
        );
        const found = await readSafetensors(readerOf(makeSafetensors(made)), 'm');
        const inventory: Inventory = {
          files: paths
            .map((path) => ({
              path: parseFilePath(`${path}.st`),
              format: 'safetensors' as const,
              tensors: found.tensors.map((one) => ({ ...one, sha256: SHA256 })),
            }))
            .sort((a, b) => compareCodePoints(a.path, b.path)),
        };
        expect(parseInventory(formatInventory(inventory))).toEqual(inventory);
      }),
    );
  });

  test('looks as its description says', () => {
    const bytes = formatInventory({
      files: [
        {
          path: parseFilePath('m.gguf'),
          format: 'gguf',
          tensors: [
            { name: 'w', dtype: 'Q8_0', shape: [32], offset: 96, size: 34, sha256: SHA256 },
          ],
        },
      ],
    });
    expect(new TextDecoder().decode(bytes)).toBe(
      `{"files":[{"format":"gguf","path":"m.gguf","tensors":[{"dtype":"Q8_0","name":"w","offset":96,"sha256":"${SHA256}","shape":[32],"size":34}]}],"v":1}`,
    );
  });

  test.each<[string, Uint8Array]>([
    ['another version', formatCanonical({ v: 2, files: [] })],
    ['a list', formatCanonical([])],
    ['one member more', formatCanonical({ v: 1, files: [], x: 1 })],
    ['one member less', formatCanonical({ v: 1 })],
    ['files that are no list', formatCanonical({ v: 1, files: {} })],
    ['an unknown format', document([tensor('w', 64)], { format: 'pickle' })],
    ['a path that is a number', document([tensor('w', 64)], { path: 1 })],
    ['a file without tensors', document([])],
    ['a tensor with one member more', document([tensor('w', 64, { x: 1 })])],
    ['a tensor that is null', document([null])],
    ['a name that is a number', document([tensor('w', 64, { name: 1 })])],
    ['a bare digest', document([tensor('w', 64, { sha256: 'ab'.repeat(32) })])],
    ['an unknown dtype', document([tensor('w', 64, { dtype: 'Q8_0' })])],
    ['another size than dtype and shape make', document([tensor('w', 64, { size: 5 })])],
    ['a negative offset', document([tensor('w', -1)])],
    ['a fraction', document([tensor('w', 0.5)])],
    ['an offset of 2^53', document([tensor('w', 2 ** 53)])],
    ['an end over 2^53', document([tensor('w', 2 ** 53 - 2)])],
    ['tensors out of order', document([tensor('a', 68), tensor('b', 64)])],
    ['tensors that overlap', document([tensor('a', 64), tensor('b', 66)])],
    ['one name twice', document([tensor('a', 64), tensor('a', 68)])],
    ['one tensor twice', document([tensor('a', 64), tensor('a', 64)])],
    [
      'files out of order',
      formatCanonical({
        v: 1,
        files: ['b', 'a'].map((path) => ({
          path,
          format: 'safetensors',
          tensors: [tensor('w', 64)],
        })),
      }),
    ],
    [
      'one file twice',
      formatCanonical({
        v: 1,
        files: ['a', 'a'].map((path) => ({
          path,
          format: 'safetensors',
          tensors: [tensor('w', 64)],
        })),
      }),
    ],
  ])('is refused with %s', (_, bytes) => {
    expect(() => parseInventory(bytes)).toThrowWithCode('bad-document');
  });

  test('is refused with a path that leads out', () => {
    expect(() => parseInventory(document([tensor('w', 64)], { path: '../m' }))).toThrowWithCode(
      'bad-path',
    );
  });

  test('is refused in any other form than the canonical one', () => {
    const spaced = new TextEncoder().encode('{"files": [],"v":1}');
    expect(() => parseInventory(spaced)).toThrowWithCode('bad-json');
    expect(parseInventory(formatCanonical({ v: 1, files: [] }))).toEqual({ files: [] });
  });

  test('is made up to the limit and not a byte beyond it', () => {
    const path = parseFilePath('m.safetensors');
    const named = (length: number): Inventory => {
      const one = { ...tensor('n'.repeat(length), 0), shape: [4] };
      return { files: [{ path, format: 'safetensors', tensors: [one] }] };
    };
    const room = INVENTORY_LIMITS.maxBytes - formatInventory(named(0)).length;
    expect(formatInventory(named(room))).toHaveLength(INVENTORY_LIMITS.maxBytes);
    expect(() => formatInventory(named(room + 1))).toThrowWithCode('too-large');
  });

  test('is refused above the limit before it is read', () => {
    expect(() => parseInventory(new Uint8Array(INVENTORY_LIMITS.maxBytes + 1))).toThrowWithCode(
      'too-large',
    );
  });
});
