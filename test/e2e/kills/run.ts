/** kill -9 of real servers, again and again, on registries beside each other. */
import { HashingPool } from '../../../src/hashing/pool.ts';
import { Chain } from './chain.ts';

/** Registries that are killed beside each other: one starts while the other works. */
const CHAINS = 2;

export interface KillsOptions {
  readonly runs: number;
  readonly seed: number;
  /** Told of every kill. */
  readonly say?: (line: string) => void;
}

/** Kills `runs` times. Throws, with all that contradicts the journals, when something does. */
export async function runKills({ runs, seed, say = () => {} }: KillsOptions): Promise<void> {
  const pool = new HashingPool({ threads: 1 });
  try {
    const chains = Array.from({ length: CHAINS }, async (_, number) => {
      const chain = await Chain.make(pool, seed + number, say);
      try {
        await chain.run(Math.floor((runs + number) / CHAINS));
      } finally {
        // Also the server of a life that was cut short: nobody else ends it.
        await chain.remove();
      }
    });
    const failed = (await Promise.allSettled(chains)).filter(({ status }) => status === 'rejected');
    if (failed.length > 0) {
      const reasons = failed.map((result) => (result as PromiseRejectedResult).reason);
      throw new AggregateError(reasons, `seed ${seed}: ${reasons.map(String).join('\n')}`);
    }
  } finally {
    await pool.close();
  }
}
