/**
 * SIGSTOP of one of two servers in the middle of whatever it does, and SIGCONT after a while in
 * which the other went on: a virtual machine that was moved, a disk that hung. It wakes up with
 * what it knew then, and must not publish an old checkpoint, or commit on an old tree.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { parseNote } from '../../../src/core/note/note.ts';
import { HashingPool } from '../../../src/hashing/pool.ts';
import type { Store } from '../../../src/store/contract.ts';
import { keys } from '../../../src/store/keys.ts';
import { Bucket } from '../cluster/bucket.ts';
import { Load } from '../cluster/load.ts';
import { Moment } from '../cluster/moment.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import { Draw } from '../load/draw.ts';
import { Durations } from '../load/requests.ts';
import type { Program } from '../program.ts';

/** Milliseconds: most pauses are short, some as long as the patience of the bucket's client and more. */
const SHORT_MS = 2_000;
const LONG_MS = 60_000;
const LONG_ONES = 10;
const EVERY_MS = 20;

export const pauses: Program = {
  name: 'pauses',
  title: 'SIGSTOP and SIGCONT of servers of a busy cluster',
  times: { short: 5, long: 100 },
  async run({ seed, times, isLong, say }) {
    const pool = new HashingPool({ threads: 1 });
    const bucket = await Bucket.start();
    const draw = new Draw(seed);
    const store = bucket.address('pauses');
    try {
      return await onTrial({ pool, store, env: bucket.env() }, async (trial) => {
        const watch = new Watch(bucket.open('pauses'));
        const durations = new Durations();
        let hits = 0;
        let sum = 0;
        for (let n = 1; n <= times; n++) {
          const longest = isLong && n % LONG_ONES === 0 ? LONG_MS : SHORT_MS;
          const milliseconds = draw.fraction() * longest;
          const hit = await pauseOne(trial, draw, durations, milliseconds);
          say(`paused for ${milliseconds.toFixed(0)} ms with ${hit || 'nothing'} in flight`);
          sum += milliseconds;
          if (hit !== '') hits += 1;
        }
        const seen = await watch.end();
        const total = `${(sum / 1000).toFixed(0)} s together`;
        return `${times} pauses, ${total}, ${hits} with a write in flight; ${seen} checkpoints were seen, each larger than the one before; ${trial.world.journal.describe()}`;
      });
    } finally {
      await pool.close();
      await bucket.remove();
    }
  },
};

async function pauseOne(
  { world, cluster, shown }: Trial,
  draw: Draw,
  durations: Durations,
  milliseconds: number,
): Promise<string> {
  const node = draw.pick(cluster.nodes);
  const moment = new Moment(draw, durations, cluster, node);
  const load = Load.start(world, cluster);
  await moment.reached(load);
  const hit = node.inFlight.flatMap(({ kind }) => kind ?? []).join(', ');
  node.pause();
  await Promise.race([pause(milliseconds), load.ended]);
  node.resume();
  // It finishes what it was in the middle of while the clients still work.
  await node.settled();
  await load.stop();
  await world.checks.require(shown, `${node.name} was paused ${moment}`);
  return hit;
}

/** Looks at the published checkpoint all the time: it only ever grows. */
class Watch {
  readonly #store: Store;
  readonly #stop = new AbortController();
  readonly #watching: Promise<number>;

  constructor(store: Store) {
    this.#store = store;
    this.#watching = this.#watch();
    this.#watching.catch(() => {});
  }

  /** Resolves to how many checkpoints were seen. Throws when one was smaller than the one before. */
  async end(): Promise<number> {
    this.#stop.abort();
    const seen = await this.#watching;
    await this.#store.close();
    return seen;
  }

  async #watch(): Promise<number> {
    let seen = 0;
    let size = 0;
    while (!this.#stop.signal.aborted) {
      const { bytes } = (await this.#store.get(keys.checkpoint()))!;
      const now = parseCheckpoint(parseNote(bytes).text).size;
      if (now < size) throw new Error(`the published checkpoint went back from ${size} to ${now}`);
      if (now > size) seen += 1;
      size = now;
      await pause(EVERY_MS);
    }
    return seen;
  }
}
