import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FileJob } from '../../src/hashing/file-job.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { HashingThread } from '../../src/hashing/thread.ts';
import { naiveHashes } from './naive.ts';
import { plans } from './plans.ts';

const MiB = 1024 * 1024;
const bytes = randomBytes(4 * MiB);
/** With stretches this small, a file of a few MiB goes through many hands. */
const stretchBytes = MiB / 2;

/** Chunks so small, and so many, that a file of 4 MiB takes most of a second. */
const SLOW = 8;

/** A program that hashes one file of 10 bytes and leaves its pool open. */
const PRINTER = join(import.meta.dirname, 'open-pool.ts');

let folder: string;
let pool: HashingPool;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weighhouse-hashing-'));
  pool = new HashingPool({ threads: 3, stretchBytes });
});

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

function made(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('the hashes of a file', () => {
  test('are those of the plain way, wherever chunks, pieces and blocks end', async () => {
    const property = fc.asyncProperty(plans(2 * MiB), async (plan) => {
      const content = bytes.subarray(0, plan.size);
      const path = made('any', content);
      expect(await pool.hashFile(path, plan)).toEqual(naiveHashes(content, plan));
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test('are right for many files at once, of which some are cut and some are not', async () => {
    const sizes = [0, 1, 100, 5000, MiB, MiB + 1, 3 * MiB, 4 * MiB, ...Array(30).fill(MiB / 4)];
    const plan = { whole: true, chunkSize: 100_000 };
    const hashes = sizes.map((size, i) =>
      pool.hashFile(made(`many-${i}`, bytes.subarray(0, size)), { size, ...plan }),
    );
    const expected = sizes.map((size) => naiveHashes(bytes.subarray(0, size), { size, ...plan }));
    expect(await Promise.all(hashes)).toEqual(expected);
  });
});

describe('a file is refused', () => {
  const plan = { size: 100, whole: true } as const;

  test.each([
    ['shorter', 99],
    ['longer', 101],
  ])('when it is one byte %s than expected', async (_, size) => {
    const path = made('odd', bytes.subarray(0, size));
    await expect(pool.hashFile(path, plan)).rejects.toThrowWithCode('file-changed');
  });

  test('when it is a symbolic link', async () => {
    const link = join(folder, 'link');
    symlinkSync(made('target', bytes.subarray(0, 100)), link);
    await expect(pool.hashFile(link, plan)).rejects.toThrowWithCode('bad-path');
  });

  test('when it is a folder', async () => {
    await expect(pool.hashFile(folder, plan)).rejects.toThrowWithCode('bad-path');
  });

  test('when it is a named pipe, without waiting for a writer', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(pool.hashFile(pipe, plan)).rejects.toThrowWithCode('bad-path');
  });

  test('when the plan wants nothing of it', async () => {
    await expect(pool.hashFile(folder, { size: 1 })).rejects.toThrowWithCode('internal');
  });

  test('when it is not there', async () => {
    const absent = join(folder, 'absent');
    await expect(pool.hashFile(absent, plan)).rejects.toThrowWithCode('not-found');
  });

  test('when it is written to while it is hashed', async () => {
    const path = made('growing', bytes);
    const onProgress = (done: number) => done > 0 && appendFileSync(path, 'x');
    const hashes = pool.hashFile(path, { size: 4 * MiB, chunkSize: SLOW }, { onProgress });
    await expect(hashes).rejects.toThrowWithCode('file-changed');
  });

  test('when another file takes its name between two stretches', async () => {
    const path = made('first', bytes);
    const thread = new HashingThread();
    const job = new FileJob(path, { size: 4 * MiB, chunkSize: MiB }, {});
    job.begin(false, 2 * MiB);
    await job.advance(thread);
    renameSync(made('second', bytes), path);
    await job.advance(thread);
    await expect(job.hashes).rejects.toThrowWithCode('file-changed');
    await thread.close();
  });
});

describe('hashing that is given up', () => {
  const size = 4 * MiB;
  const plan = { size, whole: true, chunkSize: 1 } as const;

  test('ends with interrupted, and the pool goes on', async () => {
    const path = made('given-up', bytes);
    const stop = new AbortController();
    const hashes = pool.hashFile(path, plan, { signal: stop.signal });
    const others = pool.hashFile(path, { size, whole: true });
    queueMicrotask(() => stop.abort());
    await expect(hashes).rejects.toThrowWithCode('interrupted');
    expect(await others).toEqual(naiveHashes(bytes, { size, whole: true }));
  });

  test('ends within a block, not only with the stretch', async () => {
    const path = made('stopped', bytes);
    const job = new FileJob(path, { size, chunkSize: SLOW }, {});
    const thread = new HashingThread();
    job.begin(false, size);
    const stretch = job.advance(thread);
    job.stop(new Error('enough'));
    await stretch;
    await expect(job.hashes).rejects.toThrow('enough');
    expect(job.bytesDone).toBeLessThan(size);
    await thread.close();
  });

  test('is not begun when the signal came before', async () => {
    const signal = AbortSignal.abort();
    const hashes = pool.hashFile(join(folder, 'absent'), plan, { signal });
    await expect(hashes).rejects.toThrowWithCode('interrupted');
  });

  test('ends with interrupted when the pool is closed', async () => {
    const path = made('closing', bytes);
    const closing = new HashingPool({ threads: 1 });
    const hashes = [closing.hashFile(path, plan), closing.hashFile(path, plan)];
    const outcomes = Promise.allSettled(hashes);
    await closing.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    }
    await expect(closing.hashFile(path, plan)).rejects.toThrowWithCode('interrupted');
  });
});

describe('progress', () => {
  test('ends with the size of the file, never counts backwards and never beyond', async () => {
    const size = 4 * MiB;
    const reports: number[] = [];
    const onProgress = (done: number) => reports.push(done);
    const plan = { size, whole: true, chunkSize: 64 };
    await pool.hashFile(made('reported', bytes), plan, { onProgress });
    expect(reports.at(-1)).toBe(size);
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
  });
});

describe('a thread that dies', () => {
  test('fails the file that it had, with a sentence, instead of keeping it waiting', async () => {
    const program = new URL('./dying-worker.mjs', import.meta.url);
    const dying = new HashingPool({ threads: 1, program });
    const path = made('unlucky', bytes);
    const plan = { size: 4 * MiB, whole: true } as const;
    await expect(dying.hashFile(path, plan)).rejects.toThrowWithCode('internal');
    // The next file gets a new thread, and is told the same.
    await expect(dying.hashFile(path, plan)).rejects.toThrowWithCode('internal');
    await dying.close();
  });
});

describe('a process with a pool', () => {
  test('ends by itself although nobody closed the pool', () => {
    const path = made('left-open', bytes.subarray(0, 10));
    const plan = { size: 10, whole: true };
    const printed = execFileSync(process.execPath, [PRINTER, path], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(printed).toBe(naiveHashes(bytes.subarray(0, 10), plan).sha256);
  });
});
