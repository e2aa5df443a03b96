import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { type FilePath, parseFilePath } from '../../../src/core/release/path.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import {
  checkShards,
  isShardIndexPath,
  MAX_SHARD_INDEX,
  readShardIndex,
  type ShardFile,
} from '../../../src/core/weights/sharded.ts';

const INDEX = parseFilePath('model.safetensors.index.json');
const [ONE, TWO] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

const shard = (path: string, ...names: string[]): ShardFile => ({
  path: parseFilePath(path),
  tensors: names.map((name, i) => ({ name, dtype: 'U8', shape: [4], offset: 8 + 4 * i, size: 4 })),
});

const indexed = async (
  map: unknown,
  totalSize?: unknown,
  path: FilePath = INDEX,
): Promise<ShardFile> => ({
  path,
  shardIndex: await read({ metadata: { total_size: totalSize }, weight_map: map }, path),
});

const read = (document: unknown, path: FilePath = INDEX) =>
  readShardIndex(path, readerOf(utf8(JSON.stringify(document))));

describe('shards with an index', () => {
  test('pass when both tell of the same tensors', async () => {
    const index = await indexed({ a: ONE, b: ONE, c: TWO }, 12);
    expect(checkShards([index, shard(ONE, 'a', 'b'), shard(TWO, 'c')])).toEqual([]);
  });

  test('are looked for in the index’s own folder', async () => {
    const path = parseFilePath('unet/diffusion.safetensors.index.fp16.json');
    const index = await indexed({ a: 'x.safetensors' }, 4, path);
    expect(checkShards([index, shard('unet/x.safetensors', 'a')])).toEqual([]);
    expect(() => checkShards([index, shard('x.safetensors', 'a')])).toThrowWithCode('bad-weights');
  });

  test.each<[string, Record<string, string>, ShardFile[]]>([
    [
      'a file that is not there',
      { a: 'x.safetensors', b: 'y.safetensors' },
      [shard('x.safetensors', 'a')],
    ],
    ['a file that holds no tensors', { a: 'README.md' }, [{ path: parseFilePath('README.md') }]],
    [
      'a tensor that no file holds',
      { a: 'x.safetensors', b: 'x.safetensors' },
      [shard('x.safetensors', 'a')],
    ],
    ['a tensor in another file', { a: ONE, b: TWO }, [shard(ONE, 'b'), shard(TWO, 'a')]],
    ['a tensor that two files hold', { a: ONE, b: TWO }, [shard(ONE, 'a'), shard(TWO, 'a', 'b')]],
    ['fewer tensors than a file holds', { a: 'x.safetensors' }, [shard('x.safetensors', 'a', 'b')]],
    ['fewer files than the set has', { a: ONE }, [shard(ONE, 'a'), shard(TWO, 'b')]],
  ])('are refused when the index names %s', async (_, map, files) => {
    expect(() => checkShards([...files])).not.toThrow();
    const index = await indexed(map);
    expect(() => checkShards([index, ...files])).toThrowWithCode('bad-weights');
  });

  test('of another total size are remarked upon: published indexes are often wrong there', async () => {
    const index = await indexed({ a: 'x.safetensors' }, 5);
    expect(checkShards([index, shard('x.safetensors', 'a')])).toHaveLength(1);
  });
});

describe('an index', () => {
  test.each([
    ['without a map', {}],
    ['whose map is a list', { weight_map: ['a'] }],
    ['that maps to a number', { weight_map: { a: 1 } }],
    ['that is a list', []],
  ])('%s is refused', async (_, document) => {
    await expect(read(document)).rejects.toThrowWithCode('bad-weights');
  });

  test.each(['../x.safetensors', '/x.safetensors', 'a\\b', 'C:x', ''])(
    'that leads to "%s" is refused',
    async (file) => {
      await expect(read({ weight_map: { a: file } })).rejects.toThrowWithCode('bad-path');
    },
  );

  test('with a tensor twice is refused', async () => {
    const text = '{"weight_map":{"a":"x","a":"y"}}';
    await expect(readShardIndex(INDEX, readerOf(utf8(text)))).rejects.toThrowWithCode(
      'bad-weights',
    );
  });

  test('over the limit is refused before it is read', async () => {
    const reader = (size: number) => ({ size, read: () => Promise.reject(new Error('read')) });
    await expect(readShardIndex(INDEX, reader(MAX_SHARD_INDEX + 1))).rejects.toThrowWithCode(
      'bad-weights',
    );
    await expect(readShardIndex(INDEX, reader(MAX_SHARD_INDEX))).rejects.toThrow('read');
  });

  test('is known by its name', () => {
    expect(isShardIndexPath('a/model.safetensors.index.json')).toBe(true);
    expect(isShardIndexPath('model.safetensors.index.fp16.json')).toBe(true);
    expect(isShardIndexPath('pytorch_model.bin.index.json')).toBe(false);
    expect(isShardIndexPath('model.safetensors.index.json.txt')).toBe(false);
  });
});

describe('a numbered set without an index', () => {
  const named = (...paths: string[]) => paths.map((path) => ({ path: parseFilePath(path) }));

  test.each([
    ['all shards', ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf']],
    ['numbers without zeros', ['model-1-of-2.safetensors', 'model-2-of-2.safetensors']],
    ['two sets of different length', ['m-1-of-1.gguf', 'm-1-of-2.gguf', 'm-2-of-2.gguf']],
    ['names that only look like one', ['variables.data-00000-of-00001', 'day-1-of-3.md']],
  ])('passes with %s', (_, paths) => {
    expect(checkShards(named(...paths))).toEqual([]);
  });

  test.each([
    ['the last', ['m-00001-of-00002.safetensors']],
    ['the first', ['m-00002-of-00002.gguf']],
    ['one in the middle', ['m-1-of-3.gguf', 'm-3-of-3.gguf']],
    ['one that lies in another folder', ['a/m-1-of-2.gguf', 'b/m-2-of-2.gguf']],
    ['all but one of very many', ['m-1-of-999999.gguf']],
  ])('is refused without %s', (_, paths) => {
    expect(() => checkShards(named(...paths))).toThrowWithCode('bad-weights');
  });

  test.each([
    ['nought', ['m-0-of-1.gguf', 'm-1-of-1.gguf']],
    ['one too high', ['m-1-of-1.gguf', 'm-2-of-1.gguf']],
    ['one there twice', ['m-1-of-2.gguf', 'm-01-of-2.gguf', 'm-2-of-2.gguf']],
  ])('is refused with the number %s', (_, paths) => {
    expect(() => checkShards(named(...paths))).toThrowWithCode('bad-weights');
  });
});
