import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { madeWeights, shardNames } from '../../scripts/bench/made-weights.ts';
import { readerOf } from '../../src/core/weights/reader.ts';
import { readSafetensors } from '../../src/core/weights/safetensors.ts';

const MiB = 1024 * 1024;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weighhouse-made-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('made weights', () => {
  test('are safetensors of exactly the size asked for, whose index names every tensor', async () => {
    const directory = madeWeights(folder, { size: 68 * MiB, shards: 2, seed: 1 });
    const index = JSON.parse(
      readFileSync(join(directory, 'model.safetensors.index.json'), 'utf8'),
    ) as { weight_map: Record<string, string> };
    const found: Record<string, string> = {};
    for (const name of shardNames(2)) {
      const bytes = readFileSync(join(directory, name));
      expect(bytes.length).toBe(34 * MiB);
      const { tensors } = await readSafetensors(readerOf(bytes), name);
      for (const tensor of tensors) found[tensor.name] = name;
    }
    expect(found).toEqual(index.weight_map);
  });

  test('are the same for the same seed, and others for another', () => {
    const shard = (parent: string, seed: number) =>
      readFileSync(
        join(
          madeWeights(join(folder, parent), { size: MiB, shards: 1, seed }),
          'model.safetensors',
        ),
      );
    expect(shard('a', 7).equals(shard('b', 7))).toBe(true);
    expect(shard('a', 7).equals(shard('a', 8))).toBe(false);
  });

  test('are made once', () => {
    const shape = { size: MiB, shards: 1, seed: 9 };
    const first = statSync(madeWeights(folder, shape)).ino;
    expect(statSync(madeWeights(folder, shape)).ino).toBe(first);
    expect(readdirSync(folder).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });
});
