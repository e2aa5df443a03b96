import { describe, expect, test } from '@jest/globals';
import { chunkSizeFor } from '../../../src/core/release/chunks.ts';
import type { Manifest } from '../../../src/core/release/manifest.ts';
import { parseFilePath } from '../../../src/core/release/path.ts';
import {
  MAX_HEADERS,
  MAX_HEADERS_LENGTH,
  planHeaders,
} from '../../../src/core/weights/header-plan.ts';
import type { InventoryFile } from '../../../src/core/weights/inventory.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

interface Shard {
  readonly size: number;
  /** Where its first tensor begins. */
  readonly header: number;
}

/** The plan for a release of such shards and `rest` bytes of anything else. */
function plan(shards: readonly Shard[], rest = 1) {
  const files = [
    { path: 'config.json', size: rest, format: 'json' },
    ...shards.map(({ size }, i) => ({ path: `${i}.safetensors`, size, format: 'safetensors' })),
  ];
  const manifest = {
    release: 'acme/tiny@v1',
    files,
    size: files.reduce((sum, { size }) => sum + size, 0),
  };
  const inventory = shards.map(({ header }, i) => ({
    path: parseFilePath(`${i}.safetensors`),
    format: 'safetensors',
    tensors: [{ name: 'w', dtype: 'U8', shape: [1], offset: header, size: 1 }],
  }));
  return planHeaders(manifest as unknown as Manifest, {
    files: inventory as unknown as InventoryFile[],
  });
}

const shards = (count: number, shard: Shard) => Array.from({ length: count }, () => shard);
const reaches = ({ headers }: ReturnType<typeof plan>) => headers.map(({ reach }) => reach);

describe('what is read of a release', () => {
  test('is the header alone of many shards that are small for their chunks', () => {
    const made = plan(shards(8, { size: GIB / 4, header: 4096 }));
    expect(made.level).toBe('tensors');
    expect(reaches(made)).toEqual(Array(8).fill(4096));
  });

  test('is the whole chunk where that is a hundredth of the release, and not where it is more', () => {
    const shard = { size: 700 * MIB, header: 4096 };
    const whole = plan([shard], 100 * MIB);
    expect(whole).toMatchObject({ level: 'header', headers: [{ length: 4096, reach: 8 * MIB }] });
    // Two chunks of 8 MiB each; of 1,600 MiB that is a hundredth.
    expect(plan([shard, shard], 200 * MIB).level).toBe('header');
    expect(plan([shard, shard], 200 * MIB - 100).level).toBe('tensors');
  });

  test('is 8 MiB beyond the headers of any release, however small', () => {
    const shard = { size: 4 * MIB + 1000, header: 1000 };
    expect(plan([shard, shard]).level).toBe('header');
    expect(plan([shard, { ...shard, size: shard.size + 1 }]).level).toBe('tensors');
  });

  test('is as many chunks as a long header lies in', () => {
    const size = 10 * GIB;
    expect(reaches(plan([{ size, header: 8 * MIB }]))).toEqual([8 * MIB]);
    expect(reaches(plan([{ size, header: 8 * MIB + 1 }]))).toEqual([16 * MIB]);
  });

  test('counts the chunks of huge files as they are', () => {
    const size = 128 * GIB;
    expect(chunkSizeFor(size)).toBe(16 * MIB);
    expect(reaches(plan([{ size, header: 4096 }]))).toEqual([16 * MIB]);
  });

  test('is nothing of a release without weights', () => {
    expect(plan([])).toEqual({ level: 'header', headers: [] });
  });
});

describe('too much to look into is refused', () => {
  test('by the number of files', () => {
    const shard = { size: 1000, header: 100 };
    expect(plan(shards(MAX_HEADERS, shard)).headers).toHaveLength(MAX_HEADERS);
    expect(() => plan(shards(MAX_HEADERS + 1, shard))).toThrowWithCode('too-large');
  });

  test('by the bytes of all headers together', () => {
    const shard = { size: GIB, header: MAX_HEADERS_LENGTH / 20 };
    expect(plan(shards(20, shard)).headers).toHaveLength(20);
    const more = [...shards(19, shard), { ...shard, header: shard.header + 1 }];
    expect(() => plan(more)).toThrowWithCode('too-large');
  });
});
