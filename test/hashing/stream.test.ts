import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HashingPool } from '../../src/hashing/pool.ts';
import { naiveHashes } from './naive.ts';
import { plans } from './plans.ts';

const MiB = 1024 * 1024;
const bytes = randomBytes(3 * MiB);

let pool: HashingPool;

beforeAll(() => {
  pool = new HashingPool({ threads: 2 });
});

afterAll(() => pool.close());

/** `content` in parts of `partSize`, all in the same memory, as a socket may hand them out. */
async function* inParts(content: Uint8Array, partSize: number): AsyncGenerator<Uint8Array> {
  const part = new Uint8Array(partSize);
  for (let at = 0; at < content.length; at += partSize) {
    const next = content.subarray(at, at + partSize);
    part.set(next);
    yield part.subarray(0, next.length);
  }
}

describe('the hashes of a stream', () => {
  test('are those of the plain way, however the stream is parted', async () => {
    const cases = fc.record({
      plan: plans(3 * MiB),
      partSize: fc.integer({ min: 1000, max: MiB }),
    });
    const property = fc.asyncProperty(cases, async ({ plan, partSize }) => {
      const content = bytes.subarray(0, plan.size);
      const hashes = await pool.hashBytes(inParts(content, partSize), plan);
      expect(hashes).toEqual(naiveHashes(content, plan));
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test('do not get mixed up when many streams run at once', async () => {
    const sizes = Array.from({ length: 12 }, (_, i) => i * 200_000);
    const plan = { whole: true, chunkSize: 65_536 };
    const hashes = sizes.map((size) =>
      pool.hashBytes(inParts(bytes.subarray(0, size), 70_001), { size, ...plan }),
    );
    const expected = sizes.map((size) => naiveHashes(bytes.subarray(0, size), { size, ...plan }));
    expect(await Promise.all(hashes)).toEqual(expected);
  });
});

describe('a stream is refused', () => {
  const plan = { size: 1000, whole: true } as const;

  test.each([
    ['fewer', 999],
    ['more', 1001],
  ])('when one byte %s than declared comes', async (_, size) => {
    const hashes = pool.hashBytes(inParts(bytes.subarray(0, size), 100), plan);
    await expect(hashes).rejects.toThrowWithCode('digest-mismatch');
  });

  test('at the first byte too many, without reading on', async () => {
    let given = 0;
    async function* endless() {
      for (;;) {
        given++;
        yield bytes.subarray(0, 100);
      }
    }
    await expect(pool.hashBytes(endless(), plan)).rejects.toThrowWithCode('digest-mismatch');
    expect(given).toBe(11);
  });

  test('with the error of its own source', async () => {
    async function* broken() {
      yield bytes.subarray(0, 100);
      throw new Error('the line went dead');
    }
    await expect(pool.hashBytes(broken(), plan)).rejects.toThrow('the line went dead');
  });

  test('when it is given up', async () => {
    const stop = new AbortController();
    async function* stopped() {
      yield bytes.subarray(0, 100);
      stop.abort();
      yield bytes.subarray(0, 100);
    }
    const hashes = pool.hashBytes(stopped(), plan, { signal: stop.signal });
    await expect(hashes).rejects.toThrowWithCode('interrupted');
  });

  test('when its thread dies', async () => {
    const program = new URL('./dying-worker.mjs', import.meta.url);
    const dying = new HashingPool({ threads: 1, program });
    const hashes = dying.hashBytes(inParts(bytes, MiB), { size: 3 * MiB, whole: true });
    await expect(hashes).rejects.toThrowWithCode('internal');
    await dying.close();
  });
});
