/** What the log costs: every operation of a store is a request to S3. */
import { expect, test } from '@jest/globals';
import { emptyLog, FULL_BATCH, fill, RUSHING, sequence } from '../made/log.ts';
import type { Disk } from '../made/memory-store.ts';
import { LARGE, RequestCount, SMALL } from '../made/request-count.ts';

/** A log of `size` entries. */
async function logOf(size: number): Promise<Disk> {
  const disk = await emptyLog();
  const log = await sequence(disk.open());
  await fill(log, size, 'before');
  await log.close();
  return disk;
}

/** Does not listen for others, which takes a busy server a request every half a second. */
const alone = RUSHING;

/** One append by a server that is alone, with everything that is done after its answer. */
async function costOf(size: number, entries: number) {
  const count = new RequestCount();
  const log = await sequence(count.open(await logOf(size - 1)), { turns: alone });
  await fill(log, 1, 'warm');
  const cost = await count.of(async () => {
    await fill(log, entries, 'counted');
    await log.close();
  });
  return cost;
}

/** One append by a server that has to take over a commit of another one before. */
async function costAfterAnother(size: number) {
  const disk = await logOf(size);
  const count = new RequestCount();
  const [other, log] = [await sequence(disk.open()), await sequence(count.open(disk))];
  // The first time it does not know that it is not alone, and loses.
  for (const text of ['first', 'second']) {
    await fill(other, 1, `theirs, ${text}`);
    await fill(log, 1, `ours, ${text}`);
  }
  await fill(other, 1, 'theirs');
  await other.close();
  const cost = await count.of(async () => {
    await fill(log, 1, 'ours');
    await log.close();
  });
  return cost;
}

test('a commit takes six requests, whatever the size of the log', async () => {
  const [small, large] = [await costOf(SMALL, 1), await costOf(LARGE, 1)];
  expect(small).toEqual(large);
  expect(large).toEqual({
    total: 6,
    each: {
      'create log/tile': 1,
      'create log/tile/entries': 1,
      'create private/staging': 1,
      'delete private/staging': 1,
      'swap log/checkpoint': 1,
      'swap private/lock': 1,
    },
  });
});

test('a full batch takes a request for every hundred entries or so, whatever the size of the log', async () => {
  const [small, large] = [await costOf(SMALL, FULL_BATCH), await costOf(LARGE, FULL_BATCH)];
  expect(small).toEqual(large);
  expect(FULL_BATCH / large.total).toBeGreaterThan(100);
});

test('a commit upon that of another server takes a few requests more, at most two for each level of the tree', async () => {
  const [small, large] = [await costAfterAnother(SMALL), await costAfterAnother(LARGE)];
  expect(large.total - small.total).toBeLessThanOrEqual(2);
  expect(large.total).toBeLessThanOrEqual(14);
});

test('a log that nobody writes to asks for nothing', async () => {
  const count = new RequestCount();
  const log = await sequence(count.open(await logOf(3)));
  const idle = await count.of(() => new Promise((resolve) => setTimeout(resolve, 50)));
  expect(idle.total).toBe(0);
  await log.close();
});
