/**
 * kill -9 of a real server, again and again on one registry, while a client works:
 *
 *     start, compare what is shown with the client's journal, work, kill; and once more
 *
 * and at the end the client finishes what it had begun, and every byte is audited.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import { isCoded } from '../../../src/core/error.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import type { HashingPool } from '../../../src/hashing/pool.ts';
import { readKeyFile } from '../../../src/keyring/file.ts';
import { type StatementSigner, statementSigner } from '../../../src/keyring/keys.ts';
import { DiskPins } from '../../../src/transfer/pins-disk.ts';
import { Comparison } from '../../faults/checks/contradictions.ts';
import { GatedComparison } from '../../faults/checks/gated.ts';
import { type ClientParts, finish, work } from '../../faults/load/client.ts';
import { Draw } from '../../faults/load/draw.ts';
import { Journal } from '../../faults/load/journal.ts';
import { Lab, type Reach } from '../../faults/load/lab.ts';
import { Durations } from '../../faults/load/requests.ts';
import { type Made, ORIGIN, Sandbox, type ServerProcess } from '../sandbox.ts';
import { Aim } from './aim.ts';

/** In that time a client sends every kind of request several times. */
const MAX_LIFE_MS = 30_000;

/** A registry, and whose keys its client has. */
interface ChainParts {
  readonly sandbox: Sandbox;
  readonly made: Made;
  readonly owner: StatementSigner;
  readonly lab: Lab;
  readonly pool: HashingPool;
}

/** One registry, its client, and all their lives. */
export class Chain {
  readonly #parts: ChainParts;
  readonly #sandbox: Sandbox;
  readonly #draw: Draw;
  readonly #say: (line: string) => void;
  readonly #journal = new Journal();
  readonly #comparison = new Comparison(this.#journal);
  readonly #gatedComparison = new GatedComparison(this.#journal);
  readonly #durations = new Durations();

  private constructor(parts: ChainParts, draw: Draw, say: (line: string) => void) {
    this.#parts = parts;
    this.#sandbox = parts.sandbox;
    this.#draw = draw;
    this.#say = say;
  }

  static async make(pool: HashingPool, seed: number, say: (line: string) => void): Promise<Chain> {
    const sandbox = await Sandbox.make();
    // One thread for file calls: strace counts them for each thread by itself.
    sandbox.env.UV_THREADPOOL_SIZE = '1';
    const made = await sandbox.init('acme');
    const key = await readKeyFile(sandbox.path('offline/owner.key'), undefined);
    const owner = statementSigner(key, 'the owner');
    const lab = await Lab.make(sandbox.path('keys'));
    return new Chain({ sandbox, made, owner, lab, pool }, new Draw(seed), say);
  }

  async run(kills: number): Promise<void> {
    const first = await this.#sandbox.serve();
    await this.#sandbox.trust(this.#parts.made);
    await this.#parts.lab.begin(this.#reach(first).connect);
    await first.kill();
    for (let kill = 0; kill < kills; kill++) await this.#live();
    await this.#liveOn();
  }

  remove(): Promise<void> {
    return this.#sandbox.remove();
  }

  /** One life of the server, from its start to its kill. */
  async #live(): Promise<void> {
    const aim = new Aim(this.#draw, this.#durations);
    this.#say(`kill ${aim}; so far ${this.#journal.describe()}`);
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
    await this.#compare(server, aim).catch((error) => unlessDead(server, error));
    await work(this.#client(server, stop.signal, aim.fetch));
    clearTimeout(late);
    const ended = await Promise.race([moment, server.ended, pause(1_000)]);
    if (ended === undefined) await server.kill();
    if (ended?.signal === 'SIGKILL') return;
    throw new Error(`${aim}: it was not killed within ${MAX_LIFE_MS} ms: ${ended?.stderr}`);
  }

  async #killStarting(milliseconds: number): Promise<void> {
    const { child, listening } = this.#sandbox.startServer();
    const ended = new Promise((resolve) => child.once('close', resolve));
    await pause(milliseconds);
    child.kill('SIGKILL');
    await Promise.all([ended, listening.catch(() => {})]);
  }

  /** The server, or undefined when it was killed before it listened. */
  async #start(aim: Aim): Promise<ServerProcess | undefined> {
    const begun = performance.now();
    const { listening, child } = this.#sandbox.startServer([], aim.under);
    try {
      const server = await listening;
      this.#durations.add('start', performance.now() - begun);
      return server;
    } catch (error) {
      if (child.signalCode === 'SIGKILL' && aim.under.length > 0) return undefined;
      throw error;
    }
  }

  async #compare(server: ServerProcess, before?: Aim): Promise<void> {
    const { lab } = this.#parts;
    const reach = this.#reach(server);
    const api = new Api({ url: parseRegistryUrl(server.url) });
    const reader = { host: nodeHost, api, pins: reach.pins, clock: Date.now };
    const open = await this.#comparison.contradictions(reader);
    const means = lab.means('rita', reach);
    const gated = await this.#gatedComparison.contradictions(means, await lab.receipts(reach));
    const found = [...open, ...gated];
    if (found.length > 0) throw new Error(`before the kill ${before}: ${found.join('; ')}`);
  }

  #client(server: ServerProcess, signal: AbortSignal, fetchWith: typeof fetch): ClientParts {
    const { made, pool, owner, lab } = this.#parts;
    const reach = this.#reach(server, signal, fetchWith);
    const api = reach.connect(made.token);
    return { ...reach, api, journal: this.#journal, pool, owner, lab, origin: ORIGIN };
  }

  /** How anybody reaches the registry while this server lives. */
  #reach(
    server: ServerProcess,
    signal = new AbortController().signal,
    fetchWith: typeof fetch = fetch,
  ): Reach {
    const url = parseRegistryUrl(server.url);
    return {
      connect: (token) => new Api({ url, token, fetch: fetchWith }),
      pins: new DiskPins(this.#sandbox.path('config/weighhouse/registries')),
      folder: this.#sandbox.path('client'),
      signal,
    };
  }

  /** The last life: nothing is killed, everything is finished, and all of it is read. */
  async #liveOn(): Promise<void> {
    const server = await this.#sandbox.serve();
    await this.#compare(server);
    await finish(this.#client(server, new AbortController().signal, fetch));
    await this.#compare(server);
    await this.#requireRecorded(server);
    const { ok, releases } = await this.#sandbox.json('audit', '--content');
    if (!ok) throw new Error('the audit of the content found violations');
    this.#say(`at the end ${this.#journal.describe()}, ${releases} in the log`);
    const { status, stderr } = await server.stop();
    if (status !== 0) throw new Error(`the server ended with ${status}: ${stderr}`);
  }

  /** Nothing that was signed is given up, or left. */
  async #requireRecorded(server: ServerProcess): Promise<void> {
    const receipts = await this.#parts.lab.receipts(this.#reach(server));
    const left = receipts.filter(({ state }) => state !== 'recorded');
    if (left.length === 0 && receipts.length === this.#journal.decisions.length) return;
    throw new Error(`${receipts.length} receipts, ${left.length} of them not recorded`);
  }
}

/** A comparison may be cut short by the kill; the next life makes it again. */
async function unlessDead(server: ServerProcess, error: unknown): Promise<void> {
  if (!isCoded(error, 'network')) throw error;
  await server.ended;
}
