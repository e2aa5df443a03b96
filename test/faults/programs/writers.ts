/**
 * Two to four writers of one log, over the real S3 client and a real S3 server, while the
 * network between them does its worst (`proxy/fault-proxy.ts`, toxiproxy) and one of them may die.
 * Whatever happens: what a writer was told is logged is there, once, at that index; what it was
 * told is not, is not; nothing else is there; and what is published is what is committed.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { startToxiproxy, type Toxic, type Toxiproxy } from '../../../scripts/peers/toxiproxy.ts';
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
import { FaultProxy } from '../proxy/fault-proxy.ts';
import { drawSchedule } from '../proxy/schedule.ts';

/** Schedules at once: they mostly wait. */
const AT_ONCE = 12;
const PERIOD_MS = 20;
const ROUNDS = 3;
/** The patience of the S3 client is 30 s; a stall is as long, and a little longer. */
const STALL_MS = 31_000;
/** One of so many schedules has a stall. */
const STALLS = 12;
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
    const network = await Network.open(this.#bucket, this.#toxiproxy, this.#seed, this.#draw);
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
    await Promise.all(
      draws.map((draw, i) => this.#writer(network, `${i}`, draw, i === dying ? dyingIn : -1)),
    );
  }

  async #writer(network: Network, name: string, draw: Draw, diesIn: number): Promise<void> {
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
    await network.heal();
    await log.close();
    await store.close();
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

/** The network between the writers and the bucket. */
class Network {
  readonly endpoint: string;
  readonly #proxy: FaultProxy | undefined;
  readonly #toxics: readonly Toxic[];
  readonly #heal: () => Promise<void>;
  readonly #close: () => Promise<void>;
  #healing: Promise<void> | undefined;

  private constructor(parts: {
    endpoint: string;
    proxy: FaultProxy | undefined;
    toxics: readonly Toxic[];
    heal: () => Promise<void>;
    close: () => Promise<void>;
  }) {
    this.endpoint = parts.endpoint;
    this.#proxy = parts.proxy;
    this.#toxics = parts.toxics;
    this.#heal = parts.heal;
    this.#close = parts.close;
  }

  /** Faults of requests, of connections, or of both. */
  static async open(
    bucket: Bucket,
    toxiproxy: Toxiproxy,
    seed: number,
    draw: Draw,
  ): Promise<Network> {
    const layers = draw.pick(['requests', 'requests', 'connections', 'both'] as const);
    const toxic = layers === 'requests' ? undefined : await toxiproxy.proxy(bucket.port);
    const toxics = toxic === undefined ? [] : drawToxics(draw);
    for (const each of toxics) await toxic!.poison(each);
    const isStalled = draw.fraction() < 1 / STALLS;
    const weather = { faults: 0.15, storms: 0.15, stalls: isStalled ? 1 : 0, stallMs: STALL_MS };
    const upstream = toxic?.port ?? bucket.port;
    const proxy =
      layers === 'connections'
        ? undefined
        : await FaultProxy.start(upstream, drawSchedule(seed, weather));
    return new Network({
      endpoint: proxy?.endpoint ?? `http://127.0.0.1:${upstream}`,
      proxy,
      toxics,
      heal: async () => {
        proxy?.heal();
        await toxic?.heal();
      },
      close: async () => {
        await proxy?.close();
        await toxic?.remove();
      },
    });
  }

  /** How often each fault was made; of toxics, that they were there. */
  get made(): ReadonlyMap<string, number> {
    const toxics = this.#toxics.map(({ type, stream }) => [`${type} ${stream}`, 1] as const);
    return new Map([...(this.#proxy?.made ?? []), ...toxics]);
  }

  /** Of several writers the first that is done clears the weather for all. */
  heal(): Promise<void> {
    this.#healing ??= this.#heal();
    return this.#healing;
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** One or two things that go wrong with a part of the connections. */
function drawToxics(draw: Draw): Toxic[] {
  const bytes = Math.ceil(draw.fraction() * 4_000);
  const kinds: readonly Toxic[] = [
    { type: 'latency', stream: 'downstream', attributes: { latency: 40, jitter: 40 } },
    {
      type: 'slicer',
      stream: 'downstream',
      attributes: { average_size: 64, size_variation: 32, delay: 200 },
    },
    { type: 'limit_data', stream: 'downstream', toxicity: 0.4, attributes: { bytes } },
    { type: 'limit_data', stream: 'upstream', toxicity: 0.4, attributes: { bytes } },
    { type: 'reset_peer', stream: 'downstream', toxicity: 0.3, attributes: { timeout: 50 } },
    { type: 'reset_peer', stream: 'upstream', toxicity: 0.3, attributes: { timeout: 50 } },
    { type: 'bandwidth', stream: 'upstream', attributes: { rate: 40 } },
  ];
  const [first, second] = [draw.pick(kinds), draw.pick(kinds)];
  return first.type === second.type ? [first] : [first, second];
}
