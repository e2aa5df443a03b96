/**
 * The program as people and scripts run it: every command is a process of its own, in a
 * folder of its own, with a configuration that is nobody's.
 *
 *     const sandbox = await Sandbox.make();
 *     const { token, fingerprint } = await sandbox.init('acme');
 *     const server = await sandbox.serve();
 *     const { digest } = await sandbox.json('push', 'model', 'acme/tiny@1');
 *     await server.stop();
 *     await sandbox.remove();
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../scripts/peers/end-with-us.ts';
import type { Loose } from '../made/loose.ts';

export const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
export const ORIGIN = 'weights.test';

/** How a process ended and what it said. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** What `init --namespace` prints. */
export interface Made {
  readonly origin: string;
  readonly vkey: string;
  readonly fingerprint: string;
  readonly token: string;
}

export class Sandbox {
  readonly folder: string;
  /** Set for every command that follows. */
  readonly env: Record<string, string> = {};
  /** Of the registry: a folder of the sandbox, or a bucket. */
  store = 'store';
  /** What still runs. */
  readonly #running = new Map<ChildProcess, Promise<unknown>>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `parent` where the sandbox is to lie on a file system of its own. */
  static async make(parent = tmpdir()): Promise<Sandbox> {
    return new Sandbox(await mkdtemp(join(parent, 'weighhouse-e2e-')));
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Puts programs in front of all others: shell scripts by name, this one's as `weighhouse`. */
  async install(scripts: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = { weighhouse: `exec "${process.execPath}" "${PROGRAM}" "$@"`, ...scripts };
    for (const [name, script] of Object.entries(all)) {
      await this.write('bin', { [name]: `#!/bin/sh\n${script}\n` });
      await chmod(this.path('bin', name), 0o755);
    }
    this.env.PATH = `${this.path('bin')}:${process.env.PATH}`;
  }

  /** Writes a folder of files, contents by path. */
  async write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const file = this.path(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }

  /** Starts `weighhouse` with `args`, in the sandbox's folder, without a terminal. */
  start(...args: readonly string[]): Started {
    return this.spawn(process.execPath, [PROGRAM, ...args]);
  }

  /** Runs `weighhouse` with `args` to its end, whatever that is. */
  run(...args: readonly string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** The one document that `weighhouse … --json` prints. Throws unless the command ends with `status`. */
  async json(...args: readonly string[]): Promise<Loose> {
    return parseOnly(await this.run(...args, '--json'), 0, args);
  }

  /** The error that a command prints with `--json` when it ends with `status`. */
  async failure(status: number, ...args: readonly string[]): Promise<Failure> {
    return parseOnly(await this.run(...args, '--json'), status, args).error;
  }

  /** Starts any program in the sandbox. */
  spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    const child = spawn(program, args, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...outside(), ...this.#home(), ...this.env, ...env },
    });
    endWithUs(child);
    const ended = untilEnd(child).finally(() => this.#running.delete(child));
    this.#running.set(child, ended);
    return { child, ended };
  }

  /** A registry with one namespace; its token and address go into the environment. */
  async init(namespace: string): Promise<Made> {
    const where = ['--store', this.store, '--keys', 'keys', '--origin', ORIGIN];
    const secrets = ['--root-key', 'offline/root.key', '--owner-key', 'offline/owner.key'];
    const first = ['--namespace', namespace, '--no-passphrase'];
    const made = await this.json('init', ...where, ...secrets, ...first);
    this.env.WEIGHHOUSE_TOKEN = made.token;
    return made;
  }

  /** Starts the server on the registry of `init`, and waits until it says that it listens. */
  async serve(...flags: readonly string[]): Promise<ServerProcess> {
    const server = await this.startServer(flags).listening;
    this.env.WEIGHHOUSE_URL = server.url;
    return server;
  }

  /** As `serve`, for who wants to see it start; `under` is a program that runs it, strace for one. */
  startServer(
    flags: readonly string[] = [],
    under: readonly string[] = [],
  ): { readonly child: ChildProcess; readonly listening: Promise<ServerProcess> } {
    const where = ['--store', this.store, '--keys', 'keys', '--index', 'index'];
    const serve = [PROGRAM, 'serve', ...where, '--listen', '127.0.0.1:0', ...flags];
    const [program, ...args] = [...under, process.execPath, ...serve];
    const started = this.spawn(program!, args);
    return { child: started.child, listening: ServerProcess.untilListening(started) };
  }

  /** Pins the registry that runs at WEIGHHOUSE_URL. */
  async trust({ fingerprint }: Made): Promise<void> {
    await this.json('trust', 'add', this.env.WEIGHHOUSE_URL!, '--fingerprint', fingerprint);
  }

  /** Pushes files and publishes what was sealed. */
  async publish(reference: string, files: Readonly<Record<string, string | Uint8Array>>) {
    const folder = `pushed/${reference.replaceAll(/[/@]/g, '-')}`;
    await this.write(folder, files);
    const { digest } = await this.json('push', folder, reference);
    return this.json('publish', reference, '--digest', digest);
  }

  /** Ends what still runs, and removes all that it left. */
  async remove(): Promise<void> {
    for (const child of this.#running.keys()) child.kill('SIGKILL');
    await Promise.allSettled(this.#running.values());
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Nothing of this machine's user: configuration, caches, temporary files. */
  #home(): Record<string, string> {
    const home = { XDG_CONFIG_HOME: this.path('config'), XDG_CACHE_HOME: this.path('cache') };
    return { ...home, NO_COLOR: '1' };
  }
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A server that runs, or has run. */
export class ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;

  private constructor(url: string, { child, ended }: Started) {
    this.url = url;
    this.child = child;
    this.ended = ended;
  }

  /** Resolves when the server says where it listens; rejects with what it said when it ends instead. */
  static async untilListening(started: Started): Promise<ServerProcess> {
    const url = await Promise.race([
      firstAddress(started.child),
      started.ended.then(({ status, signal, stderr }) => {
        throw new Error(`the server ended (${status ?? signal}) before it listened: ${stderr}`);
      }),
    ]);
    return new ServerProcess(url, started);
  }

  /** As the system stops a service. */
  stop(): Promise<Ended> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  /** As nobody stops a service. */
  kill(): Promise<Ended> {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}

async function firstAddress(child: ChildProcess): Promise<string> {
  let said = '';
  return new Promise((resolve) => {
    child.stdout!.on('data', (text: string) => {
      said += text;
      const address = /^listening on (http:\S+)\n/m.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
}

async function untilEnd(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...how) => resolve(how));
    },
  );
  return { status, signal, stdout, stderr };
}

function parseOnly(ended: Ended, status: number, args: readonly string[]) {
  if (ended.status === status) return JSON.parse(ended.stdout);
  const how = ended.status ?? ended.signal;
  throw new Error(`weighhouse ${args.join(' ')} ended with ${how}: ${ended.stdout}${ended.stderr}`);
}

/** The environment without what would change how the program works. */
function outside(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(WEIGHHOUSE_|NODE_|JEST_|XDG_|HF_)/.test(name),
  );
  return Object.fromEntries(kept);
}
