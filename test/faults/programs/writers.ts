/**
 * Two to four writers of one log, over the real S3 client and a real S3 server, while the
 * network between them does its worst (`proxy/fault-proxy.ts`, toxiproxy) and one of them may die.
 * Whatever happens: what a writer was told is logged is there, once, at that index; what it was
 * told is not, is not; nothing else is there; and what is published is what is committed.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { startToxiproxy, type Toxiproxy } from '../../../scripts/peers/toxiproxy.ts';
import { isCoded, messageOf } from '../../../src/core/error.ts';
import { inParallel } from '../../../src/core/parallel.ts';
import type { Appended } from '../../../src/log/item.ts';
import { createLog } from '../../../src/log/recover.ts';
import { openSequencer, type Sequencer } from '../../../src/log/sequencer.ts';
import type { Store } from '../../../src/store/contract.ts';
import { entriesIn, entry, logOptions } from '../../made/log.ts';
import { Bucket } from '../cluster/bucket.ts';
import { Draw } from '../load/draw.ts';
import type { Program } from '../program.ts';
import { Network } from '../proxy/network.ts';

/** Schedules at once: they mostly wait. */
const AT_ONCE = 12;
const PERIOD_MS = 20;
const ROUNDS = 3;
/** A start that fails is made again, as a supervisor would. */
const MAX_STARTS = 20;
/** Milliseconds after which a schedule hangs. */
const MAX_SCHEDULE_MS = 240_000;

export const writers: Program = {
  name: 'writers',
  title: 'schedules of 2 to 4 writers over a network that fails, on a real S3 server',
  times: { short: 24, long: 500 },
  async run({ seed, times, say }) {
    const bucket = await Bucket.start();
    const toxiproxy = await startToxiproxy();
    const counts = new Map<string, number>();
    const count = (what: string, by = 1) => counts.set(what, (counts.get(what) ?? 0) + by);
    try {
      const seeds = Array.from({ length: times }, (_, i) => seed + i);
      await inParallel(seeds, AT_ONCE, async (each) => {
        const schedule = new Schedule(bucket, toxiproxy, each, count);
        await schedule.run().catch((error) => {
          say(`schedule ${each} failed: ${messageOf(error)}`);
          throw error;
        });
      });
    } finally {
      await toxiproxy.stop();
      await bucket.remove();
    }
    const facts = [...counts].sort().map(([what, number]) => `${what} ${number}`);
    return `${times} schedules; ${facts.join(', ')}`;
  },
};

type Outcome = { readonly at: Appended } | { readonly refused: unknown };

class Schedule {
  readonly #bucket: Bucket;
  readonly #toxiproxy: Toxiproxy;
  readonly #prefix: string;
  readonly #seed: number;
  readonly #draw: Draw;
  readonly #count: (what: string, by?: number) => void;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #failed: string[] = [];

  constructor(
    bucket: Bucket,
    toxiproxy: Toxiproxy,
    seed: number,
    count: (what: string, by?: number) => void,
  ) {
    this.#bucket = bucket;
    this.#toxiproxy = toxiproxy;
    this.#seed = seed;
    this.#prefix = `writers-${seed}`;
    this.#draw = new Draw(seed);
    this.#count = count;
  }

  async run(): Promise<void> {
    const direct = this.#bucket.open(this.#prefix);
    const random = new Uint8Array(randomBytes(16));
    await createLog({ ...logOptions(direct), time: Date.now(), random });
    const late = pause(MAX_SCHEDULE_MS, 'late', { ref: false });
    const network = await Network.open(this.#bucket.port, this.#toxiproxy, this.#seed, this.#draw);
    try {
      if ((await Promise.race([this.#write(network), late])) === 'late') {
        throw new Error(`it hangs: ${this.#failed.slice(-5).join('; ')}`);
      }
    } finally {
      for (const [fault, times] of network.made) this.#count(fault, times);
      await network.close();
    }
    await this.#check(direct);
    await direct.close();
  }

  /** All writers write; then the weather clears, and they end. */
  async #write(network: Network): Promise<void> {
    const number = 2 + Math.floor(this.#draw.fraction() * 3);
    // At most one of them dies, after one of its rounds has begun.
    const dying = this.#draw.fraction() < 0.4 ? Math.floor(this.#draw.fraction() * number) : -1;
    const dyingIn = Math.floor(this.#draw.fraction() * ROUNDS);
    this.#count(`${number} writers`);
    const draws = Array.from({ length: number }, () => new Draw(this.#draw.fraction() * 2 ** 32));
    const done = await Promise.all(
      draws.map((draw, i) => this.#writer(network, `${i}`, draw, i === dying ? dyingIn : -1)),
    );
    await network.heal();
    for (const { log, store } of done) {
      await log.close();
      await store.close();
    }
  }

  async #writer(network: Network, name: string, draw: Draw, diesIn: number) {
    let store = this.#bucket.open(this.#prefix, network.endpoint);
    let log = await this.#open(store);
    for (let round = 0; round < ROUNDS; round++) {
      const texts = Array.from(
        { length: 1 + Math.floor(draw.fraction() * 3) },
        (_, i) => `${name}.${round}.${i}`,
      );
      const appending = Promise.all(texts.map((text) => this.#append(log, text)));
      if (round === diesIn) {
        await pause(draw.fraction() * 100);
        // Its requests are cut off where they are; nobody hears of it again.
        await store.close();
        void log.close(0);
        this.#count('deaths');
        store = this.#bucket.open(this.#prefix, network.endpoint);
        log = await this.#open(store);
      } else {
        await appending;
      }
      if (log.unready()?.includes('no more entries')) {
        // It has stopped for good; its supervisor starts it anew.
        this.#count('stopped for good');
        await log.close();
        log = await this.#open(store);
      }
    }
    return { log, store };
  }

  async #append(log: Sequencer, text: string): Promise<void> {
    const outcome = await log.append({ entries: [entry(text)] }).then(
      (at): Outcome => ({ at }),
      (refused): Outcome => ({ refused }),
    );
    this.#outcomes.set(text, outcome);
  }

  async #open(store: Store): Promise<Sequencer> {
    for (let starts = 1; ; starts++) {
      try {
        return await openSequencer({
          ...logOptions(store),
          clock: Date.now,
          random: () => new Uint8Array(randomBytes(32)),
          period: PERIOD_MS,
          observer: {
            failed: (cause) => this.#failed.push(messageOf(cause)),
            stopped: (cause) => this.#failed.push(`stopped: ${messageOf(cause)}`),
            lost: () => this.#count('races lost'),
          },
        });
      } catch (error) {
        this.#failed.push(`start: ${messageOf(error)}`);
        if (starts === MAX_STARTS) throw error;
        await pause(20);
      }
    }
  }

  /** A last writer starts where nothing fails; then the log is read. */
  async #check(direct: Store): Promise<void> {
    const log = await this.#open(direct);
    await this.#append(log, 'last');
    await log.close();
    const committed = await entriesIn(direct, 'lock');
    const published = await entriesIn(direct, 'checkpoint');
    const wrong: string[] = [];
    if (committed.join() !== published.join()) wrong.push('published is not what is committed');
    const indexes = new Map(committed.map((text, index) => [text, index]));
    if (indexes.size !== committed.length) wrong.push(`an entry stands twice: ${committed}`);
    for (const [text, outcome] of this.#outcomes) {
      const index = indexes.get(`entry ${text}`);
      indexes.delete(`entry ${text}`);
      const problem = problemOf(outcome, index);
      if (problem !== undefined) wrong.push(`${text} ${problem}`);
      this.#count('at' in outcome ? 'acknowledged' : 'not acknowledged');
    }
    // Whoever died was told nothing; what it asked for may be there.
    const unknown = [...indexes.keys()].filter((text) => !/^entry [0-9]\.[0-9]\.[0-9]$/.test(text));
    if (unknown.length > 0) wrong.push(`nobody asked for ${unknown}`);
    if (wrong.length > 0)
      throw new Error(`${wrong.join('; ')} (${this.#failed.slice(-8).join('; ')})`);
  }
}

/** What is wrong about an entry that stands at `index`, or nowhere. */
function problemOf(outcome: Outcome, index: number | undefined): string | undefined {
  if ('at' in outcome) {
    return outcome.at.index === index
      ? undefined
      : `was logged at ${outcome.at.index} and is at ${index}`;
  }
  const { refused } = outcome;
  if (!isCoded(refused)) return `was refused with ${messageOf(refused)}`;
  const isUnknown = refused.code === 'unknown-outcome';
  return isUnknown || index === undefined
    ? undefined
    : `was refused with ${refused.code} and is at ${index}`;
}
