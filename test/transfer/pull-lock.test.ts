import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { withLock } from '../../src/transfer/pull-lock.ts';
import { Target } from '../../src/transfer/target.ts';

let folder: string;
let target: Target;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-lock-'));
  target = await Target.open(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a pull left that was killed: no process has that number, let alone since then. */
async function leaveLock(): Promise<void> {
  await target.create('.weighhouse/lock.4194303.1.0', new Uint8Array(0));
}

describe('the lock of a pull', () => {
  test('is held by one at a time, however many begin at once over what a killed pull left', async () => {
    for (let round = 0; round < 20; round++) {
      await leaveLock();
      let inside = 0;
      let most = 0;
      const act = async () => {
        most = Math.max(most, ++inside);
        for (let turn = 0; turn < 50; turn++) await setImmediate();
        inside--;
      };
      const starters = Array.from({ length: 8 }, () => withLock(target, act));
      const outcomes = await Promise.allSettled(starters);
      const errors = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      expect(errors.map(({ code }) => code).filter((code) => code !== 'conflict')).toEqual([]);
      expect(most).toBe(1);
    }
  });

  test('is not taken from one that was quicker by one that was slow to clear away', async () => {
    await leaveLock();
    const quick = Promise.withResolvers<void>();
    const slow = await Target.open(folder);
    const remove = slow.remove.bind(slow);
    const clearing = Promise.withResolvers<void>();
    slow.remove = async (path) => {
      clearing.resolve();
      await quick.promise;
      await remove(path);
    };
    const order: string[] = [];
    const late = withLock(slow, async () => void order.push('late'));
    late.catch(() => {});
    await clearing.promise;
    const early = withLock(target, async () => {
      order.push('early');
      quick.resolve();
      await late.catch(() => {});
      order.push('early is done');
    });
    await early.catch(() => {}).finally(quick.resolve);
    await late.catch(() => {});
    expect(order.join()).toMatch(/^(early,early is done|late)$/);
  });

  test('is gone when the pull is done, whatever came of it', async () => {
    await leaveLock();
    const failing = withLock(target, async () => {
      throw new Error('no room');
    });
    await expect(failing).rejects.toThrow('no room');
    const left = await readdir(join(folder, '.weighhouse'));
    expect(left).toEqual([]);
  });
});
