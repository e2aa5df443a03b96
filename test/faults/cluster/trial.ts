/** A registry of its own on a cluster of its own, for as long as something is done to it. */
import type { HashingPool } from '../../../src/hashing/pool.ts';
import type { Shown } from '../checks/checks.ts';
import { Cluster } from './cluster.ts';
import { World, type WorldOptions } from './world.ts';

export interface Trial {
  readonly world: World;
  readonly cluster: Cluster;
  /** As its clients reach it, and each server by itself. */
  readonly shown: Shown;
}

export interface TrialOptions extends WorldOptions {
  readonly pool: HashingPool;
  readonly servers?: number;
}

/** Runs `work`; then everything is finished and read, and the servers end well. */
export async function onTrial<T>(
  { pool, servers = 2, ...options }: TrialOptions,
  work: (trial: Trial) => Promise<T>,
): Promise<T> {
  const world = await World.make(pool, options);
  try {
    const cluster = await Cluster.start(world.sandbox, { servers });
    try {
      return await cluster.explaining(async () => {
        await world.begin(cluster.url);
        const shown = world.shown(cluster.url, cluster.urls);
        const result = await work({ world, cluster, shown });
        await world.finish(shown);
        await cluster.stop();
        return result;
      });
    } finally {
      await cluster.balancer.close();
    }
  } finally {
    // Also the servers of a trial that was cut short: nobody else ends them.
    await world.sandbox.remove();
  }
}
