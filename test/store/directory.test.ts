/** The directory store: the contract's suite, and what only a directory can get wrong. */
import { existsSync } from 'node:fs';
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { equal, utf8 } from '../../src/core/bytes.ts';
import type { Store, Version } from '../../src/store/contract.ts';
import { KEPT_GENERATIONS } from '../../src/store/directory/documents.ts';
import { openDirectory } from '../../src/store/directory.ts';
import { keys, prefixes } from '../../src/store/keys.ts';
import { MIN_PART_SIZE } from '../../src/store/upload-shape.ts';
import { storeContract } from '../contract/store.ts';

const newDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'weighhouse-store-'));

storeContract('a directory', async () => {
  const path = await newDirectory();
  return {
    open: () => openDirectory(path, { create: true }),
    async remove() {
      // Whatever was done to it, nothing is left lying about.
      expect(await readdir(join(path, 'temp'))).toEqual([]);
      await rm(path, { recursive: true, force: true });
    },
  };
});

let path: string;

beforeEach(async () => {
  path = await newDirectory();
});

afterEach(() => rm(path, { recursive: true, force: true }));

describe('opening a directory', () => {
  test('a directory without a store is refused, unless one is to be made', async () => {
    await expect(openDirectory(path)).rejects.toThrowWithCode('not-found');
    await expect(openDirectory(join(path, 'absent'))).rejects.toThrowWithCode('not-found');
    await (await openDirectory(path, { create: true })).close();
    await (await openDirectory(path)).close();
  });

  test('what was stored is there when it is opened again', async () => {
    const first = await openDirectory(path, { create: true });
    await first.create(keys.root(1), utf8('root'));
    const version = await first.swap(keys.lock(), null, utf8('one'));
    await first.close();
    const second = await openDirectory(path, { create: true });
    expect((await second.get(keys.root(1)))?.bytes).toEqual(utf8('root'));
    expect(await second.get(keys.lock())).toEqual({ bytes: utf8('one'), version });
  });

  test('a directory is made with what is missing above it, closed to other users', async () => {
    const deep = join(path, 'a', 'b', 'store');
    await openDirectory(deep, { create: true });
    expect((await stat(deep)).mode & 0o777).toBe(0o700);
  });

  test('a directory that holds something else is refused and left as it is', async () => {
    await writeFile(join(path, 'thesis.txt'), 'mine');
    await expect(openDirectory(path, { create: true })).rejects.toThrowWithCode('storage');
    expect(await readdir(path)).toEqual(['thesis.txt']);
  });

  test('a store of a later format is refused', async () => {
    await writeFile(join(path, 'weighhouse-store'), 'weighhouse directory store, format 2\n');
    await expect(openDirectory(path, { create: true })).rejects.toThrowWithCode('storage');
    await expect(openDirectory(path)).rejects.toThrowWithCode('storage');
  });

  test('a file is no directory', async () => {
    const file = join(path, 'file');
    await writeFile(file, '');
    await expect(openDirectory(file, { create: true })).rejects.toThrowWithCode('storage');
    await expect(openDirectory(file)).rejects.toThrowWithCode('not-found');
  });

  (existsSync('/proc/self') ? test : test.skip)(
    'a directory that cannot be made is said to be so, and not tried for ever',
    async () => {
      const opening = openDirectory('/proc/nope', { create: true });
      await expect(opening).rejects.toThrowWithCode('storage');
    },
  );

  test('a store whose making was interrupted is finished', async () => {
    await mkdir(join(path, 'objects'));
    await mkdir(join(path, 'temp'));
    const store = await openDirectory(path, { create: true });
    expect(await store.create(keys.root(1), utf8('root'))).toBe('created');
  });

  test('several may make one store at the same time', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, () => openDirectory(join(path, 'one'), { create: true })),
    );
    const outcomes = await Promise.all(
      made.map((store) => store.create(keys.root(1), utf8('root'))),
    );
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
  });

  test('temporary files of a day ago are swept, and younger ones of a live process stay', async () => {
    await openDirectory(path, { create: true });
    const [old, young] = [join(path, 'temp', 'old'), join(path, 'temp', 'young')];
    const hour = 3600;
    const now = Date.now() / 1000;
    await mkdir(old);
    await writeFile(join(old, 'content'), 'left behind');
    await writeFile(young, 'being written');
    await utimes(old, now - 25 * hour, now - 25 * hour);
    await utimes(young, now - 23 * hour, now - 23 * hour);
    await openDirectory(path);
    expect(await readdir(join(path, 'temp'))).toEqual(['young']);
  });
});

describe('objects', () => {
  test('lie under their keys, as they are, for a local process to read', async () => {
    const store = await openDirectory(path, { create: true });
    await store.create(keys.tile('tile/0/x001/234'), utf8('a tile'));
    expect(await readFile(store.localPath!(keys.tile('tile/0/x001/234')), 'utf8')).toBe('a tile');
    expect(await readFile(join(path, 'objects/log/tile/0/x001/234'), 'utf8')).toBe('a tile');
  });

  test('a stranger’s file among them is not listed', async () => {
    const store = await openDirectory(path, { create: true });
    await store.create(keys.root(1), utf8('root'));
    await writeFile(join(path, 'objects/root/.DS_Store'), '');
    await writeFile(join(path, 'objects/root/Thumbs.db'), '');
    const listed: string[] = [];
    for await (const key of store.list(prefixes.roots())) listed.push(key);
    expect(listed).toEqual([keys.root(1)]);
  });

  test('one that was cut short is refused in the midst of its stream', async () => {
    const store = await openDirectory(path, { create: true });
    const key = keys.root(1);
    await store.create(key, new Uint8Array(1 << 20));
    const stream = await store.read(key);
    await writeFile(store.localPath!(key), new Uint8Array(1000));
    await expect(new Response(stream).arrayBuffer()).rejects.toThrowWithCode('storage');
  });

  test('swapping what was made with create is refused as a mistake of ours', async () => {
    const store = await openDirectory(path, { create: true });
    await store.create(keys.root(1), utf8('root'));
    const { version } = (await store.get(keys.root(1)))!;
    await expect(store.swap(keys.root(1), version, utf8('other'))).rejects.toThrowWithCode(
      'internal',
    );
    expect(await store.swap(keys.root(1), null, utf8('other'))).toBeUndefined();
    await store.swap(keys.lock(), null, utf8('lock'));
    expect(await store.create(keys.lock(), utf8('other'))).toBe('exists');
  });
});

describe('documents', () => {
  let store: Store;

  beforeEach(async () => {
    store = await openDirectory(path, { create: true });
  });

  /** The folder with the generations of the lock. */
  async function generations(): Promise<string> {
    const folder = join(path, 'objects/private/lock');
    return join(folder, (await readdir(folder))[0]!);
  }

  async function writeTimes(times: number): Promise<Version> {
    let version = (await store.swap(keys.lock(), null, utf8('document 1')))!;
    for (let n = 2; n <= times; n++) {
      version = (await store.swap(keys.lock(), version, utf8(`document ${n}`)))!;
    }
    return version;
  }

  test('keep a few generations and remove the older ones', async () => {
    await writeTimes(KEPT_GENERATIONS);
    expect(await readdir(await generations())).toHaveLength(KEPT_GENERATIONS);
    await store.delete(keys.lock());
    await writeTimes(KEPT_GENERATIONS + 30);
    const left = (await readdir(await generations())).map(Number).sort((a, b) => a - b);
    expect(left).toHaveLength(KEPT_GENERATIONS);
    expect(left.at(-1)).toBe(KEPT_GENERATIONS + 30);
  });

  test('a damaged generation is named, and never passed over for an older one', async () => {
    await writeTimes(3);
    const file = join(await generations(), '3');
    const good = await readFile(file);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1;
      await writeFile(file, bad);
      await expect(store.get(keys.lock())).rejects.toThrowWithCode('storage');
    }
    for (let length = 0; length < good.length; length++) {
      await writeFile(file, good.subarray(0, length));
      await expect(store.get(keys.lock())).rejects.toThrowWithCode('storage');
    }
    await writeFile(file, good);
    expect((await store.get(keys.lock()))?.bytes).toEqual(utf8('document 3'));
  });

  test('a generation that a slow writer made long after its time changes nothing', async () => {
    const version = await writeTimes(20);
    // What link(2) of a writer leaves that slept from generation 4 on.
    await writeFile(join(await generations(), '5'), 'late');
    expect((await store.get(keys.lock()))?.bytes).toEqual(utf8('document 20'));
    const next = await store.swap(keys.lock(), version, utf8('document 21'));
    expect((await store.get(keys.lock()))?.version).toBe(next);
    expect(await readdir(await generations())).not.toContain('5');
  });
});

describe('uploads', () => {
  const size = MIN_PART_SIZE + 10;
  const shape = { size, partSize: MIN_PART_SIZE };
  const key = keys.blob('ab'.repeat(16));
  const first = new Uint8Array(MIN_PART_SIZE).fill(1);
  const second = new Uint8Array(10).fill(2);
  let store: Store;

  beforeEach(async () => {
    store = await openDirectory(path, { create: true });
  });

  async function content(): Promise<Uint8Array> {
    return new Uint8Array(await readFile(store.localPath!(key)));
  }

  test('go on after a restart', async () => {
    const id = await store.beginUpload(key, shape);
    const parts = [await store.putPart(key, id, 2, 10, sent(second))];
    await store.close();
    const again = await openDirectory(path);
    parts.push(await again.putPart(key, id, 1, MIN_PART_SIZE, sent(first)));
    await again.close();
    await (await openDirectory(path)).completeUpload(key, id, parts);
    expect((await content()).subarray(-10)).toEqual(second);
  });

  test('leave nothing behind when they end', async () => {
    const id = await store.beginUpload(key, shape);
    await store.putPart(key, id, 2, 10, sent(second));
    await store.abortUpload(key, id);
    expect(await readdir(join(path, 'uploads'))).toEqual([]);
    expect(await readdir(join(path, 'temp'))).toEqual([]);
  });

  test('an upload is for one key', async () => {
    const id = await store.beginUpload(key, shape);
    const elsewhere = keys.blob('cd'.repeat(16));
    await expect(store.putPart(elsewhere, id, 2, 10, sent(second))).rejects.toThrowWithCode(
      'internal',
    );
    await expect(store.completeUpload(elsewhere, id, [])).rejects.toThrowWithCode('internal');
  });

  test('an upload id that we did not make names nothing', async () => {
    for (const id of ['..', '../objects', '', 'a'.repeat(31), 'A'.repeat(32)]) {
      const wrong = id as Parameters<Store['abortUpload']>[1];
      await expect(store.abortUpload(key, wrong)).rejects.toThrowWithCode('internal');
    }
  });

  test('a part that is sent again takes over from a connection that hangs', async () => {
    const id = await store.beginUpload(key, { size: 10, partSize: MIN_PART_SIZE });
    const hanging = slowSender();
    const stalled = store.putPart(key, id, 1, 10, hanging.body);
    await hanging.reached;
    const parts = [await store.putPart(key, id, 1, 10, sent(second))];
    await expect(stalled).rejects.toThrowWithCode('conflict');
    await store.completeUpload(key, id, parts);
    await hanging.sendTheRest();
    expect(await content()).toEqual(second);
  });

  test('a write that hangs while its upload is completed cannot change the object', async () => {
    const id = await store.beginUpload(key, shape);
    const parts = [
      await store.putPart(key, id, 1, MIN_PART_SIZE, sent(first)),
      await store.putPart(key, id, 2, 10, sent(second)),
    ];
    const hanging = slowSender();
    const stalled = store.putPart(key, id, 2, 10, hanging.body);
    stalled.catch(() => {});
    await hanging.reached;
    // The part that is written anew counts as absent from its first byte on.
    await expect(store.completeUpload(key, id, parts)).rejects.toThrowWithCode('conflict');
    await expect(stalled).rejects.toThrowWithCode('conflict');
    await store.putPart(key, id, 2, 10, sent(second));
    await store.completeUpload(key, id, parts);
    const before = await content();
    await hanging.sendTheRest();
    expect(equal(await content(), before)).toBe(true);
  });

  test('another server cannot complete an upload while a part of it is being written', async () => {
    const other = await openDirectory(path);
    const id = await store.beginUpload(key, { size: 10, partSize: MIN_PART_SIZE });
    const hanging = slowSender();
    const stalled = store.putPart(key, id, 1, 10, hanging.body);
    await hanging.reached;
    // The client gave up and sent the part to the other server; there it is whole.
    const parts = [await other.putPart(key, id, 1, 10, sent(second))];
    await expect(other.completeUpload(key, id, parts)).rejects.toThrowWithCode('conflict');
    await hanging.sendTheRest();
    await stalled;
    await other.completeUpload(key, id, parts);
    expect(await content()).toEqual(new Uint8Array(10).fill(9));
  });

  test('an upload whose completion was cut off is completed by the next attempt, unchanged', async () => {
    const id = await store.beginUpload(key, { size: 10, partSize: MIN_PART_SIZE });
    const parts = [await store.putPart(key, id, 1, 10, sent(second))];
    // As a crash leaves it between link(2) and the removal of the upload.
    await mkdir(join(path, 'objects/blobs/ab'), { recursive: true });
    await link(join(path, 'uploads', id, 'content'), store.localPath!(key));
    await expect(store.putPart(key, id, 1, 10, sent(new Uint8Array(10)))).rejects.toThrowWithCode(
      'conflict',
    );
    await store.completeUpload(key, id, parts);
    expect(await content()).toEqual(second);
    expect(await readdir(join(path, 'uploads'))).toEqual([]);
  });

  test('completing never replaces an object from elsewhere', async () => {
    const id = await store.beginUpload(key, { size: 10, partSize: MIN_PART_SIZE });
    const parts = [await store.putPart(key, id, 1, 10, sent(second))];
    await store.create(key, utf8('was first'));
    await expect(store.completeUpload(key, id, parts)).rejects.toThrowWithCode('conflict');
    expect(await content()).toEqual(utf8('was first'));
  });

  test('closing the store ends the writes under way', async () => {
    const id = await store.beginUpload(key, { size: 10, partSize: MIN_PART_SIZE });
    const hanging = slowSender();
    const stalled = store.putPart(key, id, 1, 10, hanging.body);
    stalled.catch(() => {});
    await hanging.reached;
    await store.close();
    await expect(stalled).rejects.toThrowWithCode('conflict');
  });
});

async function* sent(...chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

/** Sends five nines, says so, and sends five more when it is told to. */
function slowSender() {
  const reached = Promise.withResolvers<void>();
  const resume = Promise.withResolvers<void>();
  const body = (async function* () {
    yield new Uint8Array(5).fill(9);
    reached.resolve();
    await resume.promise;
    yield new Uint8Array(5).fill(9);
  })();
  return {
    body,
    reached: reached.promise,
    async sendTheRest() {
      resume.resolve();
      for (let turns = 0; turns < 20; turns++) await new Promise((done) => setImmediate(done));
    },
  };
}
