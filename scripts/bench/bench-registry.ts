/**
 * A registry to measure with: made by the command line in a folder of its own, served by a
 * process of its own, known to a client with a configuration of its own. What is timed are
 * whole commands, as a person types them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { compiled } from './compiled.ts';
import { timeAll } from './programs.ts';

/** What is read of a command's JSON; each command has some of it. */
interface Answer {
  readonly digest: string;
  readonly token: string;
  readonly vkey: string;
  readonly fingerprint: string;
  readonly spki: string;
  readonly proof: string;
}

export const BENCH_ORIGIN = 'bench.test';

export interface RegistryOptions {
  /** The address that the server binds; by default the loopback. */
  readonly host?: string;
  /** What the client's timed commands stand behind, such as `ip netns exec NAME`. */
  readonly inside?: readonly string[];
  /** For the server and the client, beside what this process has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More flags of `serve`. */
  readonly flags?: readonly string[];
  /** A bucket in place of a directory, and the environment in which the server finds it. */
  readonly bucket?: { readonly store: string; readonly environment: NodeJS.ProcessEnv };
}

export class BenchRegistry {
  readonly url: string;
  /** Its own; what a part writes there goes with it. */
  readonly folder: string;
  /** A token with which to publish, and the log's key. */
  readonly token: string;
  readonly vkey: string;
  readonly #program: Program;
  readonly #inside: readonly string[];
  #server: ChildProcess;
  readonly #others: ChildProcess[] = [];

  private constructor(
    folder: string,
    { url, process }: Served,
    { token, vkey }: Answer,
    program: Program,
    inside: readonly string[],
  ) {
    this.folder = folder;
    this.url = url;
    this.token = token;
    this.vkey = vkey;
    this.#program = program;
    this.#server = process;
    this.#inside = inside;
  }

  /** Where the store and the server's keys of a registry below `folder` lie. */
  static places(folder: string) {
    return {
      store: join(folder, 'store'),
      keys: join(folder, 'keys'),
      index: join(folder, 'index'),
    };
  }

  /** Makes and serves a registry below `parent`, with the namespace `acme`. */
  static async start(
    parent: string,
    {
      host = '127.0.0.1',
      inside = [],
      environment: more,
      flags = [],
      bucket,
    }: RegistryOptions = {},
  ): Promise<BenchRegistry> {
    const folder = mkdtempSync(join(parent, 'registry-'));
    const config = { XDG_CONFIG_HOME: join(folder, 'config') };
    const environment = { ...process.env, ...bucket?.environment, ...more, ...config };
    const { keys, store: directory } = BenchRegistry.places(folder);
    const store = bucket?.store ?? directory;
    const program = { path: compiled(parent), environment, store, flags };
    const where = ['--store', store, '--keys', keys];
    const names = ['--origin', BENCH_ORIGIN, '--namespace', 'acme', '--no-passphrase'];
    const made = answerOf(program, ['init', ...where, ...names]);
    const served = await serve(program, folder, `${host}:0`);
    Object.assign(environment, { WEIGHHOUSE_URL: served.url, WEIGHHOUSE_TOKEN: made.token });
    answerOf(program, ['trust', 'add', served.url, '--fingerprint', made.fingerprint]);
    return new BenchRegistry(folder, served, made, program, inside);
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    await end(this.#server);
  }

  /** Starts the server that was stopped, at its address: seconds until it says that it listens. */
  async restart(): Promise<number> {
    const begun = performance.now();
    const { process } = await serve(this.#program, this.folder, new URL(this.url).host);
    this.#server = process;
    return (performance.now() - begun) / 1000;
  }

  /** Starts one more server of the same registry: its address. */
  async startAnother(): Promise<string> {
    const number = this.#others.length + 1;
    const { url, process } = await serve(this.#program, this.folder, '127.0.0.1:0', number);
    this.#others.push(process);
    return url;
  }

  /** Pushes and publishes a folder. */
  release(reference: string, weights: string): void {
    const { digest } = this.run(['push', weights, reference]);
    this.run(['publish', reference, '--digest', digest]);
  }

  /** Runs a command and gives its JSON. */
  run(command: readonly string[]): Answer {
    return answerOf(this.#program, command);
  }

  /** Seconds that a whole command takes, of the compiled program or another. */
  time(command: readonly string[], path = this.#program.path): Promise<number> {
    const { environment } = this.#program;
    return timeAll([[...this.#inside, process.execPath, path, ...command]], environment);
  }

  /** Brings every blob into another state, so that the server hashes it as for its first reader. */
  touch(): void {
    const now = new Date();
    const blobs = join(BenchRegistry.places(this.folder).store, 'objects', 'blobs');
    for (const entry of readdirSync(blobs, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), now, now);
    }
  }

  /** Bytes of memory that the server holds. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#server.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s*([0-9]+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** The address of a file's content. */
  fileUrl(reference: string, path: string): string {
    return `${this.url}/api/v1/releases/${reference.replace('@', '/')}/files/${path}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.#others.map(end));
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A program, and the environment in which it finds its registry. */
interface Program {
  readonly path: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly store: string;
  readonly flags: readonly string[];
}

/** A server that listens. */
interface Served {
  readonly url: string;
  readonly process: ChildProcess;
}

async function serve(program: Program, folder: string, listen: string, number = 0) {
  const { path, environment, store, flags } = program;
  const { keys, index } = BenchRegistry.places(folder);
  const where = ['--store', store, '--keys', keys, '--index', `${index}-${number}`];
  const server = spawn(process.execPath, [path, 'serve', ...where, ...flags, '--listen', listen], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { url: await readiness(server), process: server };
}

async function end(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await ended;
}

function answerOf({ path, environment }: Program, command: readonly string[]): Answer {
  const output = execFileSync(process.execPath, [path, ...command, '--json'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output.toString());
}

/** The address in the line `listening on URL`. */
function readiness(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (text: Buffer) => {
      said += text;
      const url = /listening on (http:\S+)/.exec(said)?.[1];
      if (url === undefined) return;
      // What it writes from now on is only taken, so that it need not wait.
      for (const output of outputs) output?.off('data', listen).resume();
      resolve(url);
    };
    const outputs = [server.stdout, server.stderr];
    for (const output of outputs) output?.on('data', listen);
    server.once('exit', () => reject(new Error(`the server ended: ${said}`)));
  });
}
