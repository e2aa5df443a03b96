/**
 * A registry that runs: the use cases over a store in memory, a real log and real hashing.
 * A `World` is what outlives a process (disk, keys, clock); each `open` is one process in it.
 */
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { formatHex, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestBytes, digestOf } from '../../src/core/digest.ts';
import type { AdvisoryKind } from '../../src/core/log/entry.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../src/core/release/advisory.ts';
import { chunkRoot, chunkSizeFor } from '../../src/core/release/chunks.ts';
import type { Claims } from '../../src/core/release/claims.ts';
import {
  formatReleaseName,
  parseNamespace,
  parseReleaseName,
  type ReleaseName,
} from '../../src/core/release/name.ts';
import {
  formatPolicy,
  POLICY_PAYLOAD_TYPE,
  type Policy,
  soloPolicy,
} from '../../src/core/release/policy.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import type { TrustRoot } from '../../src/core/trust/succession.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { type LogReader, openLogReader } from '../../src/log/reader.ts';
import { createLog } from '../../src/log/recover.ts';
import { openSequencer, type Sequencer, type SequencerOptions } from '../../src/log/sequencer.ts';
import { closeWithHeads } from '../../src/registry/heads.ts';
import { openRegistry } from '../../src/registry/open.ts';
import type { RegistryKeys, RegistryParts } from '../../src/registry/parts.ts';
import type {
  Caller,
  DeclaredFile,
  DraftStatus,
  PublishResult,
  Registry,
} from '../../src/registry/registry.ts';
import type { Store } from '../../src/store/contract.ts';
import { enrolled } from './enrolment.ts';
import { countingRandom, RUSHING, START } from './log.ts';
import { type Behaviour, Disk } from './memory-store.ts';
import { makeLogKey, ORIGIN } from './model-signature.ts';
import { type MadeKey, makeKey } from './p256.ts';
import { makeRootDocument } from './trust-root.ts';

export type MadeFiles = Readonly<Record<string, Uint8Array | string>>;

export const ACME = parseNamespace('acme');
export const RELEASE = parseReleaseName('acme/tiny@v1.0');
export const FILES: MadeFiles = { 'README.md': 'A tiny model.\n', 'config.json': '{"layers":1}' };

export const OPERATOR: Caller = { subject: 'operator', roles: ['operator'], namespace: undefined };
/** May do everything in the namespace acme. */
export const PUBLISHER: Caller = caller(ACME, 'publisher');

export function caller(namespace: string, ...roles: Caller['roles']): Caller {
  return { subject: `${roles} of ${namespace}`, roles, namespace: parseNamespace(namespace) };
}

/**
 * Makes worlds for the tests of one file, which share a hashing pool. What a test opens is
 * closed after it.
 */
export function useWorlds(): () => Promise<World> {
  const worlds: World[] = [];
  let hashing: HashingPool;
  beforeAll(() => {
    hashing = new HashingPool({ threads: 1 });
  });
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map((world) => world.close()));
  });
  afterAll(() => hashing.close());
  return async () => {
    const world = await World.create(hashing);
    worlds.push(world);
    return world;
  };
}

export class World {
  readonly disk: Disk;
  readonly owner: MadeKey = makeKey();
  readonly releaseKey: MadeKey = makeKey();
  readonly logKey = makeLogKey();
  readonly hashing: HashingPool;
  /** In the place of one release key and one log key, for ever. */
  keys: RegistryKeys | undefined;
  readonly #live = new Set<LiveRegistry>();
  #time = START;
  #processes = 0;

  private constructor(disk: Disk, hashing: HashingPool) {
    this.disk = disk;
    this.hashing = hashing;
  }

  /** A store with an empty log. */
  static async create(hashing: HashingPool, disk = new Disk()): Promise<World> {
    const world = new World(disk, hashing);
    await createLog({ ...world.logOptions(disk.open()), time: START, random: new Uint8Array(16) });
    return world;
  }

  get root(): TrustRoot {
    const release = [{ spki: this.releaseKey.spki, from: 0 }];
    return makeRootDocument([makeKey()], { release }) as TrustRoot;
  }

  /** Milliseconds; a little more at each call. */
  readonly clock = (): number => {
    this.#time += 1;
    return this.#time;
  };

  pass(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** The same keys over a copy of the disk: what a backup, or a second future, starts from. */
  fork(): World {
    const fork = new World(this.disk.copy(), this.hashing);
    Object.assign(fork, { owner: this.owner, releaseKey: this.releaseKey });
    fork.#time = this.#time;
    fork.#processes = this.#processes;
    return fork;
  }

  logOptions(store: Store) {
    return { store, host: nodeHost, origin: ORIGIN, keys: [this.logKey] };
  }

  /** A process that has just started, on the disk or on another store. */
  async open(
    behaviour: Behaviour = {},
    options: Partial<SequencerOptions> &
      Pick<RegistryParts, 'onUnfinished' | 'direct' | 'quota'> = {},
  ): Promise<LiveRegistry> {
    this.#processes += 1;
    const store = options.store ?? this.disk.open(behaviour);
    const random = countingRandom(this.#processes << 20);
    const closing = closeWithHeads(nodeHost);
    const log = await openSequencer({
      // Races are what these registries are for; politeness would prevent most of them.
      turns: RUSHING,
      ...this.logOptions(store),
      clock: this.clock,
      random,
      closing,
      period: 1,
      ...options,
    });
    const reader = openLogReader(store, nodeHost);
    const releaseKey = {
      spki: this.releaseKey.spki,
      sign: async (bytes: Uint8Array) => this.releaseKey.sign(bytes),
    };
    const { clock, hashing, logKey } = this;
    const keys: RegistryKeys = {
      logKeyAt: () => logKey,
      releaseKeyAt: () => releaseKey,
      releaseKeys: () => [releaseKey.spki],
      renew: async () => {},
    };
    const registry = openRegistry({
      store,
      host: nodeHost,
      origin: ORIGIN,
      log,
      reader,
      keys: this.keys ?? keys,
      hashing,
      clock,
      random,
      onUnfinished: options.onUnfinished,
      direct: options.direct,
      quota: options.quota,
    });
    const live = new LiveRegistry(this, registry, log, reader);
    this.#live.add(live);
    return live;
  }

  /** Closes all processes. */
  async close(): Promise<void> {
    const live = [...this.#live];
    this.#live.clear();
    await Promise.all(live.map((each) => each.close()));
  }

  /** Forgets a process that was killed: its store never answers again, and neither does it. */
  bury(dead: LiveRegistry): void {
    this.#live.delete(dead);
    void dead.log.close(1);
  }

  /** A process over an empty log that has the namespace acme. */
  async openWithNamespace(): Promise<LiveRegistry> {
    const live = await this.open();
    await live.createNamespace('acme');
    return live;
  }

  policy(namespace: string, changes: Partial<Policy> = {}): Policy {
    const key = enrolled(this.owner, { namespace });
    const owner = { id: 'owner', name: 'Owner', key };
    return { ...soloPolicy(ORIGIN, namespace, owner), ...changes };
  }

  sign(payloadType: string, payload: Uint8Array, key = this.owner): Uint8Array {
    return formatEnvelope(payloadType, payload, key.sign(toSign(payloadType, payload)));
  }

  /** The envelope of an advisory. */
  advisory(
    release: ReleaseName,
    digest: Digest,
    kind: AdvisoryKind,
    { key = this.owner, nonce = '00'.repeat(32), summary = 'Do not use.' } = {},
  ): Uint8Array {
    const payload = formatAdvisory({
      v: 1,
      origin: ORIGIN,
      release: formatReleaseName(release),
      digest,
      advisory: kind,
      summary,
      time: '2026-01-01T00:00:00.000Z',
      nonce,
    });
    return this.sign(ADVISORY_PAYLOAD_TYPE, payload, key);
  }
}

export class LiveRegistry {
  readonly world: World;
  readonly registry: Registry;
  readonly log: Sequencer;
  readonly reader: LogReader;

  constructor(world: World, registry: Registry, log: Sequencer, reader: LogReader) {
    this.world = world;
    this.registry = registry;
    this.log = log;
    this.reader = reader;
  }

  async close(): Promise<void> {
    await this.registry.close();
    await this.log.close();
  }

  createNamespace(name: string, changes: Partial<Policy> = {}, override = false) {
    const policy = formatPolicy(this.world.policy(name, changes));
    const signed = [this.world.sign(POLICY_PAYLOAD_TYPE, policy)];
    return this.registry.createNamespace(OPERATOR, { policy, signed, override });
  }

  /** Declares and uploads the files; does not seal. */
  async upload(by: Caller, release: ReleaseName, files: MadeFiles): Promise<void> {
    await this.registry.openDraft(by, release);
    for (const [path, content] of Object.entries(files)) {
      await this.uploadFile(by, release, path, content);
    }
  }

  async uploadFile(by: Caller, release: ReleaseName, path: string, content: Uint8Array | string) {
    const bytes = bytesOf(content);
    const ticket = await this.registry.declareFile(by, release, declared(path, bytes));
    if (ticket.state === 'stored') return ticket;
    const { upload } = ticket;
    for (const part of partsOf(bytes)) {
      await this.registry.putPart(by, release, { upload, ...part }, streamOf(part.bytes));
    }
    await this.registry.completeUpload(by, release, upload);
    return ticket;
  }

  /** Asks to seal these paths and waits for the outcome. */
  async seal(
    by: Caller,
    release: ReleaseName,
    paths: readonly string[],
    nonce = nonceOf(1),
    claims: Claims = {},
  ): Promise<DraftStatus> {
    let status = await this.registry.seal(by, release, { nonce, paths, ...claims });
    while (status.state === 'draft' && status.seal?.running === true) {
      await setImmediate();
      status = await this.registry.draftStatus(by, release);
    }
    return status;
  }

  /** All of a push; resolves to the sealed digest. */
  async push(
    by: Caller,
    release: ReleaseName,
    files: MadeFiles = FILES,
    nonce = nonceOf(1),
  ): Promise<Digest> {
    await this.upload(by, release, files);
    const status = await this.seal(by, release, Object.keys(files), nonce);
    if (status.digest === undefined) throw new Error(JSON.stringify(status));
    return status.digest;
  }

  async release(
    by: Caller,
    release: ReleaseName,
    files: MadeFiles = FILES,
    nonce = nonceOf(1),
  ): Promise<PublishResult> {
    return this.registry.publish(by, release, await this.push(by, release, files, nonce));
  }

  /** All entries of the published log, as JSON. */
  async entries(): Promise<Record<string, unknown>[]> {
    const { size } = await this.reader.published();
    const bytes = size === 0 ? [] : await this.reader.entries(0, size);
    return bytes.map((entry) => JSON.parse(new TextDecoder().decode(entry)));
  }

  async kinds(): Promise<string[]> {
    return (await this.entries()).map(({ kind }) => String(kind));
  }
}

export function nonceOf(n: number): string {
  return formatHex(nodeHost.sha256(utf8(`nonce ${n}`)));
}

export function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? utf8(content) : content;
}

/** The file as its publisher would declare it. */
export function declared(path: string, content: Uint8Array | string): DeclaredFile {
  const bytes = bytesOf(content);
  const list = new Uint8Array(partsOf(bytes).flatMap(({ sha256 }) => [...digestBytes(sha256)]));
  return {
    path,
    size: bytes.length,
    sha256: digestOf(nodeHost, bytes),
    chunks: { size: chunkSizeFor(bytes.length), root: chunkRoot(nodeHost, list) },
  };
}

/** The parts that a file is sent in. */
export function partsOf(content: Uint8Array | string) {
  const bytes = bytesOf(content);
  const size = chunkSizeFor(bytes.length);
  const parts = [];
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    const sha256 = digestOf(nodeHost, part);
    parts.push({ number: at / size + 1, length: part.length, sha256, bytes: part });
  }
  return parts;
}

/** The bytes in a few pieces, as they come over a wire. */
export async function* streamOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const piece = Math.max(1, Math.ceil(bytes.length / 3));
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}
