import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { type PullOptions, pull } from '../../src/transfer/pull.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { noise } from '../made/noise.ts';
import { pinnedReader } from '../made/reader.ts';
import { type Contents, ServedRegistry, sendRange } from '../made/served-registry.ts';

const MIB = 2 ** 20;
const FIRST = parseReference('acme/tiny@v1');
/** Two and a half chunks, a few small files, an empty one. */
const FILES: Contents = {
  'README.md': utf8('A tiny model.\n'),
  'config.json': utf8('{"layers":1}'),
  'empty.txt': new Uint8Array(0),
  'onnx/model.bin': noise(1, 300_000),
  'weights.bin': noise(2, 20 * MIB),
};

const pool = new HashingPool();
let served: ServedRegistry;
let reader: Reader;
let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'weighhouse-pull-'));
  folder = join(parent, 'model');
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', FILES);
  reader = await pinnedReader(served);
});
afterEach(async () => {
  await served.close();
  await rm(parent, { recursive: true, force: true });
});
afterAll(() => pool.close());

function pullFirst(options: PullOptions = {}) {
  return pull(reader, pool, FIRST, folder, options);
}

function verify(full = false) {
  return verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder, { full });
}

/** Ranges of content that were asked for since the last call. */
function rangesAsked(): string[] {
  return served.requests.splice(0).filter((path) => path.includes('/files/'));
}

describe('a pull', () => {
  test('leaves every file as it was released, and what verify needs', async () => {
    const result = await pullFirst();
    expect(result).toMatchObject({ reference: 'acme/tiny@v1', files: 5, bytes: totalOf(FILES) });
    for (const [path, bytes] of Object.entries(FILES)) {
      expect(Buffer.compare(await readFile(join(folder, path)), bytes)).toBe(0);
    }
    expect((await readdir(join(folder, '.weighhouse'))).sort()).toEqual([
      'chunks',
      'entry',
      'manifest.json',
      'model-sig.tlog-proof',
      'release.dsse',
      'release.json',
      'release.tlog-proof',
      'root.1.json',
    ]);
    expect(await verify()).toMatchObject({ ok: true, digest: result.digest, index: result.index });
    expect(await verify(true)).toMatchObject({ ok: true });
  });

  test('done again fetches nothing', async () => {
    await pullFirst();
    rangesAsked();
    expect(await pullFirst()).toMatchObject({ fetched: 0 });
    expect(rangesAsked()).toEqual([]);
  });

  test('repairs a damaged file by fetching only the chunk that does not fit', async () => {
    await pullFirst();
    rangesAsked();
    const location = join(folder, 'weights.bin');
    const bytes = await readFile(location);
    bytes[9 * MIB]! ^= 1;
    await writeFile(location, bytes);
    expect(await pullFirst()).toMatchObject({ fetched: 8 * MIB });
    expect(rangesAsked()).toHaveLength(1);
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('of selected files leaves these alone, and verify knows it', async () => {
    expect(await pullFirst({ include: ['*.json', 'onnx'] })).toMatchObject({ files: 2 });
    expect(await verify()).toMatchObject({ ok: true, files: 2 });
    await writeFile(join(folder, 'README.md'), 'Another model.\n');
    expect(await verify()).toMatchObject({ ok: false, code: 'digest-mismatch' });
  });

  test('of no file at all is a mistake', async () => {
    await expect(pullFirst({ include: ['*.gguf'] })).rejects.toThrowWithCode('usage');
  });

  test('as a dry run says what it would fetch, and makes nothing', async () => {
    expect(await pullFirst({ dryRun: true })).toMatchObject({ fetched: totalOf(FILES) });
    expect(await readdir(parent)).toEqual([]);
  });

  test('replaces what an earlier pull left, and removes what the new release has not', async () => {
    await pullFirst();
    served.publish('acme/tiny@v2', { 'config.json': utf8('{"layers":2}') });
    await pull(reader, pool, parseReference('acme/tiny'), folder);
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('{"layers":2}');
    expect(await verify()).toMatchObject({ ok: true, files: 1 });
  });
});

const onLinux = existsSync('/proc/self') ? test : test.skip;

describe('what lies in the folder', () => {
  onLinux('a folder that cannot be made ends the pull and is named', async () => {
    const pulling = pull(reader, pool, FIRST, '/proc/nope');
    await expect(pulling).rejects.toThrowWithCode('storage');
    await expect(pulling).rejects.toThrow('/proc/nope');
  });

  test('a file that no pull has left is not overwritten', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), 'mine');
    await expect(pullFirst()).rejects.toThrowWithCode('conflict');
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('mine');
  });

  test('a file of the earlier release that somebody changed is not overwritten', async () => {
    await pullFirst();
    await writeFile(join(folder, 'config.json'), 'mine');
    served.publish('acme/tiny@v2', { 'config.json': utf8('{"layers":2}') });
    const second = pull(reader, pool, parseReference('acme/tiny'), folder);
    await expect(second).rejects.toThrowWithCode('conflict');
  });

  test('a right file is kept, whoever put it there', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'weights.bin'), FILES['weights.bin']!);
    expect((await pullFirst()).fetched).toBe(totalOf(FILES) - 20 * MIB);
  });

  test.each([
    ['the file', 'config.json'],
    ['a folder on its way', 'onnx'],
    ['our own folder', '.weighhouse'],
    ['our folder of partial files', '.weighhouse/partial'],
  ])('nothing is written through a symbolic link in the place of %s', async (_, path) => {
    const outside = join(parent, 'outside');
    await mkdir(outside);
    await mkdir(join(folder, path, '..'), { recursive: true });
    await symlink(outside, join(folder, path));
    await expect(pullFirst()).rejects.toThrowWithCode('bad-path');
    expect(await readdir(outside)).toEqual([]);
  });

  test('two pulls at once into one folder are refused', async () => {
    let second: Promise<unknown> | undefined;
    served.spoil = (_request, response, range) => {
      second ??= pullFirst().catch((error: unknown) => error);
      // The first one has not ended before the second one has.
      void second.then(() => sendRange(response, range));
      return true;
    };
    await pullFirst();
    expect(await second).toMatchObject({ code: 'conflict' });
    await pullFirst();
  });

  test('the lock of a process that is gone is taken over', async () => {
    await mkdir(join(folder, '.weighhouse'), { recursive: true });
    await writeFile(join(folder, '.weighhouse', 'lock.4194303.1.0'), '');
    expect(await pullFirst()).toMatchObject({ files: 5 });
  });
});

describe('a pull that was stopped', () => {
  test('keeps the chunks that were there and fetches only the others', async () => {
    const stop = new AbortController();
    let chunks = 0;
    served.spoil = (request) => {
      if (request.url?.includes('weights.bin') && chunks++ > 0) stop.abort();
      return false;
    };
    // One connection, so that the first stretch is the one that the stop leaves behind.
    served.publish('acme/tiny@v2', { 'weights.bin': noise(3, 40 * MIB) });
    const asked = parseReference('acme/tiny@v2');
    const options = { connections: 1, signal: stop.signal };
    await expect(pull(reader, pool, asked, folder, options)).rejects.toThrowWithCode('interrupted');
    expect(await readdir(folder)).toEqual(['.weighhouse']);
    served.spoil = () => false;
    expect((await pull(reader, pool, asked, folder)).fetched).toBe(8 * MIB);
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('trusts no journal: what does not fit is fetched again', async () => {
    const stop = new AbortController();
    let requests = 0;
    served.spoil = () => {
      if (++requests === 2) stop.abort();
      return false;
    };
    served.publish('acme/tiny@v2', { 'weights.bin': noise(3, 40 * MIB) });
    const asked = parseReference('acme/tiny@v2');
    const options = { connections: 1, signal: stop.signal };
    await expect(pull(reader, pool, asked, folder, options)).rejects.toThrowWithCode('interrupted');
    const partials = join(folder, '.weighhouse', 'partial');
    const name = (await readdir(partials)).find((each) => !each.includes('.'))!;
    const bytes = await readFile(join(partials, name));
    bytes[100]! ^= 1;
    await writeFile(join(partials, name), bytes);
    served.spoil = () => false;
    await pull(reader, pool, asked, folder);
    expect(await verify(true)).toMatchObject({ ok: true });
  });
});

describe('a server', () => {
  test('that sends wrong bytes is given up, naming file and chunk, and leaves no file', async () => {
    served.spoil = (request, response, { bytes, start, size }) => {
      if (!request.url?.includes('weights.bin')) return false;
      const wrong = bytes.slice();
      if (start <= 9 * MIB) wrong[9 * MIB - start]! ^= 1;
      const range = `bytes ${start}-${start + bytes.length - 1}/${size}`;
      response.writeHead(206, { 'content-length': wrong.length, 'content-range': range });
      response.end(wrong);
      return true;
    };
    await expect(pullFirst()).rejects.toMatchObject({
      code: 'digest-mismatch',
      details: { path: 'weights.bin', chunk: 1 },
    });
    expect(await readdir(folder)).not.toContain('weights.bin');
  });

  test('that lies about a chunk list is refused', async () => {
    served.tamper = (path, bytes) => (path.includes('/chunks/') ? new Uint8Array(96) : bytes);
    await expect(pullFirst()).rejects.toThrowWithCode('digest-mismatch');
  });

  test('that redirects is followed, without the token', async () => {
    const other = await ServedRegistry.start();
    other.publish('acme/tiny@v1', FILES);
    const tokens: unknown[] = [];
    other.spoil = (request) => {
      tokens.push(request.headers.authorization);
      return false;
    };
    served.spoil = (request, response) => {
      response.writeHead(307, { location: `${other.url}${request.url}`, 'content-length': 2 });
      response.end('no');
      return true;
    };
    await pullFirst();
    await other.close();
    expect(await verify()).toMatchObject({ ok: true });
    expect(new Set(tokens)).toEqual(new Set([undefined]));
  });
});

function totalOf(files: Contents): number {
  return Object.values(files).reduce((sum, { length }) => sum + length, 0);
}
