/** A registry in a bucket of SeaweedFS, and the real command line: each command, and each server, a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/peers/free-port.ts';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class BucketHome {
  readonly path: string;
  readonly bucket: Seaweedfs;
  readonly environment: Record<string, string | undefined>;
  readonly #servers = new Set<ChildProcess>();
  readonly #prefix: string;
  /** Of the token that `make` got. */
  token = '';
  fingerprint = '';

  private constructor(path: string, bucket: Seaweedfs, prefix: string) {
    this.path = path;
    this.bucket = bucket;
    this.#prefix = prefix;
    this.environment = {
      ...process.env,
      XDG_CONFIG_HOME: join(path, 'config'),
      XDG_CACHE_HOME: join(path, 'cache'),
      WEIGHHOUSE_LOG_LEVEL: 'error',
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_REGION: bucket.region,
      AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
    };
  }

  /** Starts SeaweedFS and makes a registry with the namespace `demo`. */
  static async make(prefix: string): Promise<BucketHome> {
    const path = await mkdtemp(join(tmpdir(), 'weighhouse-bucket-'));
    await mkdir(join(path, 'bucket'));
    const home = new BucketHome(path, await startSeaweedfs(join(path, 'bucket')), prefix);
    const names = ['--origin', 'weights.example', '--namespace', 'demo', '--no-passphrase'];
    const keys = ['--root-key', 'off/root.key', '--owner-key', 'off/owner.key'];
    const made = await home.ask('init', '--store', home.store, '--keys', 'keys', ...names, ...keys);
    home.token = String(made.token);
    home.fingerprint = String(made.fingerprint);
    home.environment.WEIGHHOUSE_TOKEN = home.token;
    return home;
  }

  get store(): string {
    return `s3://${this.bucket.bucket}/${this.#prefix}`;
  }

  /** Starts a server; resolves to where it is bound, whatever its public address. */
  async serve(...flags: readonly string[]): Promise<{ bound: string; process: ChildProcess }> {
    const listen = `127.0.0.1:${await freePort()}`;
    const where = ['--store', this.store, '--keys', 'keys', '--listen', listen];
    const server = this.start('serve', ...where, ...flags);
    this.#servers.add(server);
    await new Promise<void>((resolve, reject) => {
      let said = '';
      const hear = (chunk: Buffer) => {
        said += chunk;
        if (said.includes('listening on ')) resolve();
      };
      server.stdout?.on('data', hear);
      server.stderr?.on('data', hear);
      server.once('exit', (status) =>
        reject(new Error(`the server ended with ${status}: ${said}`)),
      );
    });
    return { bound: `http://${listen}`, process: server };
  }

  /** Starts a command. */
  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [PROGRAM, ...args], { env: this.environment, cwd: this.path });
  }

  /** Runs a command to its end. */
  async run(...args: readonly string[]): Promise<Ended> {
    const child = this.start(...args);
    const [stdout, stderr, status] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      new Promise<number | null>((ended) => child.once('close', ended)),
    ]);
    return { status, stdout, stderr };
  }

  /** Runs a command with `--json` and reads its answer; throws when it fails. */
  async ask(...args: readonly string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await this.run(...args, '--json');
    if (status === 0) return JSON.parse(stdout);
    throw new Error(`weighhouse ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
  }

  /** Ends a server. */
  async stop(server: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#servers.delete(server);
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    for (const server of this.#servers) await this.stop(server, 'SIGKILL');
    await this.bucket.stop();
    await rm(this.path, { recursive: true, force: true });
  }
}
