/** A full disk: a file system of 8 MiB in memory. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isCoded } from '../../../src/core/error.ts';
import type { Store } from '../../../src/store/contract.ts';
import { openDirectory } from '../../../src/store/directory.ts';
import { keys } from '../../../src/store/keys.ts';
import { MIN_PART_SIZE } from '../../../src/store/upload-shape.ts';
import { describeIf } from '../needs.ts';

const SIZE = 8 << 20;
const mounting = ['unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'] as const;

let directory: string;
let store: Store;

describeIf('leave to mount a file system (run as root)', mounting)('a full disk', () => {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weighhouse-full-'));
    succeed('mount', '-t', 'tmpfs', '-o', `size=${SIZE}`, 'none', directory);
    store = await openDirectory(directory, { create: true });
  });

  afterEach(async () => {
    await store.close();
    succeed('umount', directory);
    await rm(directory, { recursive: true, force: true });
  });

  /** Fills the disk up to its last page; resolves to the number of the last object. */
  async function fill(): Promise<number> {
    for (const size of [1 << 20, 1 << 12]) {
      for (let number = size; ; number++) {
        try {
          await store.create(keys.root(number), new Uint8Array(size).fill(1));
        } catch (error) {
          expect(isCoded(error, 'disk-full')).toBe(true);
          break;
        }
      }
    }
    return 1 << 20;
  }

  test('refuses a write with disk-full, and takes it when there is space again', async () => {
    const number = await fill();
    const bytes = new Uint8Array(1 << 16);
    await expect(store.create(keys.lock(), bytes)).rejects.toThrowWithCode('disk-full');
    expect(await store.size(keys.lock())).toBeUndefined();
    await store.delete(keys.root(number));
    expect(await store.create(keys.lock(), bytes)).toBe('created');
  });

  test('keeps what is there: objects are read, documents stay at their version', async () => {
    const version = await store.swap(keys.lock(), null, new Uint8Array(100).fill(1));
    const number = await fill();
    const swapping = store.swap(keys.lock(), version!, new Uint8Array(1 << 16));
    await expect(swapping).rejects.toThrowWithCode('disk-full');
    expect((await store.get(keys.lock()))?.version).toBe(version);
    expect(await store.size(keys.root(number))).toBe(1 << 20);
    await store.delete(keys.root(number));
    expect(await store.swap(keys.lock(), version!, new Uint8Array(1 << 16))).toBeDefined();
  });

  test('leaves nothing behind of what it refused', async () => {
    await fill();
    await expect(store.create(keys.lock(), new Uint8Array(1 << 16))).rejects.toThrow();
    expect(await readdir(join(directory, 'temp'))).toEqual([]);
  });

  test('ends the part of an upload, which goes on when there is space again', async () => {
    const key = keys.blob('ab'.repeat(16));
    const upload = await store.beginUpload(key, { size: 1 << 19, partSize: MIN_PART_SIZE });
    const number = await fill();
    const put = () => store.putPart(key, upload, 1, 1 << 19, ones(1 << 19));
    await expect(put()).rejects.toThrowWithCode('disk-full');
    const missing = store.completeUpload(key, upload, [{ number: 1, tag: '' }]);
    await expect(missing).rejects.toThrowWithCode('conflict');
    await store.delete(keys.root(number));
    await store.completeUpload(key, upload, [await put()]);
    expect((await store.get(key))?.bytes.every((byte) => byte === 1)).toBe(true);
  });
});

function succeed(program: string, ...args: readonly string[]): void {
  expect(spawnSync(program, args).status).toBe(0);
}

async function* ones(length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < length; at += 1 << 16) yield new Uint8Array(1 << 16).fill(1);
}
