/** What a check says of content and of large statements, and what it does not take for damage. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/core/digest.ts';
import { chunkRoot, MIN_CHUNK_SIZE } from '../../src/core/release/chunks.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { bindingForm, makeBinding } from '../../src/registry/documents/content.ts';
import { check, confirm } from '../../src/scrub/check/check.ts';
import type { CheckParts } from '../../src/scrub/check/parts.ts';
import { Pace } from '../../src/scrub/pace.ts';
import { keys } from '../../src/store/keys.ts';
import { Disk } from '../made/memory-store.ts';
import { chunkListOf } from '../made/registry.ts';

const BYTES = new Uint8Array(2 * MIN_CHUNK_SIZE + 5).map((_, i) => i % 251);
const SHA256 = digestOf(nodeHost, BYTES);
const LIST = chunkListOf(BYTES);
const ROOT = chunkRoot(nodeHost, LIST);
const BLOB = keys.blob('ab'.repeat(16));
const DUE = { by: 'content', sha256: SHA256, size: BYTES.length, chunks: ROOT } as const;
const signal = new AbortController().signal;

let hashing: HashingPool;
beforeAll(() => {
  hashing = new HashingPool({ threads: 1 });
});
afterAll(() => hashing.close());

function partsOf(disk: Disk): CheckParts {
  const pace = new Pace({ signal });
  return {
    ...{ store: disk.open(), host: nodeHost, hashing, pace, signal },
    ...{ log: undefined, trust: undefined },
  };
}

function flipped(...at: number[]): Uint8Array {
  const bytes = BYTES.slice();
  for (const offset of at) bytes[offset]! ^= 1;
  return bytes;
}

function diskWith(bytes: Uint8Array): Disk {
  const disk = new Disk();
  disk.plant(BLOB, bytes);
  disk.plant(keys.chunks(ROOT), LIST);
  return disk;
}

describe('content', () => {
  test('is good, or damaged in the chunks that are named', async () => {
    expect(await check(partsOf(diskWith(BYTES)), BLOB, DUE)).toBeUndefined();
    const wrong = diskWith(flipped(3, 2 * MIN_CHUNK_SIZE));
    expect(await check(partsOf(wrong), BLOB, DUE)).toMatchObject({
      problem: 'damaged',
      chunks: [0, 2],
    });
  });

  test('that is cut short or too long is damaged, in the chunks that are not there', async () => {
    const short = diskWith(BYTES.subarray(0, MIN_CHUNK_SIZE + 1));
    expect(await check(partsOf(short), BLOB, DUE)).toMatchObject({ chunks: [1, 2] });
    const long = diskWith(new Uint8Array(BYTES.length + 1));
    expect(await check(partsOf(long), BLOB, DUE)).toMatchObject({ problem: 'damaged' });
  });

  test('without its chunk list is damaged as a whole', async () => {
    const disk = diskWith(flipped(3));
    disk.objects.delete(keys.chunks(ROOT));
    const found = await check(partsOf(disk), BLOB, DUE);
    expect(found).toMatchObject({ problem: 'damaged' });
    expect(found).not.toHaveProperty('chunks');
  });

  test('that reads well the second time was not damaged', async () => {
    const disk = diskWith(flipped(3));
    const found = (await check(partsOf(disk), BLOB, DUE))!;
    disk.plant(BLOB, BYTES);
    expect(await confirm(partsOf(disk), BLOB, DUE, found)).toBeUndefined();
  });

  test('whose digest was bound to another blob meanwhile is nobody’s any more', async () => {
    const disk = diskWith(flipped(3));
    const found = (await check(partsOf(disk), BLOB, DUE))!;
    const said = { blob: 'cd'.repeat(16), size: BYTES.length, chunks: ROOT };
    disk.plant(keys.digest(SHA256), bindingForm.format(makeBinding(nodeHost, SHA256, said)));
    expect(await confirm(partsOf(disk), BLOB, DUE, found)).toBeUndefined();
  });
});

describe('a statement', () => {
  test.each([1, 4 * 2 ** 20, 4 * 2 ** 20 + 1])(
    'of %d bytes is what its digest says',
    async (size) => {
      const bytes = BYTES.slice(0, size);
      const digest = digestOf(nodeHost, bytes);
      const key = keys.statement(digest);
      const due = { by: 'digest', digest } as const;
      const disk = new Disk();
      expect(await check(partsOf(disk), key, due)).toMatchObject({ problem: 'missing' });
      disk.plant(key, bytes);
      expect(await check(partsOf(disk), key, due)).toBeUndefined();
      bytes[size - 1]! ^= 1;
      disk.plant(key, bytes);
      expect(await check(partsOf(disk), key, due)).toMatchObject({ problem: 'damaged' });
    },
  );
});

describe('a binding', () => {
  const said = { blob: 'ab'.repeat(16), size: BYTES.length, chunks: ROOT };
  const due = { by: 'binding', sha256: SHA256, size: BYTES.length, chunks: ROOT } as const;
  const key = keys.digest(SHA256);

  test('whose name of the blob has rotted does not fit its sum', async () => {
    const disk = new Disk();
    const good = makeBinding(nodeHost, SHA256, said);
    disk.plant(key, bindingForm.format(good));
    expect(await check(partsOf(disk), key, due)).toBeUndefined();
    disk.plant(key, bindingForm.format({ ...good, blob: `cd${good.blob.slice(2)}` }));
    expect(await check(partsOf(disk), key, due)).toMatchObject({ problem: 'damaged' });
  });

  test('of before there were sums is good as far as it can be told', async () => {
    const disk = new Disk();
    disk.plant(key, bindingForm.format({ v: 1, blob: said.blob, size: said.size }));
    expect(await check(partsOf(disk), key, due)).toBeUndefined();
  });
});
