import { describe, expect, test } from '@jest/globals';
import { formatLock, type Lock, MAX_TURNS, parseLock } from '../../src/log/lock.ts';
import { PoliteTurns, TURN_MS } from '../../src/log/turns.ts';
import { keys } from '../../src/store/keys.ts';
import { emptyLog, entry, publishedEntries, sequence } from '../made/log.ts';
import { Disk } from '../made/memory-store.ts';

const named = (digit: string) => digit.repeat(16);
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(named) as [string, string, string, string];

function lockOf(turns: readonly string[], by = A): Lock {
  return { checkpoint: new Uint8Array(), time: 0, nonce: '0'.repeat(32), former: [], by, turns };
}

describe('the order of turns', () => {
  test('whoever is next goes at once, the others wait for each that is before them, counted from their first look', () => {
    const wait = (name: string, age = 0) =>
      new PoliteTurns(name, new Disk().open()).wait(lockOf([A, B, C]), age);
    expect([A, B, C].map((name) => wait(name))).toEqual([0, TURN_MS, 2 * TURN_MS]);
    expect([wait(B, TURN_MS - 1), wait(B, TURN_MS), wait(C, 5 * TURN_MS)]).toEqual([1, 0, 0]);
    // A newcomer tries.
    expect(wait(D)).toBe(0);
  });

  test('who commits goes to its end if it is busy, and leaves out those that let their turn pass', () => {
    const turns = new PoliteTurns(B, new Disk().open());
    expect(turns.next(lockOf([A, B, C]), true)).toEqual([C, B]);
    expect(turns.next(lockOf([B, C]), false)).toEqual([C]);
    expect(turns.next(lockOf([A, C]), true)).toEqual([A, C, B]);
    expect(turns.next(lockOf([B, C]), 'perhaps')).toEqual([C]);
    turns.taken();
    expect(turns.next(lockOf([B, C]), 'perhaps')).toEqual([C, B]);
  });

  test('is never longer than a lock can hold', () => {
    const many = Array.from({ length: MAX_TURNS }, (_, i) => named(i.toString(16)));
    const turns = new PoliteTurns(named('f'), new Disk().open());
    expect(turns.next(lockOf(many.slice(0, -1)), true)).toHaveLength(MAX_TURNS);
  });

  test('takes in who has lost and wished, once', async () => {
    const disk = new Disk();
    const [turns, newcomer] = [new PoliteTurns(A, disk.open()), new PoliteTurns(D, disk.open())];
    await newcomer.lost();
    expect(newcomer.wait(lockOf([A, B]), 0)).toBe(2 * TURN_MS);
    expect(turns.begin(lockOf([A, B], B))).toBe(true);
    await settled();
    expect(turns.next(lockOf([A, B]), true)).toEqual([B, D, A]);
    turns.taken();
    await settled();
    expect(disk.objects.has(keys.turn(D))).toBe(false);
    expect(turns.next(lockOf([A, B]), true)).toEqual([B, A]);
  });

  test('is of no concern to a process that is alone and idle', async () => {
    const disk = new Disk();
    const asked: string[] = [];
    const store = disk.open({ turns: ({ key }) => asked.push(key) && 0 });
    expect(new PoliteTurns(A, store).begin(lockOf([], A))).toBe(false);
    await settled();
    expect(asked).toEqual([]);
  });
});

describe('several writers', () => {
  const one = (text: string) => ({ entries: [entry(text)] });

  test('wait for one that has died once, and for a deadline at most', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await log.append(one('first'));
    const lock = parseLock(disk.bytes(keys.lock()));
    await log.close();
    disk.plant(keys.lock(), formatLock({ ...lock, by: D, turns: [D] }));
    const next = await sequence(disk.open());
    // It has lost before, so that it waits for whoever is in turn.
    const other = await sequence(disk.open());
    const timed = async (text: string) => {
      const begun = performance.now();
      await next.append(one(text));
      return performance.now() - begun;
    };
    const waits = [await timed('second'), await timed('third'), await timed('fourth')];
    expect(Math.max(...waits)).toBeLessThan(4 * TURN_MS);
    expect(parseLock(disk.bytes(keys.lock())).turns).not.toContain(D);
    await Promise.all([next.close(), other.close()]);
  }, 30_000);

  test('that are all busy let a newcomer in within a few commits', async () => {
    const disk = await emptyLog();
    let commits = 0;
    const observer = { committed: () => void commits++ };
    const open = () => sequence(disk.open({ turns: () => 2 }), { observer });
    const busy = await Promise.all([open(), open(), open()]);
    let isOver = false;
    const working = busy.map(async (log, writer) => {
      for (let i = 0; !isOver; i++) await log.append(one(`${writer} ${i}`));
    });
    while (commits < 12) await settled();
    const newcomer = await open();
    for (let i = 0; i < 5; i++) {
      const before = commits;
      await newcomer.append(one(`new ${i}`));
      expect(commits - before).toBeLessThan(12);
    }
    isOver = true;
    await Promise.all(working);
    await Promise.all([newcomer, ...busy].map((log) => log.close()));
    const entries = await publishedEntries(disk);
    const written = (writer: string) =>
      entries.filter((text) => text.startsWith(`entry ${writer} `)).length;
    const shares = ['0', '1', '2'].map(written);
    expect(Math.max(...shares)).toBeLessThanOrEqual(2 * Math.min(...shares) + 2);
  }, 60_000);
});

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
