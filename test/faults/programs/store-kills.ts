/**
 * The S3 server itself dies (kill -9) under a busy cluster and comes back after a moment. The
 * servers wait for it, are not ready meanwhile, and go on by themselves.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { Bucket } from '../cluster/bucket.ts';
import { Load } from '../cluster/load.ts';
import { onTrial } from '../cluster/trial.ts';
import { Draw } from '../load/draw.ts';
import type { Program } from '../program.ts';

/** Milliseconds of work before a kill, without the store, and with it again. */
const WORK_MS = { least: 1_500, more: 3_000 };
const MAX_GONE_MS = 3_000;
const AFTER_MS = 1_000;

export const storeKills: Program = {
  name: 'store-kills',
  title: 'kill -9 of the S3 server under a busy cluster',
  times: { short: 3, long: 20 },
  async run({ seed, times, say }) {
    const pool = new HashingPool({ threads: 1 });
    const bucket = await Bucket.start();
    const draw = new Draw(seed);
    const store = bucket.address('store-kills');
    try {
      return await onTrial({ pool, store, env: bucket.env() }, async (trial) => {
        const { world, cluster, shown } = trial;
        let hits = 0;
        let failures = 0;
        for (let kill = 1; kill <= times; kill++) {
          const load = Load.start(world, cluster);
          await Promise.race([pause(WORK_MS.least + draw.fraction() * WORK_MS.more), load.ended]);
          const inFlight = cluster.nodes.flatMap((node) => node.inFlight).length;
          await bucket.kill();
          await pause(draw.fraction() * MAX_GONE_MS);
          await bucket.restart();
          await cluster.untilReady(true);
          await Promise.race([pause(AFTER_MS), load.ended]);
          failures += await load.stop();
          await world.checks.require(shown, `kill ${kill} of the S3 server`);
          if (inFlight > 0) hits += 1;
          say(`killed with ${inFlight} requests in flight; ${world.journal.describe()}`);
        }
        return `${times} kills, ${hits} with requests in flight, ${failures} commands given again; ${world.journal.describe()}`;
      });
    } finally {
      await pool.close();
      await bucket.remove();
    }
  },
};
