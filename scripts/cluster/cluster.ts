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
import { promisify } from 'node:util';
import type { Seaweedfs } from '../peers/seaweedfs.ts';
import { startBalancer } from './balancer.ts';
import { startBucket } from './bucket.ts';
import { serverEnvironment, storeAddress } from './compose.ts';
import { outside } from './environment.ts';
import { freePorts } from './ports.ts';
import { type Credentials, makeSecrets, type Secrets } from './secrets.ts';
import { type ClusterServer, PROGRAM, RegistryServer } from './server.ts';

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
  /** Of who may do everything with the bucket; `bucket.credentials` are the servers'. */
  readonly operator: Credentials;
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
  mkdirSync(place('logs'), { recursive: true });
  const secrets = makeSecrets(place('secrets'));
  const bucket = await startBucket(place('data/bucket'), secrets);
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
      const name = `server-${i + 1}`;
      return new RegistryServer({
        name,
        port: own,
        url,
        endpoint: (await options.endpoint?.(i, bucket)) ?? bucket.endpoint,
        credentialsFile: secrets.credentialsFile,
        passphrase: secrets.passphrase,
        keys: registry.keys,
        index: place('data', name),
        directory,
        flags: options.flags,
        environment: options.environment,
      });
    }),
  );
  undo.push(async () => {
    await Promise.all(servers.map((server) => server.signal('SIGKILL')));
  });
  await Promise.all(servers.map((server) => server.begin()));
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
    operator: secrets.operator,
    registry,
    certificate: secrets.certificate,
    directory,
    environment,
    weighhouse: (...args) => weighhouse(args, environment),
    kill: (i) => at(servers, i).signal('SIGKILL'),
    async end(i) {
      await at(servers, i).signal('SIGTERM');
      return at(servers, i).exit;
    },
    start: (i) => at(servers, i).begin(),
    async restart(i) {
      const status = await cluster.end(i);
      if (status !== 0) throw new Error(`server-${i + 1} ended with ${status}`);
      await cluster.start(i);
    },
    stop,
  };
  return cluster;
}

function at(servers: readonly RegistryServer[], i: number): RegistryServer {
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
