/**
 * A registry that is served: a directory store in a temporary folder, keys without a
 * passphrase, a real log with a short period, and the real HTTP server on a free port.
 *
 *     const served = await Served.start();
 *     const { digest } = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
 *     const response = await served.fetch('/api/v1/releases/acme/tiny/v1');
 *     await served.stop();
 *
 * It has the namespace `acme` from the beginning. All of it goes through HTTP, but for the
 * namespaces, which the operator's side makes.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pino, { type Logger } from 'pino';
import { formatBase64 } from '../../src/core/bytes.ts';
import type { Digest } from '../../src/core/digest.ts';
import { digestBytes } from '../../src/core/digest.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import type { AdvisoryKind } from '../../src/core/log/entry.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../src/core/release/advisory.ts';
import { type Namespace, parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { formatPem } from '../../src/core/statement/public-key.ts';
import { presentReleaseKeys } from '../../src/core/trust/periods.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { type FollowingCatalogue, openCatalogue } from '../../src/index/open.ts';
import type { TokenKey } from '../../src/keyring/jwt.ts';
import type { StatementSigner } from '../../src/keyring/keys.ts';
import { issueToken, type TokenRole } from '../../src/keyring/token.ts';
import { type LogReader, openLogReader } from '../../src/log/reader.ts';
import { openSequencer, type Sequencer } from '../../src/log/sequencer.ts';
import { internet } from '../../src/oidc/address.ts';
import { openIdentities } from '../../src/oidc/identity.ts';
import { type InitOptions, initRegistry, type NewRegistry } from '../../src/operator/init.ts';
import { LiveTrust } from '../../src/operator/live-trust.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import { closeWithHeads } from '../../src/registry/heads.ts';
import { openRegistry } from '../../src/registry/open.ts';
import type { RegistryParts } from '../../src/registry/parts.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type AppParts, createApp } from '../../src/server/app.ts';
import { allowedHosts } from '../../src/server/hosts.ts';
import { type Listening, type ListenLimits, listen } from '../../src/server/listen.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { noProxies } from '../../src/server/trusted-proxies.ts';
import type { Store } from '../../src/store/contract.ts';
import { openDirectory } from '../../src/store/directory.ts';
import { declared, type MadeFiles, nonceOf, OPERATOR, partsOf } from './live-registry.ts';
import type { Loose } from './loose.ts';

/** Milliseconds that the log collects entries. */
const PERIOD = 5;
const HOST = '127.0.0.1';

export interface ServedOptions {
  readonly origin?: string;
  /** The clock of the log and of the registry; the machine's without. */
  readonly clock?: () => number;
  /** Begins the namespace acme; with the solo policy without. */
  readonly begin?: (registry: Registry) => Promise<unknown>;
  /** In front of the store, to make it fail. */
  readonly wrapStore?: (store: Store) => Store;
  /** Other parts of the application than the real ones. */
  readonly parts?: Partial<AppParts>;
  readonly limits?: Partial<ListenLimits>;
  /** Where it listens; any that is free without. */
  readonly port?: number;
  /** The host name by which browsers reach it; its address without. */
  readonly name?: string;
}

export interface RequestOptions {
  readonly method?: string;
  /** A bearer token; null sends none. By default the publisher's own for writes, none for reads. */
  readonly token?: string | null;
  /** A body of type application/json. */
  readonly json?: unknown;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Grant {
  readonly roles: readonly TokenRole[];
  readonly namespace?: string | undefined;
  readonly subject?: string;
  readonly seconds?: number;
}

type MakeApp = Parameters<typeof listen>[0];

/** The open parts beside the HTTP server. */
interface Rooms {
  readonly folder: string;
  readonly made: NewRegistry;
  readonly trust: LiveTrust;
  readonly store: Store;
  readonly sequencer: Sequencer;
  readonly log: LogReader;
  readonly parts: RegistryParts;
  readonly registry: Registry;
  readonly hashing: HashingPool;
  readonly catalogue: FollowingCatalogue;
}

export class Served {
  /** `http://127.0.0.1:port`, or by its name. */
  readonly url: string;
  readonly port: number;
  /** A temporary folder of its own: `store`, `keys`, `root.key`, `owner.key`. */
  readonly folder: string;
  readonly origin: string;
  readonly vkey: string;
  readonly fingerprint: Digest;
  /** Signs policies and advisories as the owner of every namespace here. */
  readonly owner: StatementSigner;
  readonly store: Store;
  readonly registry: Registry;
  readonly log: LogReader;
  readonly sequencer: Sequencer;
  readonly tokens: TokenKey;
  /** May make and publish releases in the namespace acme. */
  readonly publisher: string;
  /** What the server logged: one JSON object a line. */
  readonly logged: string[];
  readonly listening: Listening;
  readonly #rooms: Rooms;
  readonly #time: Clock;
  readonly #appOf: (rooms: Pick<Rooms, 'registry' | 'log'>) => MakeApp;
  readonly #doors: Listening[] = [];

  private constructor(
    rooms: Rooms,
    at: {
      listening: Listening;
      appOf: (rooms: Pick<Rooms, 'registry' | 'log'>) => MakeApp;
      url: string;
      publisher: string;
      time: Clock;
      logged: string[];
    },
  ) {
    this.#rooms = rooms;
    this.#time = at.time;
    this.#appOf = at.appOf;
    this.listening = at.listening;
    this.url = at.url;
    this.port = Number(new URL(this.url).port);
    this.publisher = at.publisher;
    this.logged = at.logged;
    this.folder = rooms.folder;
    this.origin = rooms.trust.origin;
    this.vkey = rooms.made.vkey;
    this.fingerprint = rooms.made.fingerprint;
    this.owner = rooms.made.owner!;
    this.store = rooms.store;
    this.registry = rooms.registry;
    this.log = rooms.log;
    this.sequencer = rooms.sequencer;
    this.tokens = rooms.trust.tokens;
  }

  static async start(options: ServedOptions = {}): Promise<Served> {
    const rooms = await openRooms(options);
    const time = new Clock();
    const logged: string[] = [];
    const reachedAt = (bound: string) =>
      options.name === undefined ? bound : bound.replace(HOST, options.name);
    const logger: Logger = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
    const appOf =
      ({ registry, log }: Pick<Rooms, 'registry' | 'log'>) =>
      (bound: string) =>
        createApp({
          registry,
          catalogue: rooms.catalogue,
          log,
          store: rooms.store,
          tokens: rooms.trust.tokens,
          identities: openIdentities(nodeHost, [], internet),
          hashing: rooms.hashing,
          hosts: allowedHosts(bound, undefined),
          config: {
            origin: rooms.trust.origin,
            url: reachedAt(bound),
            vkey: rooms.made.vkey,
            releaseKeys: presentReleaseKeys(rooms.trust.root).map(formatPem),
          },
          metrics: createMetrics(),
          logger,
          clock: time.now,
          unready: async () => rooms.sequencer.unready(),
          isLeaving: () => false,
          trustedProxies: noProxies,
          ...options.parts,
        });
    const address = { host: HOST, port: options.port ?? 0 };
    const listening = await listen(appOf(rooms), address, options.limits);
    const { token } = await issueToken(
      rooms.trust.tokens,
      { subject: 'publisher', roles: ['publisher'], namespace: parseNamespace('acme') },
      24 * 3600,
      time.now(),
    );
    const served = new Served(rooms, {
      listening,
      appOf,
      url: reachedAt(listening.url),
      publisher: token,
      time,
      logged,
    });
    if (options.begin === undefined) await served.createNamespace('acme');
    else await options.begin(served.registry);
    return served;
  }

  /** Starts a server over the same store that has read nothing of it yet; resolves to its address. */
  async startAnother(): Promise<string> {
    const log = openLogReader(this.store, nodeHost);
    const registry = openRegistry({ ...this.#rooms.parts, reader: log });
    const door = await listen(this.#appOf({ registry, log }), { host: HOST, port: 0 });
    this.#doors.push(door);
    return door.url;
  }

  /** Serves the same application at one more address, with other limits; resolves to its port. */
  async openDoor(limits: Partial<ListenLimits>): Promise<number> {
    const door = await listen(this.#appOf(this.#rooms), { host: HOST, port: 0 }, limits);
    this.#doors.push(door);
    return Number(new URL(door.url).port);
  }

  async stop(): Promise<void> {
    for (const door of [this.listening, ...this.#doors]) await door.close(1_000);
    const { catalogue, registry, sequencer, hashing, store, folder } = this.#rooms;
    catalogue.close();
    await registry.close();
    await sequencer.close();
    await hashing.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }

  /** Lets the server's clock jump (tokens and revocations; the log keeps its own). */
  pass(milliseconds: number): void {
    this.#time.offset += milliseconds;
  }

  /** A bearer token, and its id. */
  async token({ roles, namespace = 'acme', subject = 'somebody', seconds = 3600 }: Grant) {
    const grant = { subject, roles, namespace: namespaceOrAll(namespace) };
    return issueToken(this.tokens, grant, seconds, this.#time.now());
  }

  /** A token of the role operator, for all namespaces. */
  async operator(): Promise<string> {
    return (await this.token({ roles: ['operator'], namespace: '' })).token;
  }

  async createNamespace(namespace: string): Promise<{ index: number }> {
    const policy = await soloFor(this.origin, parseNamespace(namespace), this.owner, 'owner');
    const signed = await signPolicy(this.owner, policy);
    return this.registry.createNamespace(OPERATOR, { ...signed, override: false });
  }

  /** A request to the server; `path` begins with a slash. */
  fetch(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = 'GET', json, body = null, headers = {}, signal = null } = options;
    const token = options.token ?? null;
    return fetch(this.url + path, {
      method,
      signal,
      redirect: 'manual',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? (body as Uint8Array<ArrayBuffer> | null) : JSON.stringify(json),
    });
  }

  /** A call of the native API as the publisher: the JSON of its answer. Throws for a refusal. */
  async api(path: string, options: RequestOptions = {}): Promise<Loose> {
    const token = options.token === undefined ? this.publisher : options.token;
    const response = await this.fetch(`/api/v1${path}`, { ...options, token });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Opens the draft and uploads the files; resolves to its upload credential. */
  async upload(
    reference: string,
    files: MadeFiles,
    options: { token?: string } = {},
  ): Promise<string> {
    const draft = draftPath(reference);
    const { session } = await this.api(draft, { method: 'PUT', ...options });
    for (const [path, content] of Object.entries(files)) {
      const ticket = await this.api(`${draft}/files`, {
        method: 'POST',
        token: session,
        json: declared(path, content),
      });
      if (ticket.state === 'stored') continue;
      for (const { number, bytes, sha256 } of partsOf(content)) {
        await this.api(`${draft}/uploads/${ticket.upload}/parts/${number}`, {
          method: 'PUT',
          token: session,
          body: bytes,
          headers: { 'content-digest': contentDigest(sha256) },
        });
      }
      const complete = `${draft}/uploads/${ticket.upload}/complete`;
      await this.api(complete, { method: 'POST', token: session });
    }
    return session;
  }

  /** All of a push: uploads, seals, waits for the seal. */
  async push(
    reference: string,
    files: MadeFiles,
    options: { token?: string } = {},
  ): Promise<{ digest: Digest; session: string }> {
    const session = await this.upload(reference, files, options);
    const draft = draftPath(reference);
    const json = { nonce: nonceOf(1), paths: Object.keys(files) };
    let status = await this.api(`${draft}/seal`, { method: 'POST', json, ...options });
    while (status.state === 'draft' && status.seal?.running === true) {
      await pause(2);
      status = await this.api(draft, options);
    }
    if (status.digest === undefined) throw new Error(JSON.stringify(status));
    return { digest: status.digest, session };
  }

  /** Pushes and publishes. */
  async publish(
    reference: string,
    files: MadeFiles,
    options: { token?: string } = {},
  ): Promise<{ reference: string; digest: Digest; index: number; size: number }> {
    const { digest } = await this.push(reference, files, options);
    const path = `${draftPath(reference)}/publish`;
    return this.api(path, { method: 'POST', json: { digest }, ...options });
  }

  /** Logs an advisory that the owner signed; resolves to its envelope, base64, and its index. */
  async advise(release: string, digest: Digest, advisory: AdvisoryKind, summary: string) {
    const time = new Date(this.#time.now()).toISOString();
    const said = { v: 1, origin: this.origin, release, digest, advisory, summary, time } as const;
    const payload = formatAdvisory({ ...said, nonce: nonceOf(3) });
    const signature = await this.owner.sign(toSign(ADVISORY_PAYLOAD_TYPE, payload));
    const envelope = formatBase64(formatEnvelope(ADVISORY_PAYLOAD_TYPE, payload, signature));
    const logged = await this.api('/advisories', { method: 'POST', json: { envelope } });
    return { envelope, ...logged };
  }

  /** The file in which the store keeps the bytes of a published file, for tests that damage it. */
  async blobOf(reference: string, path: string): Promise<string> {
    const content = await this.registry.content(parseReleaseName(reference), path);
    return content.localPath!;
  }
}

/** `/drafts/ns/name/version` of `ns/name@version`. */
export function draftPath(reference: string): string {
  return `/drafts/${reference.replace('@', '/')}`;
}

/** `/api/v1/releases/ns/name/version/files/path`, each segment encoded. */
export function filePath(reference: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `/api/v1/releases/${reference.replace('@', '/')}/files/${encoded}`;
}

/** RFC 9530. */
export function contentDigest(sha256: Digest): string {
  return `sha-256=:${formatBase64(digestBytes(sha256))}:`;
}

class Clock {
  offset = 0;
  readonly now = (): number => Date.now() + this.offset;
}

/** An empty name stands for all namespaces. */
function namespaceOrAll(name: string): Namespace | undefined {
  return name === '' ? undefined : parseNamespace(name);
}

async function openRooms(options: ServedOptions): Promise<Rooms> {
  const folder = await mkdtemp(join(tmpdir(), 'weighhouse-served-'));
  const directory = join(folder, 'store');
  await mkdir(directory);
  const real = await openDirectory(directory, { create: true });
  const keysDirectory = join(folder, 'keys');
  const made = await initRegistry(real, initOptions(folder, keysDirectory, options.origin));
  const store = options.wrapStore?.(real) ?? real;
  const trust = await LiveTrust.open({
    store,
    host: nodeHost,
    keysDirectory,
    passphrase: undefined,
  });
  const { clock = Date.now } = options;
  const random = () => new Uint8Array(randomBytes(32));
  const sequencer = await openSequencer({
    store,
    host: nodeHost,
    origin: trust.origin,
    keys: trust.logKeys,
    clock,
    random,
    closing: closeWithHeads(nodeHost),
    period: PERIOD,
  });
  const log = openLogReader(store, nodeHost);
  const hashing = new HashingPool({ threads: 1 });
  const parts = {
    ...{ store, host: nodeHost, origin: trust.origin, log: sequencer, reader: log },
    ...{ keys: trust, hashing, clock, random },
  };
  const registry = openRegistry(parts);
  await registry.recover();
  const catalogue = await openCatalogue(
    join(folder, 'index.sqlite'),
    log,
    async (release) => (await registry.release(release))?.manifest,
    // It is told when to look: no timer runs beside a test.
    { every: 0, decisionsOf: (release) => registry.revealed(release) },
  );
  return { folder, made, trust, store, sequencer, log, parts, registry, hashing, catalogue };
}

function initOptions(folder: string, keysDirectory: string, origin = 'served.test'): InitOptions {
  return {
    host: nodeHost,
    origin: parseOrigin(origin),
    keysDirectory,
    rootKeyFile: join(folder, 'root.key'),
    ownerKeyFile: join(folder, 'owner.key'),
    passphrase: undefined,
    now: Date.now(),
    random: new Uint8Array(randomBytes(32)),
  };
}
