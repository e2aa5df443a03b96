import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { parseFilePath } from '../../../src/core/release/path.ts';
import {
  headerLength,
  MAX_HEADER_LENGTH,
  readHeader,
  type WeightsFile,
} from '../../../src/core/weights/header.ts';
import { inspectFile } from '../../../src/core/weights/inspect.ts';
import type { InventoryFormat } from '../../../src/core/weights/inventory.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import type { Tensor } from '../../../src/core/weights/tensor.ts';
import { GGUF, ggufKey, ggufString, makeGguf } from '../../made/gguf.ts';
import { frameSafetensors, makeSafetensors } from '../../made/safetensors.ts';

const TENSORS = { v: { dtype: 'F32', shape: [2, 3] }, w: { dtype: 'BF16', shape: [4] } };
const SAFETENSORS = makeSafetensors(TENSORS, { format: 'pt' });
const GGUF_FILE = makeGguf({
  keys: [ggufKey('general.architecture', GGUF.string, ggufString('llama'))],
  tensors: [
    { name: 'v', dtype: 'Q4_K', shape: [256, 2] },
    { name: 'w', dtype: 'F32', shape: [3] },
  ],
});
const KINDS: [InventoryFormat, Uint8Array][] = [
  ['safetensors', SAFETENSORS],
  ['gguf', GGUF_FILE],
  ['safetensors', makeSafetensors({})],
  ['gguf', makeGguf({})],
];

/** The file as its release would have it, and its header. */
async function split(format: InventoryFormat, bytes: Uint8Array) {
  const path = parseFilePath(`m.${format}`);
  const whole = await inspectFile(path, readerOf(bytes));
  const file: WeightsFile = { path, size: bytes.length, format, tensors: whole.tensors ?? [] };
  return { whole, file, header: bytes.slice(0, headerLength(file)) };
}

/** A file of `format` whose first tensor begins there. */
function beginningAt(offset: number, format: InventoryFormat = 'safetensors'): WeightsFile {
  const tensors = [{ name: 'w', dtype: 'F32', shape: [1], offset, size: 4 }];
  return { path: parseFilePath('m'), size: offset + 4, format, tensors };
}

describe('a header without its weights', () => {
  test.each(KINDS)('of %s says what the whole file says', async (format, bytes) => {
    const { whole, file, header } = await split(format, bytes);
    expect(await readHeader(file, header)).toEqual(whole);
  });

  test('ends where the first tensor begins, or with the file when there is none', () => {
    expect(headerLength(beginningAt(4096))).toBe(4096);
    expect(headerLength({ ...beginningAt(4096), size: 100, tensors: [] })).toBe(100);
  });

  test.each(['safetensors', 'gguf'] as const)('of %s has a largest length', (format) => {
    const limit = MAX_HEADER_LENGTH[format];
    expect(headerLength(beginningAt(limit, format))).toBe(limit);
    expect(() => headerLength(beginningAt(limit + 1, format))).toThrowWithCode('bad-document');
    const empty = { ...beginningAt(0, format), tensors: [] };
    expect(headerLength({ ...empty, size: limit })).toBe(limit);
    expect(() => headerLength({ ...empty, size: limit + 1 })).toThrowWithCode('bad-document');
  });

  test('has at least the bytes that tell its format and its length', () => {
    expect(headerLength(beginningAt(8))).toBe(8);
    expect(() => headerLength(beginningAt(7))).toThrowWithCode('bad-document');
  });

  test('the largest of every reader fits', () => {
    const { safetensors, gguf } = MAX_HEADER_LENGTH;
    expect(safetensors).toBe(100_000_008);
    expect(gguf).toBeGreaterThanOrEqual(100_000_000);
    expect(gguf % 65_536).toBe(0);
  });
});

describe('a header that is not the one that was released', () => {
  const CHANGES: [string, (tensors: readonly Tensor[]) => readonly Tensor[]][] = [
    ['a tensor more', (all) => all.slice(0, -1)],
    ['a tensor less', ([first, ...rest]) => [first!, ...rest, { ...first!, name: 'x' }]],
    ['another name', ([first, ...rest]) => [first!, { ...rest[0]!, name: 'x' }]],
    ['another dtype', ([first, ...rest]) => [first!, { ...rest[0]!, dtype: 'F16' }]],
    ['another shape', ([first, ...rest]) => [first!, { ...rest[0]!, shape: [2, 2] }]],
    ['a shape of more dimensions', ([first, ...rest]) => [first!, { ...rest[0]!, shape: [4, 1] }]],
    ['another place', ([first, ...rest]) => [first!, { ...rest[0]!, offset: 9_999 }]],
    ['another size', ([first, ...rest]) => [first!, { ...rest[0]!, size: 9 }]],
  ];
  test.each(CHANGES)('has %s than the inventory', async (_, change) => {
    for (const [format, bytes] of [KINDS[0]!, KINDS[1]!]) {
      const { file, header } = await split(format, bytes);
      const signed = { ...file, tensors: change(file.tensors) };
      const read = readHeader(signed, header);
      await expect(read).rejects.toThrowWithCode('digest-mismatch');
      await expect(read).rejects.toThrow(`m.${format}`);
    }
  });

  test('is longer or shorter than the inventory says, whatever it says itself', async () => {
    for (const [format, bytes] of [KINDS[0]!, KINDS[1]!]) {
      const { file, header } = await split(format, bytes);
      // GGUF has up to 31 bytes of padding behind its header.
      for (const length of [header.length - 32, 8]) {
        const wrong = header.subarray(0, length);
        await expect(readHeader(file, wrong)).rejects.toThrowWithCode('digest-mismatch');
      }
    }
    const { file } = await split('safetensors', SAFETENSORS);
    for (const length of [0n, 1n, 8n, 99_000_000n, 2n ** 63n]) {
      const lie = frameSafetensors('{}'.padEnd(headerLength(file) - 8), undefined, length);
      await expect(readHeader(file, lie)).rejects.toThrowWithCode('digest-mismatch');
    }
  });

  test('is no header at all', async () => {
    for (const [format, bytes] of KINDS) {
      const { file, header } = await split(format, bytes);
      const noise = utf8('x'.repeat(header.length));
      await expect(readHeader(file, noise)).rejects.toThrowWithCode('digest-mismatch');
    }
  });
});
