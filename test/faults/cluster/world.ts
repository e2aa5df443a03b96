/**
 * A registry, the people who have keys and tokens for it, what they were told, and what must
 * therefore be true of it.
 */
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import type { HashingPool } from '../../../src/hashing/pool.ts';
import { readKeyFile } from '../../../src/keyring/file.ts';
import { type StatementSigner, statementSigner } from '../../../src/keyring/keys.ts';
import { DiskPins } from '../../../src/transfer/pins-disk.ts';
import { type Made, ORIGIN, Sandbox } from '../../e2e/sandbox.ts';
import { Checks, type Shown } from '../checks/checks.ts';
import { type ClientParts, finish } from '../load/client.ts';
import { Journal } from '../load/journal.ts';
import { Lab } from '../load/lab.ts';

export interface WorldOptions {
  /** A bucket or a directory; a folder of the sandbox when left out. */
  readonly store?: string;
  /** For every process: how the bucket is reached. */
  readonly env?: Readonly<Record<string, string>>;
}

export class World {
  readonly sandbox: Sandbox;
  readonly made: Made;
  readonly lab: Lab;
  readonly journal = new Journal();
  readonly checks: Checks;
  readonly #owner: StatementSigner;
  readonly #pool: HashingPool;

  private constructor(
    sandbox: Sandbox,
    made: Made,
    people: { readonly lab: Lab; readonly owner: StatementSigner },
    pool: HashingPool,
  ) {
    this.sandbox = sandbox;
    this.made = made;
    this.lab = people.lab;
    this.#owner = people.owner;
    this.#pool = pool;
    this.checks = new Checks(this.journal, this.lab);
  }

  /** An empty registry with one namespace, on which no server runs yet. */
  static async make(pool: HashingPool, options: WorldOptions = {}): Promise<World> {
    const sandbox = await Sandbox.make();
    try {
      sandbox.store = options.store ?? 'store';
      Object.assign(sandbox.env, { WEIGHHOUSE_LOG_LEVEL: 'warn' }, options.env);
      const made = await sandbox.init('acme');
      const key = await readKeyFile(sandbox.path('offline/owner.key'), undefined);
      const owner = statementSigner(key, 'the owner');
      const lab = await Lab.make(sandbox.path('keys'));
      return new World(sandbox, made, { lab, owner }, pool);
    } catch (error) {
      await sandbox.remove();
      throw error;
    }
  }

  /** Pins the registry that is served at `url`, and begins its gated namespace. */
  async begin(url: string): Promise<void> {
    this.sandbox.env.WEIGHHOUSE_URL = url;
    await this.sandbox.trust(this.made);
    await this.lab.begin((token) => new Api({ url: parseRegistryUrl(url), token }));
  }

  /** What clients at work have. */
  client(
    url: string,
    signal: AbortSignal = new AbortController().signal,
    fetchWith: typeof fetch = fetch,
  ): ClientParts {
    const connect = (token: string) =>
      new Api({ url: parseRegistryUrl(url), token, fetch: fetchWith });
    return {
      api: connect(this.made.token),
      connect,
      journal: this.journal,
      lab: this.lab,
      origin: ORIGIN,
      owner: this.#owner,
      pool: this.#pool,
      signal,
      ...this.#folders(),
    };
  }

  /** The registry as it is shown at `url`, by these servers. */
  shown(url: string, servers: readonly string[] = [url]): Shown {
    return { url, servers, ...this.#folders() };
  }

  /** Finishes what was begun, and requires that all of it is there and good. */
  async finish(shown: Shown): Promise<void> {
    await this.checks.require(shown, 'the last fault');
    await finish(this.client(shown.url));
    await this.checks.require(shown, 'everything was finished');
    await this.#requireRecorded(shown);
    await this.checks.requireAll(shown);
  }

  /** Nothing that was signed is given up, or left. */
  async #requireRecorded({ url }: Shown): Promise<void> {
    const receipts = await this.lab.receipts(this.client(url));
    const left = receipts.filter(({ state }) => state !== 'recorded');
    if (left.length === 0 && receipts.length === this.journal.decisions.length) return;
    throw new Error(`${receipts.length} receipts, ${left.length} of them not recorded`);
  }

  #folders() {
    return {
      pins: new DiskPins(this.sandbox.path('config/weighhouse/registries')),
      folder: this.sandbox.path('client'),
    };
  }
}
