import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import { AHEAD, BLOCK_BYTES, BlobBlocks, MAX_BLOCKS } from '../../src/registry/blob-blocks.ts';
import type { ByteRange, Store } from '../../src/store/contract.ts';

const BLOB = '0'.repeat(32);
const { signal } = new AbortController();

/** A store with one blob of so many bytes; each byte says in which block it lies. */
function storeOf(
  size: number,
  fail: (range: ByteRange, times: number) => Error | undefined = () => undefined,
) {
  const reads: ByteRange[] = [];
  const store = {
    name: 'made',
    size: async () => size,
    read: async (_key: unknown, range: ByteRange) => {
      reads.push(range);
      const times = reads.filter(({ offset }) => offset === range.offset).length;
      const failure = fail(range, times);
      if (failure !== undefined) throw failure;
      const bytes = new Uint8Array(range.length).fill(range.offset / BLOCK_BYTES);
      return ReadableStream.from([bytes.subarray(0, 10), bytes.subarray(10)]);
    },
  };
  return { store: store as unknown as Store, reads };
}

describe('a blob that is read in blocks', () => {
  test('comes in order, with blocks asked for ahead', async () => {
    const size = 6 * BLOCK_BYTES + 100;
    const { store, reads } = storeOf(size);
    const found: [number, number][] = [];
    for await (const block of new BlobBlocks(store).read(BLOB, size, signal)) {
      expect(reads.length).toBeGreaterThanOrEqual(Math.min(7, found.length + AHEAD));
      found.push([block[0]!, block.length]);
    }
    const wanted = [0, 1, 2, 3, 4, 5].map((index) => [index, BLOCK_BYTES]);
    expect(found).toEqual([...wanted, [6, 100]]);
    expect(reads).toHaveLength(7);
  });

  test('asks again for a block that broke off, and for no other', async () => {
    const size = 3 * BLOCK_BYTES;
    const { store, reads } = storeOf(size, ({ offset }, times) =>
      offset === BLOCK_BYTES && times < 3 ? new CodedError('storage', 'cut short') : undefined,
    );
    let read = 0;
    for await (const block of new BlobBlocks(store).read(BLOB, size, signal)) read += block.length;
    expect(read).toBe(size);
    expect(reads).toHaveLength(5);
  });

  test('that keeps breaking off is given up, and one that is not there at once', async () => {
    const broken = storeOf(BLOCK_BYTES, () => new CodedError('storage', 'cut short'));
    await expect(all(broken.store, BLOCK_BYTES)).rejects.toThrowWithCode('storage');
    expect(broken.reads).toHaveLength(4);
    const gone = storeOf(BLOCK_BYTES, () => new CodedError('not-found', 'gone'));
    await expect(all(gone.store, BLOCK_BYTES)).rejects.toThrowWithCode('not-found');
    expect(gone.reads).toHaveLength(1);
  });

  test.each([1000, 1002])(
    'of another size than it should have is refused: %i for 1001',
    async (size) => {
      await expect(all(storeOf(size).store, 1001)).rejects.toThrowWithCode('digest-mismatch');
    },
  );

  test('takes no more memory when there are many, and none of them waits for ever', async () => {
    const size = 5 * BLOCK_BYTES;
    let held = 0;
    let most = 0;
    const { store } = storeOf(size);
    const counting = {
      ...store,
      read: async (key: never, range: ByteRange) => {
        most = Math.max(most, ++held);
        return store.read(key, range);
      },
    } as Store;
    const blocks = new BlobBlocks(counting);
    const reader = async () => {
      for await (const block of blocks.read(BLOB, size, signal)) {
        expect(block.length).toBe(BLOCK_BYTES);
        await new Promise((done) => setImmediate(done));
        held--;
      }
    };
    await Promise.all(Array.from({ length: 12 }, reader));
    expect(most).toBeLessThanOrEqual(MAX_BLOCKS);
  });

  test('gives its memory back when its reader stops early', async () => {
    const size = 20 * BLOCK_BYTES;
    const { store } = storeOf(size);
    const blocks = new BlobBlocks(store);
    for (let times = 0; times < 2 * MAX_BLOCKS; times++) {
      for await (const block of blocks.read(BLOB, size, signal)) {
        expect(block.length).toBe(BLOCK_BYTES);
        break;
      }
    }
  });
});

async function all(store: Store, size: number): Promise<void> {
  for await (const _ of new BlobBlocks(store).read(BLOB, size, signal));
}
