/**
 * The server, put together: a registry, its index, the HTTP server around it, what runs in the
 * background, and an orderly end.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pino, { type Logger } from 'pino';
import type { BytesWay } from './config.ts';
import { CodedError, isCoded } from './core/error.ts';
import { formatVerifierKey } from './core/note/key.ts';
import type { ReleaseName } from './core/release/name.ts';
import { formatPem } from './core/statement/public-key.ts';
import { presentLogKey, presentReleaseKeys } from './core/trust/periods.ts';
import { expectLargeBodies } from './hashing/garbage.ts';
import { nodeHost } from './hashing/host.ts';
import { HashingPool } from './hashing/pool.ts';
import { type FollowingCatalogue, openCatalogue } from './index/open.ts';
import { UPLOAD_SECONDS } from './keyring/token.ts';
import { internet } from './oidc/address.ts';
import { type Identities, openIdentities } from './oidc/identity.ts';
import { parseIssuers } from './oidc/issuers.ts';
import { Provider } from './oidc/sign-in/provider.ts';
import { readProviders } from './oidc/sign-in/providers-file.ts';
import { type OpenRegistry, openRegistryAt } from './open-registry.ts';
import type { LiveTrust } from './operator/live-trust.ts';
import { Damages } from './registry/damages.ts';
import type { Limits } from './registry/quotas.ts';
import { BackgroundScrub } from './scrub/background.ts';
import { newestPass } from './scrub/pass-form.ts';
import { Admission } from './server/admission.ts';
import { createApp } from './server/app.ts';
import { allowedHosts } from './server/hosts.ts';
import { type Address, listen } from './server/listen.ts';
import { followStanding } from './server/log-metrics.ts';
import { createMetrics, type Metrics } from './server/metrics.ts';
import { type Rates, rateLimits } from './server/rate-limits.ts';
import type { TrustedProxies } from './server/trusted-proxies.ts';
import { sweepUploads } from './store/abandoned.ts';
import type { DirectAccess, Store } from './store/contract.ts';
import { observed } from './store/observed.ts';
import { writeProbe } from './store/write-probe.ts';

/** Milliseconds that running requests are given when the server is told to stop. */
const DRAIN_MS = 30_000;
/** Milliseconds between two looks for a newer trust root: a dropped token key ends so soon. */
const ROOT_LOOK_MS = 5_000;
/** Milliseconds before its end at which a server warns that its trust root is to be renewed. */
const ROOT_ENDS_SOON = 30 * 24 * 3600 * 1000;

/** How long a start waits for the index; what else a server does takes none. */
const INDEX_PATIENCE_MS = 2_000;

export interface ServeOptions {
  readonly store: Store;
  /** By default `direct` where the store can do it. */
  readonly bytes?: BytesWay | undefined;
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
  /** A file that lists the issuers of CI identities that are trusted at all; without it, none is. */
  readonly oidcIssuers: string | undefined;
  /** A file that lists the providers with which people sign in to the pages, and who they are. */
  readonly signIn?: string | undefined;
  /** Lets those issuers and providers be on this machine, over plain http. For tests alone. */
  readonly oidcAllowLoopback: boolean;
  /** What a namespace may take up that has no quota of its own; undefined for no limit. */
  readonly quota?: Limits | undefined;
  /** Requests of one caller in a minute, where they are to be others than usual. */
  readonly rates?: Partial<Rates>;
  /** Load balancers whose word about the client is taken. */
  readonly trustedProxies: TrustedProxies;
  /** Milliseconds for which a server that is told to end says so and still takes requests. */
  readonly drainDelay: number;
  /** Bytes a second that the scrub may read beside all else; 0 or undefined for none. */
  readonly scrubRate?: number | undefined;
}

export interface Serving {
  readonly url: string;
  readonly logger: Logger;
  /**
   * Says that it is not ready and goes on for the drain delay; then takes no more requests, lets
   * the running ones and the current commit finish, and ends.
   */
  close(): Promise<void>;
}

/** Starts the server. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { keysDirectory, passphrase, address, publicUrl } = options;
  expectLargeBodies();
  const logger = pino({ level: options.logLevel }, pino.destination(2));
  const identities = await openIssuers(options);
  const providers = await openProviders(options);
  let catalogue: FollowingCatalogue | undefined;
  const metrics = createMetrics(() => catalogue?.size());
  const store = observed(options.store, metrics.store.began);
  const damages = new Damages({ store, clock: Date.now });
  const opened = await openRegistryAt(store, keysDirectory, passphrase, {
    damages,
    observer: {
      ...metrics.log,
      failed(cause) {
        metrics.log.failed?.(cause);
        logger.warn({ err: cause }, 'the log failed and tries again');
      },
      stopped(cause) {
        metrics.log.stopped?.(cause);
        logger.fatal({ err: cause }, 'the log has stopped');
      },
    },
    stateDirectory: options.indexDirectory,
    witnessPolicy: options.witnessPolicy,
    direct: directAccess(options),
    onAbsentWitness(witness, cause) {
      metrics.witnessAbsent();
      logger.warn({ witness, err: cause }, 'a witness did not cosign');
    },
    onRoot({ version, expires }) {
      metrics.rootExpires(Date.parse(expires));
      logger.info({ version }, 'a newer trust root is in force');
    },
    onUnfinished(marker, cause) {
      metrics.unfinished();
      logger.error({ marker, err: cause }, 'a publish or seal is unfinished and is tried again');
    },
    quota: options.quota,
  });
  const { trust } = opened;
  const looking = followRoot(trust, logger);
  const sweeping = sweepUploads(store, UPLOAD_SECONDS * 1000, {
    removed: (uploads) => logger.info({ uploads }, 'uploads that nobody went on with are removed'),
    failed: (cause) => logger.warn({ err: cause }, 'uploads could not be looked through'),
  });
  metrics.rootExpires(Date.parse(trust.root.expires));
  const index = await openIndex(opened, options.indexDirectory, logger);
  catalogue = index.catalogue;
  const watching = followStanding(store, opened.log, metrics.standing, (cause) =>
    logger.warn({ err: cause }, 'where the log stands could not be read'),
  );
  // Its own threads: whoever reads need not wait until a terabyte is sealed.
  const hashing = new HashingPool();
  const scrubbing = startScrub(options, damages, metrics, logger);
  const takesNoWrites = writeProbe(store, randomBytes(16).toString('hex'), Date.now);
  const admission = new Admission();
  const stopWatching = admission.watch();
  let isLeaving = false;
  const makeApp = (bound: string) =>
    createApp({
      registry: opened.registry,
      catalogue: index.catalogue,
      log: opened.log,
      store,
      tokens: trust.tokens,
      identities,
      providers,
      hashing,
      hosts: allowedHosts(bound, publicUrl),
      config: {
        origin: trust.origin,
        url: publicUrl?.replace(/\/+$/, '') ?? bound,
        get vkey() {
          return formatVerifierKey(presentLogKey(trust.root));
        },
        get releaseKeys() {
          return presentReleaseKeys(trust.root).map(formatPem);
        },
      },
      metrics,
      admission,
      rates: rateLimits(options.rates),
      logger,
      clock: Date.now,
      isLeaving: () => isLeaving,
      trustedProxies: options.trustedProxies,
      damaged: () => damages.current(),
      scrubbed: () => newestPass(store),
      unready: async () => opened.sequencer.unready() ?? (await takesNoWrites()),
    });
  /** Ends whatever runs beside the requests: while any of it does, the process lives. */
  const end = async () => {
    stopWatching();
    index.catalogue.close();
    await index.removeIndex();
    await hashing.close();
    await opened.close();
    await store.close();
  };
  const stopLooking = () => {
    for (const timer of [looking, sweeping, watching]) clearInterval(timer);
  };
  const listening = await listen(makeApp, address).catch(async (error: unknown) => {
    stopLooking();
    await scrubbing?.close();
    await end();
    throw error;
  });
  return {
    url: publicUrl ?? listening.url,
    logger,
    async close() {
      stopLooking();
      isLeaving = true;
      listening.leave();
      if (options.drainDelay > 0) await setTimeout(options.drainDelay);
      await scrubbing?.close();
      await listening.close(DRAIN_MS);
      await end();
    },
  };
}

function directAccess({ store, bytes }: ServeOptions): DirectAccess | undefined {
  if (bytes === 'through') return undefined;
  if (bytes === undefined || store.direct !== undefined) return store.direct;
  throw new CodedError(
    'usage',
    `clients cannot reach ${store.name} by themselves: leave out --bytes direct`,
  );
}

/** Reads the store against what it must be, slowly and for ever; several servers share that. */
function startScrub(
  { store, scrubRate = 0 }: ServeOptions,
  damages: Damages,
  metrics: Metrics,
  logger: Logger,
): BackgroundScrub | undefined {
  metrics.watchDamage(() => damages.current());
  if (scrubRate === 0) return undefined;
  return new BackgroundScrub({
    ...{ store, damages, host: nodeHost, clock: Date.now, rate: scrubRate },
    holder: randomBytes(16).toString('hex'),
    onRead: metrics.scrubbed,
    onFound: (object, record) => {
      if (record === undefined) logger.info({ object }, 'an object is whole again');
      else logger.error({ object, damage: record }, 'an object of the store is damaged');
    },
    onFailure: (cause) => logger.warn({ err: cause }, 'the scrub failed and goes on later'),
  });
}

async function openIssuers({ oidcIssuers, oidcAllowLoopback }: ServeOptions): Promise<Identities> {
  const network = { ...internet, allowLoopback: oidcAllowLoopback };
  if (oidcIssuers === undefined) return openIdentities(nodeHost, [], network);
  const bytes = await readFile(oidcIssuers).catch((error: Error) => {
    throw new CodedError('usage', `the issuers ${oidcIssuers} cannot be read: ${error.message}`);
  });
  return openIdentities(nodeHost, parseIssuers(bytes, oidcIssuers, oidcAllowLoopback), network);
}

async function openProviders({ signIn, oidcAllowLoopback }: ServeOptions): Promise<Provider[]> {
  if (signIn === undefined) return [];
  const network = { ...internet, allowLoopback: oidcAllowLoopback };
  const settings = await readProviders(signIn, oidcAllowLoopback);
  return settings.map((each) => new Provider(each, network));
}

/** Looks for newer roots beside the commits, which look by themselves: tokens need it too. */
function followRoot(trust: LiveTrust, logger: Logger): NodeJS.Timeout {
  const { expires, version } = trust.root;
  if (Date.parse(expires) - Date.now() < ROOT_ENDS_SOON) {
    logger.warn({ expires, version }, 'the trust root ends soon: renew it with "root rotate"');
  }
  const look = () =>
    trust.renew().catch((error: unknown) => {
      logger.error({ err: error }, 'the trust root could not be read anew');
    });
  return setInterval(look, ROOT_LOOK_MS).unref();
}

/**
 * Opens the index where it is kept from run to run. Where another server of this machine has
 * it open already, this one makes an index of its own and removes it when it ends.
 */
async function openIndex(
  { trust, log, registry }: OpenRegistry,
  directory: string,
  logger: Logger,
): Promise<{ readonly catalogue: FollowingCatalogue; removeIndex(): Promise<void> }> {
  const openIn = async (path: string) =>
    openCatalogue(
      join(path, `${trust.origin}.sqlite`),
      log,
      async (release: ReleaseName) => (await registry.release(release))?.manifest,
      {
        decisionsOf: (release) => registry.revealed(release),
        patience: INDEX_PATIENCE_MS,
        failed: (cause) => logger.warn({ err: cause }, 'the index could not catch up'),
      },
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
