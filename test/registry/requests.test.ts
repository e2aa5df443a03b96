/** What a publish and a pull cost: every operation of a store is a request to S3. */
import { beforeAll, expect, test } from '@jest/globals';
import { readDocuments } from '../../src/client/release.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { openSequencer } from '../../src/log/sequencer.ts';
import {
  ACME,
  FILES,
  type LiveRegistry,
  type MadeFiles,
  nonceOf,
  PUBLISHER,
  RELEASE,
  readAll,
  useWorlds,
  type World,
} from '../made/live-registry.ts';
import { fill, RUSHING } from '../made/log.ts';
import { type Cost, LARGE, RequestCount, SMALL } from '../made/request-count.ts';

const makeWorld = useWorlds();

/** Requests, as docs/benchmarks.md says them: of two small files, each of one chunk. */
const [PUBLISH, FIRST_PULL, PULL_AGAIN] = [39, 30, 14];
/** For each file more. */
const [PUBLISH_EACH, FIRST_PULL_EACH, PULL_AGAIN_EACH] = [1, 4, 4];
/** The tile of the level that a large log has more. */
const PROOFS = 1;

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
  await fill(log, size - begun, 'between');
  await log.close();
  return world;
}

/** What a pull asks a server for. */
async function pull({ registry }: LiveRegistry, files: MadeFiles): Promise<void> {
  await registry.release(RELEASE);
  const document = registry.document.bind(registry);
  await readDocuments({ document }, RELEASE, undefined);
  await registry.freshness(ACME);
  for (const path of Object.keys(files)) {
    const content = await registry.content(RELEASE, path);
    await content.chunkList();
    await readAll(await content.read({ offset: 0, length: content.size }));
  }
}

interface Costs {
  readonly publish: Cost;
  /** A pull from a server that has just started, and once more. */
  readonly first: Cost;
  readonly again: Cost;
}

async function costsAt(size: number, files: MadeFiles = FILES): Promise<Costs> {
  const world = await worldOf(size);
  const count = new RequestCount();
  const live = await world.open({}, { store: count.open(world.disk) });
  const digest = await live.push(PUBLISHER, RELEASE, files, nonceOf(2));
  const publish = await count.of(async () => {
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    await live.close();
  });
  const reading = await world.open({}, { store: count.open(world.disk) });
  const first = await count.of(() => pull(reading, files));
  return { publish, first, again: await count.of(() => pull(reading, files)) };
}

let small: Costs;
let large: Costs;
beforeAll(async () => {
  small = await costsAt(SMALL);
  large = await costsAt(LARGE);
});

test('a publish takes as many requests in a large log as in a small one', () => {
  expect(large.publish).toEqual(small.publish);
  expect(large.publish.total).toBe(PUBLISH);
  expect(large.publish.each).toMatchObject({ 'swap private/lock': 1, 'swap log/checkpoint': 1 });
});

test('a pull does too, but for the tiles of each level more at a server that has read none', () => {
  expect(small.first.total).toBe(FIRST_PULL);
  expect(large.first.total - small.first.total).toBe(PROOFS);
  expect(large.again).toEqual(small.again);
  expect(large.again.total).toBe(PULL_AGAIN);
});

test('each file more costs the same few requests', async () => {
  const more = await costsAt(SMALL, { ...FILES, 'more.txt': 'One file more.' });
  expect(more.publish.total - small.publish.total).toBe(PUBLISH_EACH);
  expect(more.first.total - small.first.total).toBe(FIRST_PULL_EACH);
  expect(more.again.total - small.again.total).toBe(PULL_AGAIN_EACH);
});
