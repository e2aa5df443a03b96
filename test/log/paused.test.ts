/**
 * A server that was stopped for a while (SIGSTOP, a sleeping machine, a long collection of
 * garbage) wakes in the middle of any step, and goes on as if no time had passed. Meanwhile
 * another one has committed, published, replaced documents and finished what was left.
 */
import { expect, test } from '@jest/globals';
import { inParallel } from '../../src/core/parallel.ts';
import { keys } from '../../src/store/keys.ts';
import { emptyLog, sequence } from '../made/log.ts';
import { checkChain, checkJournal, documentOf, Journal, unique } from '../made/log-journal.ts';
import type { Operation } from '../made/memory-store.ts';
import { seeded } from '../made/schedule.ts';

/** Runs at a time: they mostly wait. */
const LANES = 32;

interface Stop {
  /** Which operation of the process, from 0, and whether it has had its effect. */
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** What the process did, which was stopped there; undefined where it ended before. */
async function stopAt({ at, when }: Stop): Promise<Operation | undefined> {
  const disk = await emptyLog();
  const draw = seeded(at);
  const journal = new Journal();
  let stopped: Operation | undefined;
  let operations = 0;
  const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
  const { promise: stopping, resolve: stop } = Promise.withResolvers<void>();
  const store = disk.open({
    pause: (operation, now) => {
      if (now !== when || operations++ !== at) return undefined;
      stopped = operation;
      stop();
      return woken;
    },
  });
  const asleep = (async () => {
    const log = await sequence(store);
    await journal.append('first', unique('first'), (item) => log.append(item));
    await journal.append('second', unique('second'), (item) => log.append(item));
    await log.close();
  })();
  await Promise.race([stopping, asleep]);

  const awake = await sequence(disk.open());
  for (let i = 0; i <= draw(3); i++) {
    const text = `meanwhile-${i}`;
    await journal.append(text, unique(text), (item) => awake.append(item));
  }
  // What both want, the one that is awake gets, or has got.
  await journal.append('second', unique('second'), (item) => awake.append(item));
  const checkpoint = disk.bytes(keys.checkpoint());
  const newest = disk.bytes(documentOf('newest'));
  const lock = disk.bytes(keys.lock());
  wake();
  await asleep;
  if (Buffer.from(lock).equals(disk.bytes(keys.lock()))) {
    expect(disk.bytes(keys.checkpoint())).toEqual(checkpoint);
    expect(disk.bytes(documentOf('newest'))).toEqual(newest);
  }
  await awake.close();
  await (await sequence(disk.open())).close();
  await checkJournal(disk, journal);
  await checkChain(disk);
  return stopped;
}

test('a server that wakes in the middle of any step publishes nothing old and overwrites nothing newer', async () => {
  const stops = Array.from({ length: 80 }, (_, at) =>
    (['before', 'after'] as const).map((when) => ({ at, when })),
  ).flat();
  const stopped = await inParallel(stops, LANES, async (stop) => {
    try {
      return await stopAt(stop);
    } catch (error) {
      const where = `stopped ${stop.when} operation ${stop.at}`;
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  });
  // It was stopped at every operation that it has: the last ones are beyond its end.
  expect(stopped.at(-1)).toBeUndefined();
  const seen = new Set(
    stopped.flatMap((operation) => operation?.key.replace(/[0-9a-f]{32,}/g, '') ?? []),
  );
  for (const key of [keys.lock(), keys.checkpoint(), documentOf('newest')]) {
    expect(seen).toContain(key);
  }
  expect([...seen].some((key) => key.startsWith('private/staging/'))).toBe(true);
}, 120_000);
