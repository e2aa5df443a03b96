import { describe, expect, test } from '@jest/globals';
import type { Item } from '../../src/log/item.ts';
import { Pool, type PoolLimit } from '../../src/log/pool.ts';

const item = (bytes: number): Item => ({ entries: [new Uint8Array(bytes)] });

function poolOf(limit: PoolLimit) {
  const changes: number[] = [];
  const pool: Pool = new Pool(
    limit,
    () => 7,
    () => changes.push(pool.length),
  );
  return { pool, changes };
}

describe('the pool', () => {
  test('tells of the first item and of being ripe, and of nothing between', () => {
    const { pool, changes } = poolOf({ entries: 8, bytes: 1000 });
    for (let i = 0; i < 6; i++) void pool.add(item(1));
    expect(changes).toEqual([1, 4]);
    expect(pool.isRipe).toBe(true);
    pool.take();
    expect(pool.isRipe).toBe(false);
  });

  test('is ripe by bytes too', () => {
    const { pool } = poolOf({ entries: 8, bytes: 20 });
    void pool.add(item(8));
    expect(pool.isRipe).toBe(true);
  });

  test('gives all that waits in order, and counts it no more', async () => {
    const { pool } = poolOf({ entries: 2, bytes: 1000 });
    void pool.add(item(1));
    void pool.add(item(2));
    await expect(pool.add(item(3))).rejects.toMatchObject({ details: { retryAfterSeconds: 7 } });
    expect(pool.take().map(({ weight }) => weight.bytes)).toEqual([3, 4]);
    void pool.add(item(3));
    expect(pool.length).toBe(1);
  });

  test.each<[string, PoolLimit]>([
    ['entries', { entries: 3, bytes: 1000 }],
    ['bytes', { entries: 100, bytes: 9 }],
  ])('never gives more %s than its limit, however often a batch was put back', (_, limit) => {
    const { pool } = poolOf(limit);
    const fill = () => {
      for (let i = 0; i < 3; i++) void pool.add(item(1));
    };
    fill();
    const lost = pool.take();
    fill();
    pool.putBack(lost);
    expect(pool.length).toBe(6);
    expect(pool.take()).toEqual(lost);
    expect(pool.take()).toHaveLength(3);
    expect(pool.length).toBe(0);
  });
});
