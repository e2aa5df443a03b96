/** Lending a command the hashing threads. Imports little, so that threads can start before the rest is loaded. */
import { HashingPool } from '../hashing/pool.ts';

/** Lends `act` a hashing pool, and ends its threads afterwards. */
export async function withPool<T>(act: (pool: HashingPool) => Promise<T>): Promise<T> {
  const pool = new HashingPool();
  try {
    return await act(pool);
  } finally {
    await pool.close();
  }
}
