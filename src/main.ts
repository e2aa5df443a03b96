/**
 * Puts the server together: the one place that names a concrete store and joins the rooms.
 * `openRegistryAt` is what the server and the operator's commands share; `serve` adds the
 * index, the HTTP server and an orderly end.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { readConfig } from './config.ts';
import { CodedError, isCoded } from './core/error.ts';
import { parseTlogPolicy } from './core/log/tlog-policy.ts';
import { formatVerifierKey } from './core/note/key.ts';
import type { ReleaseName } from './core/release/name.ts';
import { formatPem } from './core/statement/public-key.ts';
import { parseRoot } from './core/trust/root.ts';
import { nodeHost } from './hashing/host.ts';
import { HashingPool } from './hashing/pool.ts';
import { type FollowingCatalogue, openCatalogue } from './index/open.ts';
import { type LastSeen, openLastSeen } from './log/last-seen.ts';
import { type Patience, persistFor } from './log/pause.ts';
import { type LogReader, openLogReader } from './log/reader.ts';
import { type Observer, openSequencer, type Sequencer } from './log/sequencer.ts';
import { openWitnesses, type Witnesses } from './log/witnesses.ts';
import { openServerKeys, refuseRootKey, type ServerKeys } from './operator/keys-directory.ts';
import { closeWithHeads } from './registry/heads.ts';
import { openRegistry } from './registry/open.ts';
import type { Registry } from './registry/registry.ts';
import { createApp } from './server/app.ts';
import { allowedHosts } from './server/hosts.ts';
import { type Address, listen } from './server/listen.ts';
import { createMetrics } from './server/metrics.ts';
import type { Store } from './store/contract.ts';
import { openDirectory } from './store/directory.ts';
import { keys } from './store/keys.ts';
import { probeStore } from './store/probe.ts';
import { writeProbe } from './store/write-probe.ts';

/** Milliseconds that running requests are given when the server is told to stop. */
const DRAIN_MS = 30_000;

/**
 * How long a start waits for a bucket that does not answer: after a power cut the servers come
 * up in any order.
 */
export const STORE_PATIENCE_MS = 120_000;

/**
 * Opens the store at `address`: a directory, or `s3://bucket/prefix`, which is only taken if it
 * proves that its conditional writes are real.
 */
export async function openStore(
  address: string,
  options: { create?: boolean; patience?: Patience } = {},
): Promise<Store> {
  const { create = false, patience } = options;
  if (!address.startsWith('s3://')) return openDirectory(address, { create });
  // Loaded only when it is needed: the SDK takes longer to load than most commands run.
  const { openBucket } = await import('./store/s3.ts');
  const { s3Endpoint } = readConfig();
  const bucket = openBucket(address, s3Endpoint === undefined ? {} : { endpoint: s3Endpoint });
  const probe = () => probeStore(bucket, () => new Uint8Array(randomBytes(16)));
  await (patience === undefined ? probe() : persistFor(patience, probe));
  return bucket;
}

/** A registry on its store, without a server around it. */
export interface OpenRegistry {
  readonly registry: Registry;
  readonly log: LogReader;
  readonly sequencer: Sequencer;
  readonly keys: ServerKeys;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly observer?: Observer;
  /** Where this node remembers how far it has seen the log. */
  readonly stateDirectory?: string;
  /** A C2SP tlog-policy file that names the witnesses whose cosignatures a checkpoint needs. */
  readonly witnessPolicy?: string | undefined;
  readonly onAbsentWitness?: (witness: string, cause: unknown) => void;
  /** Told of each publish that was left in the middle and cannot be finished for now. */
  readonly onUnfinished?: (marker: string, cause: unknown) => void;
}

/** Opens the registry in `store` with the keys of `directory`, and finishes what a crash left. */
export async function openRegistryAt(
  store: Store,
  directory: string,
  passphrase: string | undefined,
  options: RegistryOptions = {},
): Promise<OpenRegistry> {
  const opened = await openServerKeys(nodeHost, directory, passphrase);
  await refuseForeignKeys(store, directory, passphrase, opened);
  const clock = Date.now;
  const random = () => new Uint8Array(randomBytes(32));
  const { stateDirectory, witnessPolicy, onAbsentWitness, observer } = options;
  const sequencer = await openSequencer({
    store,
    host: nodeHost,
    origin: opened.origin,
    keys: [opened.log],
    clock,
    random,
    closing: closeWithHeads(nodeHost),
    ...(observer !== undefined && { observer }),
    ...(stateDirectory !== undefined && {
      lastSeen: lastSeenOf(stateDirectory, opened, observer),
    }),
    ...(witnessPolicy !== undefined && (await openPolicy(store, witnessPolicy, onAbsentWitness))),
  });
  const log = openLogReader(store, nodeHost);
  const hashing = new HashingPool();
  const registry = await openRegistry({
    store,
    host: nodeHost,
    origin: opened.origin,
    log: sequencer,
    reader: log,
    logKey: opened.log,
    releaseKey: opened.release,
    hashing,
    clock,
    random,
    onUnfinished: options.onUnfinished,
  });
  await registry.recover();
  return {
    registry,
    log,
    sequencer,
    keys: opened,
    async close() {
      // The order in which they need each other: what still runs may still be logged.
      await registry.close();
      await sequencer.close();
      await hashing.close();
    },
  };
}

export interface ServeOptions {
  readonly store: Store;
  readonly keysDirectory: string;
  readonly passphrase: string | undefined;
  readonly address: Address;
  /** How clients reach the server; the bound address when undefined. */
  readonly publicUrl: string | undefined;
  /** Where the index is kept, and how far this node has seen the log. */
  readonly indexDirectory: string;
  readonly logLevel: string;
  /** A C2SP tlog-policy file; without one the log's own signature is enough. */
  readonly witnessPolicy: string | undefined;
}

export interface Serving {
  readonly url: string;
  readonly logger: Logger;
  /** Takes no more requests, lets the running ones and the current commit finish, and ends. */
  close(): Promise<void>;
}

/** Starts the server. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { store, keysDirectory, passphrase, address, publicUrl } = options;
  const logger = pino({ level: options.logLevel }, pino.destination(2));
  const metrics = createMetrics();
  const opened = await openRegistryAt(store, keysDirectory, passphrase, {
    observer: {
      ...metrics.log,
      failed: (cause) => logger.warn({ err: cause }, 'the log failed and tries again'),
      stopped: (cause) => logger.fatal({ err: cause }, 'the log has stopped'),
    },
    stateDirectory: options.indexDirectory,
    witnessPolicy: options.witnessPolicy,
    onAbsentWitness: (witness, cause) =>
      logger.warn({ witness, err: cause }, 'a witness did not cosign'),
    onUnfinished: (marker, cause) =>
      logger.error({ marker, err: cause }, 'a publish cannot be finished and is tried again'),
  });
  const { catalogue, removeIndex } = await openIndex(opened, options.indexDirectory, logger);
  // Its own threads: whoever reads need not wait until a terabyte is sealed.
  const hashing = new HashingPool();
  const takesNoWrites = writeProbe(store, randomBytes(16).toString('hex'), Date.now);
  const makeApp = (bound: string) =>
    createApp({
      registry: opened.registry,
      catalogue,
      log: opened.log,
      store,
      tokens: opened.keys.token,
      hashing,
      hosts: allowedHosts(bound, publicUrl),
      config: {
        origin: opened.keys.origin,
        url: publicUrl?.replace(/\/+$/, '') ?? bound,
        vkey: formatVerifierKey(opened.keys.log),
        releaseKeys: [formatPem(opened.keys.release.spki)],
      },
      metrics,
      logger,
      clock: Date.now,
      unready: async () => opened.sequencer.unready() ?? (await takesNoWrites()),
    });
  const listening = await listen(makeApp, address);
  return {
    url: publicUrl ?? listening.url,
    logger,
    async close() {
      await listening.close(DRAIN_MS);
      catalogue.close();
      await removeIndex();
      await hashing.close();
      await opened.close();
      await store.close();
    },
  };
}

/** A registry that is made anew under the same name has other keys, and nothing to do with the old one. */
function lastSeenOf(directory: string, { origin, log }: ServerKeys, observer?: Observer): LastSeen {
  const name = `${origin}+${log.id.toString(16).padStart(8, '0')}.checkpoint`;
  return openLastSeen(join(directory, name), (cause) => observer?.failed?.(cause));
}

async function openPolicy(
  store: Store,
  path: string,
  onAbsent: RegistryOptions['onAbsentWitness'],
): Promise<Witnesses> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CodedError('usage', `the witness policy ${path} cannot be read: ${error.message}`);
  });
  const policy = parseTlogPolicy(nodeHost, bytes);
  return openWitnesses({
    store,
    host: nodeHost,
    policy,
    ...(onAbsent === undefined ? {} : { onAbsent }),
  });
}

/**
 * Opens the index where it is kept from run to run. Where another server of this machine has
 * it open already, this one makes an index of its own and removes it when it ends.
 */
async function openIndex(
  { keys, log, registry }: OpenRegistry,
  directory: string,
  logger: Logger,
): Promise<{ readonly catalogue: FollowingCatalogue; removeIndex(): Promise<void> }> {
  const openIn = async (path: string) =>
    openCatalogue(
      join(path, `${keys.origin}.sqlite`),
      log,
      async (release: ReleaseName) => (await registry.release(release))?.manifest,
    );
  try {
    await mkdir(directory, { recursive: true });
    return { catalogue: await openIn(directory), removeIndex: async () => {} };
  } catch (error) {
    if (!isCoded(error, 'conflict')) throw error;
    logger.warn({ directory }, 'another server has the index open; this one makes its own');
    const own = await mkdtemp(join(tmpdir(), 'weighhouse-index-'));
    const removeIndex = () => rm(own, { recursive: true, force: true });
    return { catalogue: await openIn(own), removeIndex };
  }
}

/** The keys must be those that the store's trust root names, and the root's own must not be among them. */
async function refuseForeignKeys(
  store: Store,
  directory: string,
  passphrase: string | undefined,
  opened: ServerKeys,
): Promise<void> {
  const stored = await store.get(keys.root(1));
  if (stored === undefined) {
    throw new CodedError(
      'not-found',
      `${store.name} holds no registry: make one with "weighhouse init"`,
    );
  }
  const { document } = parseRoot(nodeHost, stored.bytes);
  if (document.origin !== opened.origin) {
    throw new CodedError(
      'untrusted',
      `${directory} holds the keys of ${opened.origin}, ${store.name} the registry ${document.origin}`,
    );
  }
  await refuseRootKey(nodeHost, directory, passphrase, document);
}
