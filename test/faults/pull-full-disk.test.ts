/**
 * A pull onto a disk that has no room, or runs out of it at any step, says so and leaves
 * nothing wrong behind; once there is room the same pull goes on.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { noise } from '../made/noise.ts';
import { pinnedReader } from '../made/reader.ts';
import { type Contents, ServedRegistry } from '../made/served-registry.ts';
import { describeIf } from './needs.ts';

const MIB = 2 ** 20;
const DISK = 48 * MIB;
const ASKED = parseReference('acme/tiny@v1');
const FILES: Contents = { 'config.json': noise(1, 100), 'weights.bin': noise(2, 20 * MIB) };

const mounting: [string, ...string[]] = [
  'unshare',
  '--mount',
  'mount',
  '-t',
  'tmpfs',
  'none',
  '/mnt',
];

describeIf('leave to mount a file system (run as root)', mounting)('a full disk', () => {
  const pool = new HashingPool({ threads: 1 });
  let served: ServedRegistry;
  let reader: Reader;
  let disk: string;
  let folder: string;

  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'weighhouse-full-'));
    succeed('mount', '-t', 'tmpfs', '-o', `size=${DISK}`, 'none', disk);
    folder = join(disk, 'model');
    served = await ServedRegistry.start();
    served.publish('acme/tiny@v1', FILES);
    reader = await pinnedReader(served);
  });
  afterEach(async () => {
    await served.close();
    succeed('umount', disk);
    await rm(disk, { recursive: true, force: true });
  });
  afterAll(() => pool.close());

  /** Takes all room but so many bytes. */
  function fill(left = 0): void {
    const file = openSync(join(disk, 'filler'), 'w');
    const block = new Uint8Array(4096).fill(1);
    try {
      for (let size = 0; size < DISK - left; size += block.length) writeSync(file, block);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(file);
    }
  }

  const free = () => rm(join(disk, 'filler'));

  async function requireNothingWrong(): Promise<void> {
    for (const name of await readdir(folder)) {
      if (name === '.weighhouse' || name === 'model.sig') continue;
      expect(Buffer.compare(await readFile(join(folder, name)), FILES[name]!)).toBe(0);
    }
  }

  async function goesOnWithRoom(): Promise<void> {
    await requireNothingWrong();
    await free();
    await pull(reader, pool, ASKED, folder);
    const verdict = await verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder);
    expect(verdict).toMatchObject({ ok: true });
  }

  test('is found before a byte is fetched', async () => {
    fill(19 * MIB);
    served.requests.length = 0;
    await expect(pull(reader, pool, ASKED, folder)).rejects.toMatchObject({
      code: 'disk-full',
      details: { needed: 20 * MIB + 100 },
    });
    expect(served.requests.filter((path) => path.includes('/files/'))).toEqual([]);
    await goesOnWithRoom();
  });

  test('that has no room even for a lock ends it', async () => {
    fill();
    await expect(pull(reader, pool, ASKED, folder)).rejects.toThrowWithCode('disk-full');
    await goesOnWithRoom();
  });

  test('that fills up during the download ends it', async () => {
    served.spoil = (request) => {
      if (request.url?.includes('weights.bin')) fill();
      return false;
    };
    await expect(pull(reader, pool, ASKED, folder)).rejects.toThrowWithCode('disk-full');
    served.spoil = () => false;
    await goesOnWithRoom();
  });

  test('that has no room to note a chunk ends it', async () => {
    let answers = 0;
    served.spoil = (request, response, { bytes, start, size }) => {
      if (!request.url?.includes('weights.bin')) return false;
      // Wrong bytes take the room of the right ones; those then need none.
      const sent = ++answers === 1 ? bytes.slice().fill(0) : bytes;
      if (answers > 1) fill();
      const range = `bytes ${start}-${start + bytes.length - 1}/${size}`;
      response.writeHead(206, { 'content-length': bytes.length, 'content-range': range });
      response.end(sent);
      return true;
    };
    const pulling = pull(reader, pool, ASKED, folder, { connections: 1 });
    await expect(pulling).rejects.toThrowWithCode('disk-full');
    served.spoil = () => false;
    await goesOnWithRoom();
  });

  test('that has no room for the documents ends it', async () => {
    let isFetched = false;
    served.spoil = () => {
      isFetched = true;
      return false;
    };
    // The clock is asked for the time of the pull, right before the documents are left.
    const clock = () => {
      if (isFetched) fill();
      return reader.clock();
    };
    const late = pull({ ...reader, clock }, pool, ASKED, folder);
    await expect(late).rejects.toThrowWithCode('disk-full');
    expect(await readdir(join(folder, '.weighhouse'))).not.toContain('release.json');
    await goesOnWithRoom();
  });
});

function succeed(program: string, ...args: readonly string[]): void {
  expect(spawnSync(program, args).status).toBe(0);
}
