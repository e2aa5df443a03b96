/**
 * kill -9 of a real server, again and again on one registry, while a client works:
 *
 *     start, compare what is shown with the client's journal, work, kill; and once more
 *
 * and at the end the client finishes what it had begun, and every byte is audited.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isCoded } from '../../../src/core/error.ts';
import type { HashingPool } from '../../../src/hashing/pool.ts';
import { World } from '../../faults/cluster/world.ts';
import { work } from '../../faults/load/client.ts';
import { Draw } from '../../faults/load/draw.ts';
import { Durations } from '../../faults/load/requests.ts';
import type { ServerProcess } from '../sandbox.ts';
import { Aim } from './aim.ts';

/** In that time a client sends every kind of request several times. */
const MAX_LIFE_MS = 30_000;

/** One registry, its client, and all their lives. */
export class Chain {
  readonly #world: World;
  readonly #draw: Draw;
  readonly #say: (line: string) => void;
  readonly #durations = new Durations();

  private constructor(world: World, draw: Draw, say: (line: string) => void) {
    this.#world = world;
    this.#draw = draw;
    this.#say = say;
  }

  static async make(pool: HashingPool, seed: number, say: (line: string) => void): Promise<Chain> {
    // One thread for file calls: strace counts them for each thread by itself.
    const world = await World.make(pool, { env: { UV_THREADPOOL_SIZE: '1' } });
    return new Chain(world, new Draw(seed), say);
  }

  async run(kills: number): Promise<void> {
    const first = await this.#world.sandbox.serve();
    await this.#world.begin(first.url);
    await first.kill();
    for (let kill = 0; kill < kills; kill++) await this.#live();
    await this.#liveOn();
  }

  remove(): Promise<void> {
    return this.#world.sandbox.remove();
  }

  /** One life of the server, from its start to its kill. */
  async #live(): Promise<void> {
    const aim = new Aim(this.#draw, this.#durations);
    this.#say(`kill ${aim}; so far ${this.#world.journal.describe()}`);
    if (aim.duringStart !== undefined) return this.#killStarting(aim.duringStart);
    const server = await this.#start(aim);
    if (server === undefined) return;
    const stop = new AbortController();
    // The client works on until the kill; should it never come, the server hangs.
    const late = setTimeout(() => stop.abort(), MAX_LIFE_MS);
    const moment = aim.moment.then(() => {
      stop.abort();
      return server.kill();
    });
    void server.ended.then(() => stop.abort());
    await this.#check(server, `the kill before the one ${aim}`).catch((error) =>
      unlessDead(server, error),
    );
    await work(this.#world.client(server.url, stop.signal, aim.fetch));
    clearTimeout(late);
    const ended = await Promise.race([moment, server.ended, pause(1_000)]);
    if (ended === undefined) await server.kill();
    if (ended?.signal === 'SIGKILL') return;
    throw new Error(`${aim}: it was not killed within ${MAX_LIFE_MS} ms: ${ended?.stderr}`);
  }

  async #killStarting(milliseconds: number): Promise<void> {
    const { child, listening } = this.#world.sandbox.startServer();
    const ended = new Promise((resolve) => child.once('close', resolve));
    await pause(milliseconds);
    child.kill('SIGKILL');
    await Promise.all([ended, listening.catch(() => {})]);
  }

  /** The server, or undefined when it was killed before it listened. */
  async #start(aim: Aim): Promise<ServerProcess | undefined> {
    const begun = performance.now();
    const { listening, child } = this.#world.sandbox.startServer([], aim.under);
    try {
      const server = await listening;
      this.#durations.add('start', performance.now() - begun);
      return server;
    } catch (error) {
      if (child.signalCode === 'SIGKILL' && aim.under.length > 0) return undefined;
      throw error;
    }
  }

  #check({ url }: ServerProcess, after: string): Promise<void> {
    return this.#world.checks.require(this.#world.shown(url), after);
  }

  /** The last life: nothing is killed, everything is finished, and all of it is read. */
  async #liveOn(): Promise<void> {
    const server = await this.#world.sandbox.serve();
    await this.#world.finish(this.#world.shown(server.url));
    this.#say(`at the end ${this.#world.journal.describe()}`);
    const { status, stderr } = await server.stop();
    if (status !== 0) throw new Error(`the server ended with ${status}: ${stderr}`);
  }
}

/** A comparison may be cut short by the kill; the next life makes it again. */
async function unlessDead(server: ServerProcess, error: unknown): Promise<void> {
  if (!isCoded(error, 'network')) throw error;
  await server.ended;
}
