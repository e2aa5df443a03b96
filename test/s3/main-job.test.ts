/** The main job with a bucket for a store: the real command line, a real S3 server. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';
import { makeSafetensors } from '../made/safetensors.ts';

jest.setTimeout(120_000);

const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
const RELEASE = 'demo/tiny@1.0';

let home: string;
let bucket: Seaweedfs;
let server: ChildProcess | undefined;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'weighhouse-s3-job-'));
  await mkdir(join(home, 'bucket'));
  bucket = await startSeaweedfs(join(home, 'bucket'));
  environment = {
    ...process.env,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    WEIGHHOUSE_LOG_LEVEL: 'error',
    AWS_ENDPOINT_URL_S3: bucket.endpoint,
    AWS_REGION: bucket.region,
    AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
  };
});

afterAll(async () => {
  await stop();
  await bucket?.stop();
  await rm(home, { recursive: true, force: true });
});

/** Runs a command with `--json` and reads its answer. */
function ask(...args: readonly string[]): Record<string, unknown> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args, '--json'], {
    env: environment,
    encoding: 'utf8',
    cwd: home,
  });
  if (status !== 0) throw new Error(`weighhouse ${args.join(' ')} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

function serve(): Promise<string> {
  const args = ['serve', '--store', store(), '--keys', 'keys', '--listen', '127.0.0.1:0'];
  const started = spawn(process.execPath, [PROGRAM, ...args], { env: environment, cwd: home });
  server = started;
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk;
      const url = /listening on (\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    };
    started.stdout.on('data', listen);
    started.stderr.on('data', listen);
    started.once('exit', (status) => reject(new Error(`the server ended with ${status}: ${said}`)));
  });
}

async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const running = server;
  server = undefined;
  if (running === undefined || running.exitCode !== null) return;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill(signal);
  await ended;
}

function store(): string {
  return `s3://${bucket.bucket}/registry`;
}

describe('a registry in a bucket', () => {
  test('publishes, survives a kill, and is pulled, verified and audited', async () => {
    const weights = makeSafetensors({ w: { dtype: 'F32', shape: [1024, 64] } });
    await mkdir(join(home, 'model'));
    await writeFile(join(home, 'model/model.safetensors'), weights);
    const keyFiles = [
      '--root-key',
      'off/root.key',
      '--owner-key',
      'off/owner.key',
      '--no-passphrase',
    ];
    const names = ['--origin', 'weights.example', '--namespace', 'demo'];
    const made = ask('init', '--store', store(), '--keys', 'keys', ...names, ...keyFiles);
    environment = { ...environment, WEIGHHOUSE_TOKEN: String(made.token) };

    const first = await serve();
    const { digest } = ask('push', 'model', RELEASE, '--url', first);
    const published = ask('publish', RELEASE, '--digest', String(digest), '--url', first);
    await stop('SIGKILL');

    const url = await serve();
    ask('trust', 'add', url, '--fingerprint', String(made.fingerprint));
    expect(ask('publish', RELEASE, '--digest', String(digest), '--url', url)).toMatchObject({
      index: published.index,
    });
    expect(ask('pull', RELEASE, 'pulled', '--url', url)).toMatchObject({
      digest,
      index: published.index,
    });
    expect(ask('verify', 'pulled', '--full')).toMatchObject({ ok: true, digest });
    expect(new Uint8Array(await readFile(join(home, 'pulled/model.safetensors')))).toEqual(weights);
    expect(ask('audit', url)).toMatchObject({ ok: true, releases: 1, violations: [] });
  });

  test('is not made a second time in the same place', () => {
    expect(() =>
      ask(
        'init',
        '--store',
        store(),
        '--keys',
        'other',
        '--origin',
        'other.example',
        '--root-key',
        'off/2.key',
        '--no-passphrase',
      ),
    ).toThrow(/holds a registry already/);
  });
});
