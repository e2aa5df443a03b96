import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { parseFilePath } from '../../../src/core/release/path.ts';
import type { Format } from '../../../src/core/weights/format.ts';
import {
  inspectFile,
  inspectRelease,
  MAX_CONFIG,
  refuseCode,
} from '../../../src/core/weights/inspect.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import { WIDELY_READ_HEADER } from '../../../src/core/weights/safetensors.ts';
import { GGUF, ggufKey, ggufString, makeGguf } from '../../made/gguf.ts';
import { frameSafetensors, makeSafetensors } from '../../made/safetensors.ts';

const inspect = (path: string, content: Uint8Array | string) =>
  inspectFile(parseFilePath(path), readerOf(typeof content === 'string' ? utf8(content) : content));

const WEIGHTS = makeSafetensors({ w: { dtype: 'F32', shape: [2] } }, { format: 'pt' });
const PICKLE = "cos\nsystem\n(S'x'\ntR.";
const none: ReadonlySet<Format> = new Set();

describe('inspecting a file', () => {
  test('of safetensors gives tensors and metadata, whatever it is called', async () => {
    for (const path of ['model.safetensors', 'pytorch_model.bin', 'a/weights']) {
      expect(await inspect(path, WEIGHTS)).toEqual({
        path,
        size: WEIGHTS.length,
        format: 'safetensors',
        metadata: { format: 'pt' },
        tensors: [{ name: 'w', dtype: 'F32', shape: [2], offset: WEIGHTS.length - 8, size: 8 }],
        warnings: [],
      });
    }
  });

  test('of GGUF gives tensors and general keys', async () => {
    const file = makeGguf({
      keys: [ggufKey('general.architecture', GGUF.string, ggufString('llama'))],
      tensors: [{ name: 'w', dtype: 'Q4_K', shape: [256, 2] }],
    });
    const found = await inspect('m.gguf', file);
    expect(found).toMatchObject({ format: 'gguf', metadata: { 'general.architecture': 'llama' } });
    expect(found.tensors?.map(({ dtype, size }) => [dtype, size])).toEqual([['Q4_K', 288]]);
  });

  test.each([
    ['model.safetensors', 'nothing of the kind'],
    ['model.safetensors', ''],
    ['model.gguf', 'nothing of the kind'],
    ['model.gguf', ''],
  ])('called %s that is none is refused', async (path, content) => {
    await expect(inspect(path, content)).rejects.toThrowWithCode('bad-weights');
  });

  test('with a safetensors header of over 25 MB remarks upon it', async () => {
    const header = (size: number) => frameSafetensors(`{}${' '.repeat(size - 2)}`);
    expect((await inspect('m.safetensors', header(WIDELY_READ_HEADER))).warnings).toHaveLength(0);
    expect((await inspect('m.safetensors', header(WIDELY_READ_HEADER + 1))).warnings).toHaveLength(
      1,
    );
  });

  test('reads of a large file only its ends, once each, and its header', async () => {
    const reads: [number, number][] = [];
    const size = 2 ** 20;
    const content = makeSafetensors({ w: { dtype: 'U8', shape: [size] } });
    const spy = {
      size: content.length,
      read: async (offset: number, length: number) => {
        reads.push([offset, length]);
        return content.subarray(offset, offset + length);
      },
    };
    await inspectFile(parseFilePath('m.safetensors'), spy);
    expect(reads).toHaveLength(2);
    expect(reads[0]![1] + reads[1]![1]).toBeLessThan(2 ** 18);
  });
});

describe('what executes code', () => {
  test.each([
    ['a pickle under a safetensors name', 'model.safetensors', PICKLE],
    ['a pickle', 'pytorch_model.bin', PICKLE],
    ['Python', 'modeling_x.py', 'x = 1'],
    ['empty Python', '__init__.py', ''],
    ['what is named like a pickle and unknown', 'model.pt', '\0\0\0\0'],
    ['a configuration that names code', 'config.json', '{"auto_map":{"AutoModel":"x--m.C"}}'],
    [
      'a configuration that names code deep inside',
      'a/tokenizer_config.json',
      '[{"a":{"auto_map" : 1}}]',
    ],
    ['a configuration that hides it in escapes', 'config.json', '{"\\u0061uto_m\\u0061p":{}}'],
    [
      'a configuration that only Python can read',
      'config.json',
      '{"x":Infinity,"trust_remote_code":true}',
    ],
  ])('%s is reported and refused', async (_, path, content) => {
    const found = await inspect(path, content);
    expect(found.executesCode).toBeDefined();
    expect(() => refuseCode([found], none)).toThrowWithCode('code-carrying-format');
    expect(() => refuseCode([found], new Set([found.format]))).not.toThrow();
  });

  test.each([
    ['a configuration', 'config.json', '{"model_type":"bert","a":[0.0,Infinity]}'],
    ['a configuration that quotes the word', 'config.json', '{"note":"\\"auto_map\\": no"}'],
    ['another JSON document', 'notes.json', '{"auto_map":{}}'],
    ['raw floats called .bin', 'group1-shard1of1.bin', '\0\0\0\0\x01\0\0\0'],
    ['labels', 'labels.txt', 'cat\ndog\nelephant\n'],
    ['tensors', 'model.safetensors', WEIGHTS],
  ])('%s is not', async (_, path, content) => {
    const found = await inspect(path, content);
    expect(found.executesCode).toBeUndefined();
    expect(() => refuseCode([found], none)).not.toThrow();
  });

  test('a configuration over the limit counts', async () => {
    const config = (size: number) => `{}${' '.repeat(size - 2)}`;
    expect((await inspect('config.json', config(MAX_CONFIG))).executesCode).toBeUndefined();
    expect((await inspect('config.json', config(MAX_CONFIG + 1))).executesCode).toBeDefined();
  });

  test('allowing one format does not allow another', async () => {
    const found = await inspect('modeling_x.py', 'x = 1');
    expect(() => refuseCode([found], new Set<Format>(['pickle']))).toThrowWithCode(
      'code-carrying-format',
    );
  });
});

describe('inspecting a release', () => {
  const shard = (name: string) => makeSafetensors({ [name]: { dtype: 'U8', shape: [4] } });
  const index = (map: Record<string, string>, total: number) =>
    JSON.stringify({ metadata: { total_size: total }, weight_map: map });
  const ONE = 'model-00001-of-00002.safetensors';
  const TWO = 'model-00002-of-00002.safetensors';

  test('passes when its shards and its index agree, with all warnings', async () => {
    const files = [
      await inspect('model.safetensors.index.json', index({ a: ONE, b: TWO }, 9)),
      await inspect(ONE, shard('a')),
      await inspect(TWO, shard('b')),
    ];
    expect(inspectRelease(files)).toEqual([expect.stringContaining('total_size 9')]);
  });

  test('is refused with an incomplete shard set', async () => {
    const files = [await inspect(ONE, shard('a'))];
    expect(() => inspectRelease(files)).toThrowWithCode('bad-weights');
  });

  test('is refused with twins', async () => {
    const files = [await inspect('README.md', 'a'), await inspect('readme.md', 'b')];
    expect(() => inspectRelease(files)).toThrowWithCode('bad-path');
  });
});
