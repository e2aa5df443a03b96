import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { keys, prefixes } from '../../src/store/keys.ts';
import {
  type LiveRegistry,
  PUBLISHER,
  RELEASE,
  useWorlds,
  type World,
} from '../made/live-registry.ts';
import type { Loose } from '../made/loose.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const makeWorld = useWorlds();
const LARGE = makeSafetensors({
  a: { dtype: 'U8', shape: [9 * 2 ** 20], bytes: new Uint8Array(9 * 2 ** 20).fill(7) },
});
const PATH = 'model.safetensors';

afterEach(() => {
  jest.restoreAllMocks();
});

/** A registry whose reading back is counted, and waits at `gate`. */
async function watched(gate: Promise<void> = Promise.resolve()) {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  const hashBytes = world.hashing.hashBytes.bind(world.hashing);
  const reads = jest
    .spyOn(world.hashing, 'hashBytes')
    .mockImplementation(async (...args) => gate.then(() => hashBytes(...args)) as never);
  await live.upload(PUBLISHER, RELEASE, { [PATH]: LARGE, 'README.md': 'Hello.' });
  return { world, live, reads };
}

/** What the store has of the large file. */
async function largeFile({ disk }: World): Promise<Loose> {
  const store = disk.open();
  for await (const key of store.list(prefixes.draftFiles(RELEASE))) {
    const file = JSON.parse(new TextDecoder().decode((await store.get(key))!.bytes));
    if (file.path === PATH) return file;
  }
}

/** Waits until it is noted of the large file that it was read. */
async function untilNoted(world: World): Promise<void> {
  while ((await largeFile(world)).content.verified === undefined) await setImmediate();
}

function seal(live: LiveRegistry) {
  return live.seal(PUBLISHER, RELEASE, [PATH, 'README.md']);
}

describe('a large file', () => {
  test('is read back when it has come whole, and not again by the seal', async () => {
    const { world, live, reads } = await watched();
    await untilNoted(world);
    expect(reads).toHaveBeenCalledTimes(1);
    expect(await seal(live)).toMatchObject({ state: 'sealed' });
    // The small one is left to the seal.
    expect(reads).toHaveBeenCalledTimes(2);
  });

  test('that is still being read when the seal is asked for is waited for', async () => {
    const gate = Promise.withResolvers<void>();
    const { live, reads } = await watched(gate.promise);
    while (reads.mock.calls.length === 0) await setImmediate();
    const sealing = seal(live);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    gate.resolve();
    expect(await sealing).toMatchObject({ state: 'sealed' });
    expect(reads).toHaveBeenCalledTimes(2);
  });

  test('gives the same manifest as one that only the seal has read', async () => {
    const ahead = await watched();
    await untilNoted(ahead.world);
    const other = await watched(new Promise(() => {}));
    other.reads.mockRestore();
    const restarted = await other.world.open();
    const one = await seal(ahead.live);
    expect((await seal(restarted)).digest).toBe(one.digest);
    other.world.bury(other.live);
  });

  test('that is found damaged is left for the seal to say so', async () => {
    const gate = Promise.withResolvers<void>();
    const { world, live } = await watched(gate.promise);
    const { blob } = (await largeFile(world)).content;
    const damaged = world.disk.bytes(keys.blob(blob)).slice();
    damaged[damaged.length - 1]! ^= 1;
    world.disk.plant(keys.blob(blob), damaged);
    const sealing = seal(live);
    gate.resolve();
    expect((await sealing).seal).toMatchObject({ error: { code: 'digest-mismatch' } });
    expect((await largeFile(world)).content.state).toBe('missing');
  });

  test('keeps no server from stopping', async () => {
    const { live, reads } = await watched();
    await live.registry.close();
    expect(reads.mock.calls.length).toBeLessThanOrEqual(1);
  });
});
