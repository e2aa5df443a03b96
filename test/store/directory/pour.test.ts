import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, equal } from '../../../src/core/bytes.ts';
import { pour, SenderFailure } from '../../../src/store/directory/pour.ts';

const never = new Promise<never>(() => {});

describe('pouring a stream into a file', () => {
  let folder: string;
  let handle: FileHandle;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weighhouse-pour-'));
    handle = await open(join(folder, 'file'), 'w+');
  });

  afterEach(async () => {
    await handle.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('whatever the chunks, every byte comes to its place and none beside it', async () => {
    const sizes = fc.array(
      fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 2, max: 300_000 })),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 0, max: 1000 }), async (lengths, position) => {
        await handle.truncate(0);
        const chunks = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
        const content = concat(...chunks);
        const length = content.length;
        expect(await pour(sent(chunks), { handle, position, length }, never)).toBe(length);
        const found = await readFile(join(folder, 'file'));
        expect(found.length).toBe(length === 0 ? 0 : position + length);
        expect(equal(found.subarray(position), content)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('thousands of tiny chunks come to their places', async () => {
    const chunks = Array.from({ length: 3_000 }, (_, at) => Uint8Array.of(at % 256));
    await pour(sent(chunks), { handle, position: 0, length: 3_000 }, never);
    expect(equal(await readFile(join(folder, 'file')), concat(...chunks))).toBe(true);
  });

  test('nothing is written behind the length, however much comes, and the sender is stopped', async () => {
    const chunks = [new Uint8Array(500_000), new Uint8Array(500_000), new Uint8Array(500_000)];
    let ended = false;
    const body = (async function* () {
      try {
        yield* chunks;
      } finally {
        ended = true;
      }
    })();
    const received = await pour(body, { handle, position: 0, length: 600_000 }, never);
    expect(received).toBe(1_000_000);
    expect((await handle.stat()).size).toBeLessThanOrEqual(600_000);
    expect(ended).toBe(true);
  });

  test('a sender waits while the disk does: a slow disk fills no memory', async () => {
    let taken = 0;
    const body = (async function* () {
      for (; taken < 64 << 20; taken += 1 << 16) yield new Uint8Array(1 << 16);
    })();
    const disk = Promise.withResolvers<never>();
    const slow = { writev: () => disk.promise } as unknown as FileHandle;
    const pouring = pour(body, { handle: slow, position: 0, length: 64 << 20 }, never);
    for (let turns = 0; turns < 2_000; turns++) await new Promise((done) => setImmediate(done));
    expect(taken).toBeLessThanOrEqual(2 << 20);
    disk.reject(new Error('the disk is gone'));
    await expect(pouring).rejects.toThrow('the disk is gone');
  });

  test('a chunk is let go of when it is written, not only at the end', async () => {
    const chunks: WeakRef<Uint8Array>[] = [];
    const body = (async function* () {
      for (let sentBytes = 0; sentBytes < 8 << 20; sentBytes += 1 << 20) {
        const chunk = new Uint8Array(1 << 20);
        chunks.push(new WeakRef(chunk));
        yield chunk;
        await new Promise((done) => setImmediate(done));
      }
      collectGarbage();
      const kept = chunks.filter((chunk) => chunk.deref() !== undefined);
      expect(kept.length).toBeLessThanOrEqual(3);
    })();
    await pour(
      body,
      { handle, position: 0, length: 8 << 20 },
      Promise.withResolvers<never>().promise,
    );
  });

  test('what the sender throws comes out as a failure of the sender', async () => {
    const cause = new Error('hung up');
    const body = (async function* () {
      yield new Uint8Array(10);
      throw cause;
    })();
    const failed = pour(body, { handle, position: 0, length: 20 }, never);
    await expect(failed).rejects.toBeInstanceOf(SenderFailure);
    await expect(failed).rejects.toMatchObject({ cause });
  });

  test('it can be stopped while the sender sends nothing', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    const body = (async function* () {
      yield new Uint8Array(10);
      await never;
    })();
    const pouring = pour(body, { handle, position: 0, length: 20 }, promise);
    reject(new Error('enough'));
    await expect(pouring).rejects.toThrow('enough');
  });
});

/** Node’s own gc(), without a flag on the command line. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

async function* sent(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}
