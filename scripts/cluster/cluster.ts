/**
 * The topology of docker-compose.yml as processes of this machine: SeaweedFS, any number of
 * registry servers on its bucket, and the load balancer with the shipped `deploy/Caddyfile` in
 * front, over TLS. Flags and settings are those of docker-compose.yml.
 *
 *     const cluster = await startCluster({ servers: 2 });
 *     cluster.url                      // https://localhost:PORT, through the balancer
 *     cluster.servers[0].url           // http://127.0.0.1:PORT, past it
 *     cluster.environment              // for `weighhouse` as a client of it
 *     await cluster.kill(0);           // SIGKILL
 *     await cluster.start(0);          // resolves when /readyz is 200
 *     await cluster.restart(1);        // SIGTERM, drained, started, ready
 *     await cluster.stop();            // and everything it made is gone
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Seaweedfs, startSeaweedfs } from '../peers/seaweedfs.ts';
import { startBalancer } from './balancer.ts';
import { serverArguments, serverEnvironment, storeAddress } from './compose.ts';
import { freePorts } from './ports.ts';
import { answers, ClusterProcess } from './process.ts';
import { makeSecrets, type Secrets } from './secrets.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
const READY_WITHIN_MS = 60_000;
/** The bucket's name, as docker-compose.yml and `scripts/peers/seaweedfs.ts` have it. */
const BUCKET = 'weighhouse';

export interface ClusterOptions {
  /** How many registry servers; 2 when it is not said. */
  readonly servers?: number;
  /** Where everything is made; a new folder, removed at the end, when it is not said. */
  readonly directory?: string;
  /** Flags that each server is given beside those of docker-compose.yml. */
  readonly flags?: readonly string[];
  /** Set in the environment of each server, over what stands there. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Where server `i` finds the bucket, for a proxy in between; the bucket itself when it is not said. */
  readonly endpoint?: (server: number, bucket: Seaweedfs) => string | Promise<string>;
}

/** A registry server of the cluster. */
export interface ClusterServer {
  /** Its own address, past the balancer. */
  readonly url: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly isRunning: boolean;
  /** Exit status or signal of its last run; undefined while it runs. */
  readonly exit: number | NodeJS.Signals | undefined;
  /** The file that it logs to. */
  readonly log: string;
}

/** What `init` made. */
export interface ClusterRegistry {
  readonly origin: string;
  readonly vkey: string;
  readonly fingerprint: string;
  /** Of the first namespace's owner. */
  readonly token: string;
  readonly namespace: string;
  readonly store: string;
  readonly keys: string;
  readonly passphraseFile: string;
}

export interface Cluster {
  /** `https://localhost:PORT`, through the balancer. */
  readonly url: string;
  readonly servers: readonly ClusterServer[];
  readonly bucket: Seaweedfs;
  readonly registry: ClusterRegistry;
  /** PEM file of the balancer's certificate, for NODE_EXTRA_CA_CERTS. */
  readonly certificate: string;
  /** Where everything lies: `data`, `secrets`, and what the processes said, in `logs`. */
  readonly directory: string;
  /** Environment in which `weighhouse` is a client of this cluster, and the operator of its bucket. */
  readonly environment: NodeJS.ProcessEnv;
  /** Runs `weighhouse …`; resolves to what it prints. Rejects unless it ends with status 0. */
  weighhouse(...args: readonly string[]): Promise<string>;
  /** SIGKILL to server `i`. */
  kill(i: number): Promise<void>;
  /** SIGTERM to server `i`; resolves to its exit status, 0 when it has drained. */
  end(i: number): Promise<number | NodeJS.Signals | undefined>;
  /** Starts server `i` at its address; resolves when it is ready. */
  start(i: number): Promise<void>;
  /** `end`, then `start`. Throws unless it ended with status 0. */
  restart(i: number): Promise<void>;
  /** Ends everything, and removes what it made. Doing it twice is the same as once. */
  stop(): Promise<void>;
}

/** Starts it; every part is ready before the next one begins, and all are when this resolves. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'weighhouse-cluster-')));
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    while (undo.length > 0) await undo.pop()!();
  };
  if (options.directory === undefined) {
    undo.push(() => rm(directory, { recursive: true, force: true }));
  }
  try {
    return await build(options, directory, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  options: ClusterOptions,
  directory: string,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Cluster> {
  const place = (...names: readonly string[]) => join(directory, ...names);
  for (const folder of ['logs', 'data/bucket']) mkdirSync(place(folder), { recursive: true });
  const secrets = makeSecrets(place('secrets'), BUCKET);
  const bucket = await startSeaweedfs(place('data/bucket'), {
    identities: { file: secrets.identities, credentials: secrets.credentials },
  });
  undo.push(() => bucket.stop());

  const count = options.servers ?? 2;
  const [port, admin, ...ports] = (await freePorts(2 + count)) as [number, number, ...number[]];
  const url = `https://localhost:${port}`;
  const environment: NodeJS.ProcessEnv = {
    ...outside(),
    ...serverEnvironment({ endpoint: bucket.endpoint, credentials: secrets.credentialsFile }),
    XDG_CONFIG_HOME: place('config'),
    XDG_CACHE_HOME: place('cache'),
    WEIGHHOUSE_URL: url,
    NODE_EXTRA_CA_CERTS: secrets.certificate,
  };
  const registry = await initRegistry(place, secrets, environment);
  environment.WEIGHHOUSE_TOKEN = registry.token;

  const servers = await Promise.all(
    ports.map(async (own, i) => {
      const endpoint = (await options.endpoint?.(i, bucket)) ?? bucket.endpoint;
      const flags = serverArguments({
        listen: `127.0.0.1:${own}`,
        url,
        keys: registry.keys,
        passphrase: secrets.passphrase,
        index: place(`data/server-${i + 1}`),
      });
      const command = [process.execPath, PROGRAM, ...flags, ...(options.flags ?? [])];
      const env = {
        ...outside(),
        ...serverEnvironment({ endpoint, credentials: secrets.credentialsFile }),
        XDG_CONFIG_HOME: place('config'),
        ...options.environment,
      };
      const name = `server-${i + 1}`;
      return new ServerOf(
        new ClusterProcess(name, place(`logs/${name}.txt`), command, env),
        `http://127.0.0.1:${own}`,
      );
    }),
  );
  undo.push(async () => {
    await Promise.all(servers.map(({ process }) => process.signal('SIGKILL')));
  });
  await Promise.all(servers.map((server) => server.start()));
  const balancer = await startBalancer({
    url,
    admin: `127.0.0.1:${admin}`,
    certificate: secrets.certificate,
    key: secrets.key,
    servers: servers.map((server) => new URL(server.url).host),
    directory,
  });
  undo.push(() => balancer.signal('SIGKILL'));

  const cluster: Cluster = {
    url,
    servers,
    bucket,
    registry,
    certificate: secrets.certificate,
    directory,
    environment,
    weighhouse: (...args) => weighhouse(args, environment),
    kill: (i) => at(servers, i).process.signal('SIGKILL'),
    async end(i) {
      await at(servers, i).process.signal('SIGTERM');
      return at(servers, i).exit;
    },
    start: (i) => at(servers, i).start(),
    async restart(i) {
      const status = await cluster.end(i);
      if (status !== 0) throw new Error(`server-${i + 1} ended with ${status}`);
      await cluster.start(i);
    },
    stop,
  };
  return cluster;
}

class ServerOf implements ClusterServer {
  readonly process: ClusterProcess;
  readonly url: string;

  constructor(process: ClusterProcess, url: string) {
    this.process = process;
    this.url = url;
  }

  get pid() {
    return this.process.pid;
  }

  get isRunning() {
    return this.process.isRunning;
  }

  get exit() {
    return this.process.exit;
  }

  get log() {
    return this.process.log;
  }

  start(): Promise<void> {
    return this.process.start(() => answers(`${this.url}/readyz`), READY_WITHIN_MS);
  }
}

function at(servers: readonly ServerOf[], i: number): ServerOf {
  const server = servers[i];
  if (server === undefined) throw new Error(`there is no server ${i}: there are ${servers.length}`);
  return server;
}

/** The registry, as the operator makes it: with encrypted keys, the root's apart from the server's. */
async function initRegistry(
  place: (name: string) => string,
  { passphrase }: Secrets,
  environment: NodeJS.ProcessEnv,
): Promise<ClusterRegistry> {
  const store = storeAddress();
  const keys = place('secrets/keys');
  const namespace = 'demo';
  const where = ['--store', store, '--keys', keys, '--passphrase-file', passphrase];
  const names = ['--origin', 'weights.example', '--namespace', namespace];
  const offline = ['root', 'owner'].flatMap((whose) => [
    `--${whose}-key`,
    place(`secrets/offline/${whose}.key`),
  ]);
  const said = await weighhouse(['init', ...where, ...names, ...offline, '--json'], environment);
  const { origin, vkey, fingerprint, token } = JSON.parse(said);
  return { origin, vkey, fingerprint, token, namespace, store, keys, passphraseFile: passphrase };
}

async function weighhouse(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [PROGRAM, ...args], { env });
  return stdout;
}

/** The environment without what would change how the programs work. */
function outside(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(WEIGHHOUSE_|AWS_|NODE_|JEST_|XDG_|CADDY_)/.test(name),
  );
  return Object.fromEntries(kept);
}
