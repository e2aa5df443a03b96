/**
 * kill -9 of servers of a busy cluster: two over one bucket, whose clients push, decide, publish
 * and advise, and go on with the other one. The dead one comes back at once; then the clients
 * rest for a moment, and everything is compared with what they were told.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { Bucket } from '../cluster/bucket.ts';
import type { Node } from '../cluster/cluster.ts';
import { Load } from '../cluster/load.ts';
import { Moment } from '../cluster/moment.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import { Draw } from '../load/draw.ts';
import { Durations, KINDS, type Kind } from '../load/requests.ts';
import type { Program, RunOptions } from '../program.ts';

/** Clusters that are killed beside each other: one starts while the other works. */
const CLUSTERS = 2;
/** Kills of one registry; then the next is made, and all of the last is read. */
const KILLS_EACH = 25;
/** One of so many kills is followed by one in the start after it. */
const STARTS = 8;

export const kills: Program = {
  name: 'kills',
  title: 'kill -9 of servers of a busy cluster over one bucket',
  times: { short: 20, long: 1000 },
  async run({ seed, times, say }) {
    const pool = new HashingPool({ threads: 1 });
    const bucket = await Bucket.start();
    const counts = new Counts();
    try {
      const chains = Array.from({ length: CLUSTERS }, (_, number) => {
        const share = Math.floor((times + number) / CLUSTERS);
        return killAll({ bucket, pool, counts, number, seed: seed + number, times: share, say });
      });
      await Promise.all(chains);
    } finally {
      await pool.close();
      await bucket.remove();
    }
    return counts.toString();
  },
};

interface ChainOptions extends Pick<RunOptions, 'seed' | 'times' | 'say'> {
  readonly bucket: Bucket;
  readonly pool: HashingPool;
  readonly counts: Counts;
  readonly number: number;
}

async function killAll({ bucket, pool, counts, number, seed, times, say }: ChainOptions) {
  const draw = new Draw(seed);
  for (let done = 0; done < times; done += KILLS_EACH) {
    const store = bucket.address(`kills-${number}-${done}`);
    await onTrial({ pool, store, env: bucket.env() }, async (trial) => {
      const killing = new Killing(trial, draw, counts, say);
      for (let kill = done; kill < Math.min(times, done + KILLS_EACH); kill++) await killing.live();
      counts.journals.push(trial.world.journal.describe());
    });
  }
}

class Killing {
  readonly #trial: Trial;
  readonly #draw: Draw;
  readonly #counts: Counts;
  readonly #say: (line: string) => void;
  readonly #durations = new Durations();

  constructor(trial: Trial, draw: Draw, counts: Counts, say: (line: string) => void) {
    this.#trial = trial;
    this.#draw = draw;
    this.#counts = counts;
    this.#say = say;
    trial.cluster.balancer.onAnswered = ({ kind }, milliseconds) => {
      if (kind !== undefined) this.#durations.add(kind, milliseconds);
    };
  }

  /** The clients work; one server dies and comes back; the clients rest, and all is compared. */
  async live(): Promise<void> {
    const { world, cluster, shown } = this.#trial;
    const node = this.#draw.pick(cluster.nodes);
    const moment = new Moment(this.#draw, this.#durations, cluster, node);
    const load = Load.start(world, cluster);
    await moment.reached(load);
    const hit = node.inFlight.flatMap(({ kind }) => kind ?? []);
    await node.kill();
    this.#counts.add(hit);
    if (this.#draw.fraction() < 1 / STARTS) await this.#killStarting(node);
    const begun = performance.now();
    await node.start();
    const started = performance.now() - begun;
    this.#durations.add('start', started);
    this.#counts.failures += await load.stop();
    await world.checks.require(shown, `${node.name} was killed ${moment}`);
    const inFlight = hit.join(', ') || 'nothing';
    const took = [started, performance.now() - begun].map((ms) => ms.toFixed(0));
    this.#say(
      `killed ${node.name} ${moment}, with ${inFlight} in flight; started in ${took[0]} ms, checked after ${took[1]} ms`,
    );
  }

  async #killStarting(node: Node): Promise<void> {
    const { child, listening } = node.begin();
    const ended = new Promise((resolve) => child.once('close', resolve));
    await Promise.race([
      pause(this.#draw.fraction() * this.#durations.of('start')),
      listening.catch(() => {}),
    ]);
    child.kill('SIGKILL');
    await Promise.all([ended, listening.catch(() => {})]);
    node.forget();
    this.#counts.starts += 1;
  }
}

class Counts {
  kills = 0;
  hits = 0;
  starts = 0;
  failures = 0;
  readonly kinds = new Map<Kind, number>();
  readonly journals: string[] = [];

  add(hit: readonly Kind[]): void {
    this.kills += 1;
    if (hit.length > 0) this.hits += 1;
    for (const kind of new Set(hit)) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
  }

  toString(): string {
    const kinds = KINDS.map((kind) => `${kind} ${this.kinds.get(kind) ?? 0}`).join(', ');
    return [
      `${this.kills} kills, ${this.hits} of them with a write in flight (${kinds})`,
      `${this.starts} more in a start`,
      `${this.failures} commands given again`,
      ...this.journals,
    ].join('; ');
  }
}
