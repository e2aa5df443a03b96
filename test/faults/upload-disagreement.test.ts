/**
 * The store and what the registry noted of an upload can come to differ: a part that is being
 * sent again takes the first one's place and is then broken off, or a bucket drops an upload
 * that is old. Whatever was lost, the same push again must be able to finish.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createLog } from '../../src/log/recover.ts';
import type { FileTicket } from '../../src/registry/registry.ts';
import type { Store } from '../../src/store/contract.ts';
import { openDirectory } from '../../src/store/directory.ts';
import {
  declared,
  type LiveRegistry,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';
import { START } from '../made/log.ts';

const makeWorld = useWorlds();
const PATH = 'a.bin';
const BYTES = new Uint8Array(8 * 2 ** 20 + 5).map((_, i) => i % 241);
const PARTS = partsOf(BYTES);

async function openDraft(): Promise<LiveRegistry> {
  const live = await (await makeWorld()).openWithNamespace();
  await live.registry.openDraft(PUBLISHER, RELEASE);
  return live;
}

async function declare({ registry }: LiveRegistry) {
  const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared(PATH, BYTES));
  return ticket as Extract<FileTicket, { state: 'upload' }>;
}

function put({ registry }: LiveRegistry, upload: string, number: number, body?: Body) {
  const { bytes, ...part } = PARTS[number - 1]!;
  return registry.putPart(PUBLISHER, RELEASE, { upload, ...part }, body ?? streamOf(bytes));
}
type Body = AsyncIterable<Uint8Array>;

/** What a client does that runs again: it asks what is missing, sends that and seals. */
async function pushAgain(live: LiveRegistry): Promise<void> {
  const { upload, parts } = await declare(live);
  const there = new Set(parts.map(({ number }) => number));
  for (const { number } of PARTS) if (!there.has(number)) await put(live, upload, number);
  await live.registry.completeUpload(PUBLISHER, RELEASE, upload);
  expect(await live.seal(PUBLISHER, RELEASE, [PATH])).toMatchObject({ state: 'sealed' });
}

/** The store, but what `holds` says of a key is awaited before an object is created there. */
function holding(store: Store, holds: (key: string) => Promise<void> | undefined): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name !== 'create') return Reflect.get(target, name).bind?.(target) ?? target.name;
      return async (...[key, bytes]: Parameters<Store['create']>) => {
        await holds(key);
        return target.create(key, bytes);
      };
    },
  });
}

test('a part that was sent again and broken off while the first one was being noted is sent anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weighhouse-upload-'));
  const real = await openDirectory(join(folder, 'store'), { create: true });
  const [noting, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const store = holding(real, (key) => {
    if (!/^private\/uploads\/\w+\/1$/.test(key)) return undefined;
    noting.resolve();
    return held.promise;
  });
  const world = await makeWorld();
  await createLog({ ...world.logOptions(store), time: START, random: new Uint8Array(16) });
  const live = await world.open({}, { store });
  await live.createNamespace('acme');
  await live.registry.openDraft(PUBLISHER, RELEASE);

  const { upload } = await declare(live);
  await put(live, upload, 2);
  const first = put(live, upload, 1);
  await noting.promise;
  const begun = Promise.withResolvers<void>();
  const again = put(live, upload, 1, brokenOff(begun.resolve));
  await expect(again).rejects.toThrow('broken off');
  held.resolve();
  await first;

  const complete = live.registry.completeUpload(PUBLISHER, RELEASE, upload);
  await expect(complete).rejects.toThrowWithCode('conflict');
  await pushAgain(live);
  await live.close();
  await real.close();
  await rm(folder, { recursive: true });
});

async function* brokenOff(begun: () => void): Body {
  yield PARTS[0]!.bytes.subarray(0, 100);
  begun();
  throw new Error('broken off');
}

describe('an upload that the store has dropped', () => {
  test('is begun anew after a part was refused', async () => {
    const live = await openDraft();
    const { upload } = await declare(live);
    await put(live, upload, 1);
    live.world.disk.uploads.clear();
    await expect(put(live, upload, 2)).rejects.toThrowWithCode('not-found');
    expect(await declare(live)).toMatchObject({ parts: [] });
    await pushAgain(live);
  });

  test('is begun anew after it could not be completed', async () => {
    const live = await openDraft();
    const { upload } = await declare(live);
    for (const { number } of PARTS) await put(live, upload, number);
    live.world.disk.uploads.clear();
    const complete = live.registry.completeUpload(PUBLISHER, RELEASE, upload);
    await expect(complete).rejects.toThrowWithCode('not-found');
    await pushAgain(live);
  });

  test('is left alone when it is gone because it was completed', async () => {
    const live = await openDraft();
    const { upload } = await declare(live);
    await put(live, upload, 2);
    const [sent, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const late = put(live, upload, 1, pausing(sent.resolve, rest.promise));
    await sent.promise;
    await put(live, upload, 1);
    await live.registry.completeUpload(PUBLISHER, RELEASE, upload);
    rest.resolve();
    await late.catch(() => {});
    expect(await live.seal(PUBLISHER, RELEASE, [PATH])).toMatchObject({ state: 'sealed' });
  });
});

async function* pausing(sent: () => void, rest: Promise<void>): Body {
  yield PARTS[0]!.bytes.subarray(0, 100);
  sent();
  await rest;
  yield PARTS[0]!.bytes.subarray(100);
}

test('of two senders of one part with different bytes none is told that its part is there when it is not', async () => {
  const live = await openDraft();
  const { upload } = await declare(live);
  const other = PARTS[0]!.bytes.slice().fill(1);
  const sends = [PARTS[0]!.bytes, other].map((bytes) => {
    const [started, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const part = { upload, ...partsOf(bytes)[0]! };
    const body = waiting(bytes, started.resolve, go.promise);
    const done = live.registry.putPart(PUBLISHER, RELEASE, part, body);
    return { started: started.promise, go: go.resolve, done };
  });
  const [one, two] = sends as [(typeof sends)[0], (typeof sends)[0]];
  await Promise.all([one.started, two.started]);
  one.go();
  await one.done;
  two.go();
  await expect(two.done).rejects.toThrowWithCode('conflict');
  // The store has the second one's bytes: the first one's digest must not stand for them.
  await pushAgain(live);
});

async function* waiting(bytes: Uint8Array, started: () => void, go: Promise<void>): Body {
  started();
  await go;
  yield bytes;
}
