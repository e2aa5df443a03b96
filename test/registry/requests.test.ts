/** What a publish and a pull cost: every operation of a store is a request to S3. */
import { expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { DEFAULT_POOL_LIMIT } from '../../src/log/pool.ts';
import { openSequencer } from '../../src/log/sequencer.ts';
import {
  ACME,
  FILES,
  type LiveRegistry,
  nonceOf,
  PUBLISHER,
  RELEASE,
  readAll,
  useWorlds,
  type World,
} from '../made/live-registry.ts';
import { entry, RUSHING } from '../made/log.ts';
import { type Cost, RequestCount } from '../made/request-count.ts';

const makeWorld = useWorlds();

/** The log of the second has a level more. */
const [SMALL, LARGE] = [1_000, 100_072];
const FULL = DEFAULT_POOL_LIMIT.entries;

/** Requests, as docs/benchmarks.md says them: of two small files, each of one chunk. */
const [PUBLISH, FIRST_PULL, PULL_AGAIN] = [39, 43, 25];
/** Of the release, of its hashedrekord, and of the heads. */
const PROOFS = 3;

/** What a client reads of a release before it asks for the bytes, and to know that it is the newest. */
const DOCUMENTS = [
  'manifest.json',
  'model.sig',
  'release.dsse',
  'entry',
  'release.tlog-proof',
  'model-sig.tlog-proof',
] as const;

/** A log with the namespace acme, one release, and other entries up to `size`. */
async function worldOf(size: number): Promise<World> {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  await live.release(PUBLISHER, parseReleaseName('acme/tiny@v0'), { 'README.md': 'The first.' });
  const { size: begun } = await live.reader.published();
  await live.close();
  const log = await openSequencer({
    ...world.logOptions(world.disk.open()),
    ...{ turns: RUSHING, clock: world.clock, random: () => new Uint8Array(16).fill(9), period: 1 },
  });
  for (let left = size - begun; left > 0; left -= FULL) {
    const count = Math.min(FULL, left);
    await log.append({ entries: Array.from({ length: count }, (_, i) => entry(`${left} ${i}`)) });
  }
  await log.close();
  return world;
}

async function readRelease({ registry }: LiveRegistry): Promise<void> {
  await registry.release(RELEASE);
  await Promise.all(DOCUMENTS.map((name) => registry.document(RELEASE, name)));
  await registry.freshness(ACME);
  for (const path of Object.keys(FILES)) {
    const content = await registry.content(RELEASE, path);
    await content.chunkList();
    await readAll(await content.read({ offset: 0, length: content.size }));
  }
}

/** A publish; then a pull from a server that has just started, and once more. */
async function costsAt(size: number): Promise<Record<'publish' | 'first' | 'again', Cost>> {
  const world = await worldOf(size);
  const count = new RequestCount();
  const live = await world.open({}, { store: count.open(world.disk) });
  const digest = await live.push(PUBLISHER, RELEASE, FILES, nonceOf(2));
  const publish = await count.of(async () => {
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    await live.close();
  });
  const reading = await world.open({}, { store: count.open(world.disk) });
  const first = await count.of(() => readRelease(reading));
  return { publish, first, again: await count.of(() => readRelease(reading)) };
}

const costs = async () => [await costsAt(SMALL), await costsAt(LARGE)] as const;

test('a publish takes as many requests in a large log as in a small one', async () => {
  const [small, large] = await costs();
  expect(large.publish).toEqual(small.publish);
  expect(large.publish.total).toBe(PUBLISH);
  expect(large.publish.each).toMatchObject({ 'swap private/lock': 1, 'swap log/checkpoint': 1 });
});

test('a pull does too, but for a tile more for each level of the tree and proof at a server that has read none', async () => {
  const [small, large] = await costs();
  expect(small.first.total).toBe(FIRST_PULL);
  expect(large.first.total - small.first.total).toBe(PROOFS);
  expect(large.again).toEqual(small.again);
  expect(large.again.total).toBe(PULL_AGAIN);
});
