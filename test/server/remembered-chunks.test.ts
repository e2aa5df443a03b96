/** What is hashed of a file in a directory, and what is not hashed again. The chunks are tiny. */
import { renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import pino from 'pino';
import { digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import type { Content } from '../../src/registry/registry.ts';
import { contentSender } from '../../src/server/content.ts';
import { type Listening, listen } from '../../src/server/listen.ts';
import { problemHandler } from '../../src/server/problem.ts';
import { AT_REST_MS, REMEMBERED_MS } from '../../src/server/whole-chunks.ts';

const CHUNK = 16;
const CHUNKS = 4;
const BYTES = Uint8Array.from({ length: CHUNKS * CHUNK }, (_, i) => i);

let folder: string;
let path: string;
let pool: HashingPool;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-remembered-'));
  path = join(folder, 'weights.bin');
  pool = new HashingPool({ threads: 1 });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

let server: Listening;
/** By how much the server's clock is ahead of the file system's. */
let ahead: number;
/** Offsets of the chunks that were hashed. */
let hashed: number[];
/** Done right before and right after a chunk is hashed. */
let before: () => void;
let after: () => void;
beforeEach(async () => {
  write(BYTES);
  ahead = AT_REST_MS;
  hashed = [];
  before = after = () => {};
  const hashing: Parameters<typeof contentSender>[0] = {
    hashBytes: () => Promise.reject(new Error('it is a file')),
    async hashFile(file, plan, options) {
      hashed.push(plan.pieces![0]!.offset);
      before();
      const hashes = await pool.hashFile(file, plan, options);
      after();
      return hashes;
    },
  };
  const sender = contentSender(hashing, { clock: () => Date.now() + ahead });
  const app = () => {
    const it = express();
    it.get('/', (request, response) => sender.send(request, response, content()));
    return it.use(problemHandler(pino({ level: 'silent' })));
  };
  server = await listen(app, { host: '127.0.0.1', port: 0 });
});
afterEach(() => server.close(100));

function content(): Content {
  const chunks = Array.from({ length: CHUNKS }, (_, i) => BYTES.slice(i * CHUNK, (i + 1) * CHUNK));
  const list = Buffer.concat(chunks.map((chunk) => nodeHost.sha256(chunk)));
  return {
    path: 'weights.bin',
    size: BYTES.length,
    sha256: digestOf(nodeHost, BYTES),
    chunkSize: CHUNK,
    chunkList: async () => new Uint8Array(list),
    read: () => Promise.reject(new Error('it is a file')),
    localPath: path,
  };
}

/** Writes the file, so that its state differs from before whatever the clock's tick is. */
function write(bytes: Uint8Array): void {
  const state = () => statSync(path, { bigint: true, throwIfNoEntry: false })?.ctimeNs;
  const before = state();
  do writeFileSync(path, bytes);
  while (state() === before);
}

async function read(range?: string): Promise<Uint8Array | number> {
  const response = await fetch(server.url, { headers: range === undefined ? {} : { range } });
  return response.ok ? response.bytes() : response.status;
}

/** What a reader had and what was hashed for it. */
async function reading(range?: string) {
  hashed = [];
  return { bytes: await read(range), hashed };
}

/** A time of whole seconds, which can be set exactly. */
const LONG_AGO = 1_700_000_000;
const WITH_ONE_CHANGED = BYTES.with(0, 255);

describe('a second reader', () => {
  test('causes no hashing, and has the same bytes', async () => {
    expect(await reading()).toEqual({ bytes: BYTES, hashed: [0, 16, 32, 48] });
    expect(await reading()).toEqual({ bytes: BYTES, hashed: [] });
  });

  test('causes hashing of those chunks alone that the first one did not ask for', async () => {
    expect((await reading('bytes=17-33')).hashed).toEqual([16, 32]);
    expect(await reading()).toEqual({ bytes: BYTES, hashed: [0, 48] });
  });

  test('causes it anew after the limit', async () => {
    await reading();
    ahead += REMEMBERED_MS + 1;
    expect(await reading()).toEqual({ bytes: BYTES, hashed: [0, 16, 32, 48] });
    expect((await reading()).hashed).toEqual([]);
  });

  test('causes it anew while the file was just written', async () => {
    ahead = 0;
    await reading();
    expect((await reading()).hashed).toEqual([0, 16, 32, 48]);
  });
});

describe('after its chunks were remembered', () => {
  beforeEach(() => read());

  test('a changed byte is found', async () => {
    write(WITH_ONE_CHANGED);
    expect(await read()).toBe(500);
  });

  test('it is found although the time of the last write was set back', async () => {
    utimesSync(path, LONG_AGO, LONG_AGO);
    await read();
    const state = statSync(path, { bigint: true });
    write(WITH_ONE_CHANGED);
    utimesSync(path, LONG_AGO, LONG_AGO);
    expect(statSync(path, { bigint: true }).mtimeNs).toBe(state.mtimeNs);
    ahead += AT_REST_MS;
    expect(await read()).toBe(500);
    expect(await read()).toBe(500);
  });

  test('another file in its place is found', async () => {
    const other = join(folder, 'other.bin');
    writeFileSync(other, WITH_ONE_CHANGED);
    renameSync(other, path);
    expect(await read()).toBe(500);
  });

  test('a shorter file is found', async () => {
    truncateSync(path, BYTES.length - 1);
    expect(await read()).toBe(500);
  });

  test('the same bytes, written anew, are hashed and sent', async () => {
    write(BYTES);
    ahead += AT_REST_MS;
    expect(await reading()).toEqual({ bytes: BYTES, hashed: [0, 16, 32, 48] });
    expect((await reading()).hashed).toEqual([]);
  });
});

describe('a file that changes while it is hashed', () => {
  test('is hashed anew for the next reader', async () => {
    after = () => write(BYTES);
    await read('bytes=0-15');
    after = () => {};
    expect((await reading()).hashed).toEqual([0, 16, 32, 48]);
  });

  test('is hashed once more before it is sent, and sent if only its times have changed', async () => {
    after = once(() => write(BYTES));
    expect(await reading('bytes=0-15')).toEqual({ bytes: BYTES.subarray(0, 16), hashed: [0, 0] });
  });

  test('is hashed once more before it is sent, and not sent if its bytes have', async () => {
    after = once(() => write(WITH_ONE_CHANGED));
    expect(await reading('bytes=0-15')).toEqual({ bytes: 500, hashed: [0, 0] });
  });

  test('again and again is not sent', async () => {
    after = () => write(BYTES);
    expect(await read('bytes=0-15')).toBe(500);
  });

  test('by becoming another file is not sent: that one was hashed, and the open one would go out', async () => {
    const good = join(folder, 'good.bin');
    writeFileSync(good, BYTES);
    write(WITH_ONE_CHANGED);
    before = once(() => renameSync(good, path));
    expect(await reading('bytes=0-15')).toEqual({ bytes: 500, hashed: [0, 0] });
    expect(await read()).toEqual(BYTES);
  });
});

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
