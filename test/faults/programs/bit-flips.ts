/**
 * A bit flips in an object of the bucket while readers read. For every kind of object: a server
 * answers as before or not at all, and a client that verifies believes nothing else, whatever
 * it is shown. Weights lie in the bucket, where servers send their readers (ADR 9): damaged ones
 * are for a pull to find. Then the bit flips back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import type { PinStore } from '../../../src/client/pins.ts';
import { type Reader, resolveRelease } from '../../../src/client/release.ts';
import { equal } from '../../../src/core/bytes.ts';
import { isCoded } from '../../../src/core/error.ts';
import { parseReference } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { auditRegistry } from '../../../src/transfer/audit/audit.ts';
import { pull } from '../../../src/transfer/pull.ts';
import { Bucket } from '../cluster/bucket.ts';
import { Load } from '../cluster/load.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import { RELEASE_DOCUMENTS } from '../load/documents.ts';
import { Draw } from '../load/draw.ts';
import type { Program, RunOptions } from '../program.ts';

/** Milliseconds of work that makes the objects, at least and at most. */
const [MIN_WORK_MS, MAX_WORK_MS] = [4_000, 60_000];
/** Milliseconds between two looks at how far the work is. */
const LOOK_MS = 250;
/** Releases that the readers look at: the newest ones. So many there must be. */
const RELEASES = 3;
/** What is nothing without a proof: every client of the log checks it against a signed root. */
const PROVEN = /^\/log\//;
const FILE = /^\/api\/v1\/releases\/([^/]+\/[^/]+)\/([^/]+)\/files\//;

export const bitFlips: Program = {
  name: 'bit-flips',
  title: 'a bit flips in every kind of object under servers that serve',
  times: { short: 1, long: 6 },
  async run(options) {
    const pool = new HashingPool({ threads: 1 });
    const bucket = await Bucket.start();
    const store = bucket.address('bit-flips');
    try {
      return await onTrial({ pool, store, env: bucket.env() }, (trial) =>
        flipAll(trial, pool, bucket, options),
      );
    } finally {
      await pool.close();
      await bucket.remove();
    }
  },
};

/** So many objects of each kind, each with one bit flipped. */
async function flipAll(
  trial: Trial,
  pool: HashingPool,
  bucket: Bucket,
  { seed, times, say }: RunOptions,
) {
  const { world, cluster, shown } = trial;
  const load = Load.start(world, cluster);
  await Promise.race([enoughWork(world), load.ended]);
  await load.stop();
  await world.checks.require(shown, 'some work');

  const readers = await Readers.open(trial, pool);
  const draw = new Draw(seed);
  const kinds = Map.groupBy(await bucket.keys('bit-flips'), kindOf);
  const found: string[] = [];
  let flips = 0;
  for (const [kind, keys] of kinds) {
    for (let n = 0; n < times; n++) {
      const key = draw.pick(keys);
      const flipped = await flip(bucket, key, draw);
      if (flipped === undefined) break;
      const wrong = await readers.look();
      await flipped.back();
      flips += 1;
      found.push(...wrong.map((what) => `bit ${flipped.bit} of ${key}: ${what}`));
      say(
        `${kind}: bit ${flipped.bit} of ${key}, ${wrong.length === 0 ? 'never served as good' : wrong.join('; ')}`,
      );
    }
  }
  const after = await readers.look();
  found.push(...after.map((what) => `after all bits were put back: ${what}`));
  if (found.length > 0) throw new Error(found.join('\n'));
  return `${flips} bits in ${kinds.size} kinds of objects (${[...kinds.keys()].join(', ')}); ${readers.describe()}`;
}

/** Resolves once there is something to read: on a busy machine that takes a while. */
async function enoughWork({ journal }: Trial['world']): Promise<void> {
  const begun = performance.now();
  const passed = () => performance.now() - begun;
  const isEnough = () =>
    passed() >= MIN_WORK_MS &&
    journal.releases.filter(({ acknowledged }) => acknowledged).length >= RELEASES;
  while (!isEnough() && passed() < MAX_WORK_MS) await pause(LOOK_MS);
}

/** The folder of an object, without what is different for each. */
function kindOf(key: string): string {
  const [first, second, third] = key.split('/');
  if (first === 'private') return `private/${second}`;
  if (first === 'log') return third === 'entries' ? 'log/tile/entries' : `log/${second}`;
  return first!;
}

/** One bit of an object, the other way round until it is put back; undefined for an empty object. */
async function flip(bucket: Bucket, key: string, draw: Draw) {
  const bytes = await bucket.read('bit-flips', key);
  if (bytes.length === 0) return undefined;
  const bit = Math.floor(draw.fraction() * 8 * bytes.length);
  const changed = bytes.slice();
  changed[bit >> 3]! ^= 1 << (bit & 7);
  await bucket.write('bit-flips', key, changed);
  return { bit, back: () => bucket.write('bit-flips', key, bytes) };
}

/** Readers who know what they were shown when all was well. */
class Readers {
  readonly #trial: Trial;
  readonly #pool: HashingPool;
  readonly #good: ReadonlyMap<string, Uint8Array>;
  readonly #releases: readonly string[];
  #answers = 0;
  #refusals = 0;
  #disbelieved = 0;
  #pulls = 0;

  private constructor(
    trial: Trial,
    pool: HashingPool,
    good: ReadonlyMap<string, Uint8Array>,
    releases: readonly string[],
  ) {
    this.#trial = trial;
    this.#pool = pool;
    this.#good = good;
    this.#releases = releases;
  }

  static async open(trial: Trial, pool: HashingPool): Promise<Readers> {
    const [server] = trial.cluster.urls;
    const releases = trial.world.journal.releases
      .filter(({ acknowledged }) => acknowledged)
      .map(({ reference }) => reference)
      .slice(-RELEASES);
    if (releases.length < RELEASES) throw new Error(`there are only ${releases.length} releases`);
    const good = new Map<string, Uint8Array>();
    for (const route of routesOf(releases)) {
      const [first, second] = [await get(server!, route), await get(server!, route)];
      // What is signed or counted anew at each request is left to those who verify.
      if (first && second && equal(first.bytes, second.bytes)) good.set(route, first.bytes);
    }
    return new Readers(trial, pool, good, releases);
  }

  /** Sentences about what is shown, or believed, that is not what was good. */
  async look(): Promise<readonly string[]> {
    const servers = await Promise.all(this.#trial.cluster.urls.map((url) => this.#lookAt(url)));
    return servers.flat();
  }

  describe(): string {
    return `${this.#answers} answers as before, ${this.#refusals} refused, ${this.#disbelieved} disbelieved by who verifies`;
  }

  async #lookAt(url: string): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const [route, good] of this.#good) {
      const shown = await get(url, route);
      if (shown === undefined) this.#refusals += 1;
      else if (equal(shown.bytes, good)) this.#answers += 1;
      else if (shown.isFromBucket) wrong.push(...(await this.#pulled(url, route)));
      else if (!PROVEN.test(route)) wrong.push(`${route} is served as good`);
    }
    return [...wrong, ...(await this.#believed(url))];
  }

  /** A file that is damaged in the bucket must be found out by whoever pulls it. */
  async #pulled(url: string, route: string): Promise<readonly string[]> {
    const [, model, version] = FILE.exec(route)!;
    const asked = parseReference(`${model}@${version}`);
    this.#pulls += 1;
    const folder = this.#trial.world.sandbox.path(`pulled-${this.#pulls}`);
    try {
      await pull(this.#reader(url), this.#pool, asked, folder);
    } catch (error) {
      if (!isCoded(error, 'digest-mismatch')) throw error;
      this.#disbelieved += 1;
      return [];
    }
    return [`${route} is pulled as good`];
  }

  /** A client that knows what was shown, and remembers nothing that it is shown now. */
  #reader(url: string): Reader {
    return {
      host: nodeHost,
      api: new Api({ url: parseRegistryUrl(url) }),
      pins: forgetful(this.#trial.shown.pins),
      clock: Date.now,
    };
  }

  /** What clients that verify say; they must see what they saw before, or refuse. */
  async #believed(url: string): Promise<readonly string[]> {
    const reader = this.#reader(url);
    const wrong: string[] = [];
    for (const reference of this.#releases) {
      const line = this.#trial.world.journal.releases.find((each) => each.reference === reference)!;
      const resolved = await resolveRelease(reader, parseReference(reference)).catch(
        () => undefined,
      );
      if (resolved === undefined) this.#disbelieved += 1;
      else if (resolved.verified.digest !== line.digest)
        wrong.push(`${reference} is believed to be another`);
    }
    await auditRegistry(reader).then(
      ({ ok }) => {
        if (!ok) this.#disbelieved += 1;
      },
      () => {
        this.#disbelieved += 1;
      },
    );
    return wrong;
  }
}

/** Pins that know what `pins` know, and learn nothing. */
function forgetful(pins: PinStore): PinStore {
  return {
    pins: () => pins.pins(),
    pin: (origin) => pins.pin(origin),
    roots: (origin) => pins.roots(origin),
    seen: (origin) => pins.seen(origin),
    savePin: async () => {},
    saveRoot: async () => {},
    saveSeen: async () => {},
  };
}

function routesOf(releases: readonly string[]): readonly string[] {
  const models = new Set(releases.map((reference) => reference.split('@')[0]!));
  const namespaces = new Set([...models].map((model) => model.split('/')[0]!));
  return [
    '/log/checkpoint',
    ...[...namespaces].flatMap((name) => [
      `/api/v1/namespaces/${name}/policy`,
      `/api/v1/namespaces/${name}/policies`,
      `/api/v1/releases?namespace=${name}`,
    ]),
    ...[...models].flatMap((model) => [
      `/api/v1/releases/${model}`,
      `/api/v1/releases/${model}/history`,
    ]),
    ...releases.flatMap((reference) =>
      RELEASE_DOCUMENTS.map(
        (document) => `/api/v1/releases/${reference.replace('@', '/')}${document}`,
      ),
    ),
  ];
}

interface Answer {
  readonly bytes: Uint8Array;
  /** The server had sent the reader to the bucket. */
  readonly isFromBucket: boolean;
}

/** The whole answer; undefined when there is none, or it is a refusal. */
async function get(url: string, route: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${url}${route}`);
    const bytes = await response.bytes();
    return response.ok ? { bytes, isFromBucket: response.redirected } : undefined;
  } catch {
    return undefined;
  }
}
