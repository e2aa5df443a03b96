import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { inParallel } from '../../src/core/parallel.ts';

describe('things done in parallel', () => {
  test('answer in the items’ order, whichever ends first', async () => {
    const turns = [3, 1, 2, 0];
    const answers = await inParallel(turns, 4, async (count) => {
      for (let turn = 0; turn < count; turn++) await setImmediate();
      return count * 10;
    });
    expect(answers).toEqual([30, 10, 20, 0]);
  });

  test.each([1, 3, 100])('are never more than %i at a time', async (limit) => {
    let running = 0;
    let most = 0;
    await inParallel([...Array(10).keys()], limit, async () => {
      most = Math.max(most, ++running);
      await setImmediate();
      running--;
    });
    expect(most).toBe(Math.min(limit, 10));
  });

  test('begin no more after a failure, which is thrown when all that was begun has ended', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const doing = inParallel([0, 1, 2, 3], 2, async (item) => {
      begun.push(item);
      if (item === 0) throw new Error('the first');
      await setImmediate();
      ended.push(item);
      throw new Error('a later one');
    });
    await expect(doing).rejects.toThrow('the first');
    expect([begun, ended]).toEqual([[0, 1], [1]]);
  });

  test('are done at once when there are none', async () => {
    expect(await inParallel([], 8, async () => 1)).toEqual([]);
  });
});
