/**
 * The log as others read it: a checker on the Go project's own note and tile code
 * (logcheck/, ours but for that), and fsck of transparency-dev/tessera.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installFsck } from '../../scripts/peers/fsck.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { Served } from '../made/served.ts';

const run = promisify(execFile);
const LOGCHECK = fileURLToPath(new URL('logcheck', import.meta.url));
const INSTALLING_MS = 300_000;
/** More than a tile holds, so that there are full tiles and a second level. */
const ENTRIES = 600;

let folder: string;
let served: Served;
let older: string;
let size: number;
let root: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-tile-log-'));
  await run('go', ['build', '-o', join(folder, 'logcheck'), '.'], { cwd: LOGCHECK });
  served = await Served.start();
  older = await save('older', await get('/log/checkpoint'));
  await served.publish('acme/tiny@1', { 'README.md': 'A tiny model.\n' });
  await served.sequencer.append({
    entries: Array.from({ length: ENTRIES }, (_, n) => utf8(`{"kind":"test","n":${n},"v":1}`)),
  });
  await served.publish('acme/tiny@2', { 'README.md': 'Another tiny model.\n' });
  const [, shownSize, shownRoot] = (await get('/log/checkpoint')).toString().split('\n');
  [size, root] = [Number(shownSize), shownRoot!];
}, INSTALLING_MS);

afterAll(async () => {
  await served?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function get(path: string): Promise<Buffer> {
  const response = await served.fetch(path);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function save(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

/** The checker's answer; rejects with what it found wrong. */
async function logcheck(...args: readonly string[]) {
  const { stdout } = await run(join(folder, 'logcheck'), args);
  return JSON.parse(stdout);
}

describe('logcheck', () => {
  const tree = (...args: string[]) => logcheck('tree', `${served.url}/log`, served.vkey, ...args);

  test('derives every tile and the root from the entries, and proves each entry', async () => {
    expect(size).toBeGreaterThan(ENTRIES);
    expect(await tree()).toEqual({ origin: served.origin, size, root });
  }, 60_000);

  test('finds that the log began with an older checkpoint', async () => {
    expect(await tree(older)).toMatchObject({ size, grew_from: 2 });
  }, 60_000);

  test('refuses another key, and a checkpoint of another future', async () => {
    const other = await Served.start();
    try {
      await expect(logcheck('tree', `${served.url}/log`, other.vkey)).rejects.toThrow('checkpoint');
      const foreign = await other.fetch('/log/checkpoint');
      const file = await save('foreign', new Uint8Array(await foreign.arrayBuffer()));
      await expect(tree(file)).rejects.toThrow('older checkpoint');
    } finally {
      await other.stop();
    }
  }, 60_000);

  test.each(['tile/0/000', 'tile/0/002.p/', 'tile/1/000.p/2', 'tile/entries/001'])(
    'finds one changed bit in %s',
    async (name) => {
      const path = name.endsWith('/') ? `${name}${size % 256}` : name;
      await throughLiar(path, (url) =>
        expect(logcheck('tree', url, served.vkey)).rejects.toThrow('logcheck:'),
      );
    },
    60_000,
  );
});

describe('proof files', () => {
  const documents = '/api/v1/releases/acme/tiny/2';

  test.each([
    ['release.tlog-proof', 0],
    ['model-sig.tlog-proof', 1],
  ])('%s is right about its entry, and about no other', async (name, offset) => {
    const { index: first } = await served.api('/releases/acme/tiny/2');
    const index = first + offset;
    const proof = await save(name, await get(`${documents}/${name}`));
    const right = await save('entry', await served.log.entry(index));
    const answer = await logcheck('proof', served.vkey, proof, right);
    expect(answer).toMatchObject({ origin: served.origin, index });
    const wrong = await save('entry', await served.log.entry(index - 1));
    await expect(logcheck('proof', served.vkey, proof, wrong)).rejects.toThrow('logcheck: entry');
  });
});

describe('fsck of Tessera', () => {
  let program: string;

  beforeAll(async () => {
    program = await installFsck();
  }, INSTALLING_MS);

  async function fsck(url = `${served.url}/log`) {
    const key = await save('vkey', utf8(`${served.vkey}\n`));
    const where = [`--storage_url=${url}/`, `--public_key=${key}`];
    // With one worker it waits for ever once that worker has found something. It says what it
    // found and ends with status 0.
    return run(program, [...where, '--ui=false', '--N=4']);
  }

  test('finds nothing wrong', async () => {
    const hex = Buffer.from(root, 'base64').toString('hex');
    const { stderr } = await fsck();
    expect(stderr).toMatch(new RegExp(`Successfully fsck'd log with size ${size} .*${hex}`));
  }, 60_000);

  test.each(['tile/0/001', 'tile/entries/000'])(
    'finds one changed bit in %s',
    async (path) => {
      await throughLiar(path, async (url) => {
        const { stderr } = await fsck(url);
        expect(stderr.includes('fsck failed')).toBe(true);
      });
    },
    60_000,
  );
});

/** Gives `act` the address of a mirror that serves one thing with its last bit changed. */
async function throughLiar(path: string, act: (url: string) => Promise<unknown>): Promise<void> {
  const liar = createServer(async (request, response) => {
    const truth = await served.fetch(request.url!);
    const bytes = Buffer.from(await truth.arrayBuffer());
    if (request.url === `/log/${path}`) bytes[bytes.length - 1]! ^= 1;
    response.writeHead(truth.status).end(bytes);
  });
  await new Promise<void>((ready) => liar.listen(0, '127.0.0.1', ready));
  try {
    await act(`http://127.0.0.1:${(liar.address() as AddressInfo).port}/log`);
  } finally {
    liar.closeAllConnections();
    await new Promise((closed) => liar.close(closed));
  }
}
