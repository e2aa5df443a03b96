/** Runs the command line in this process, in a world of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { main } from '../../src/cli/main.ts';
import type { World } from '../../src/cli/world.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MadeWorld extends World {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly stdout: PassThrough;
  readonly stderr: PassThrough & { isTTY?: boolean; columns?: number };
  /** What was written so far. */
  said(): { stdout: string; stderr: string };
  /** Ctrl-C. */
  stop(): void;
  /** Resolves when standard output or standard error holds `text`. */
  hears(text: string): Promise<void>;
}

/** A world whose environment is `env` alone. */
export function makeWorld(env: NodeJS.ProcessEnv = {}): MadeWorld {
  const stopping = new AbortController();
  const heard = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  const screen = (name: 'stdout' | 'stderr') => {
    const stream = new PassThrough();
    stream.on('data', (chunk) => {
      heard[name] += String(chunk);
      for (const listener of listeners) listener();
    });
    return stream;
  };
  return {
    env,
    stdin: new PassThrough(),
    stdout: screen('stdout'),
    stderr: screen('stderr'),
    signal: stopping.signal,
    said: () => ({ ...heard }),
    stop: () => stopping.abort(),
    hears: (text) =>
      new Promise((resolve) => {
        const listen = () => {
          if (!`${heard.stdout}\n${heard.stderr}`.includes(text)) return;
          listeners.delete(listen);
          resolve();
        };
        listeners.add(listen);
        listen();
      }),
  };
}

/** Runs one command to its end. */
export async function run(argv: readonly string[], world: MadeWorld): Promise<Ran> {
  const status = await main(argv, world);
  // What was written last is heard in the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  return { status, ...world.said() };
}

/** A home of its own for a test, and commands that are run in it. */
export interface Home {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  path(...segments: string[]): string;
  run(...argv: string[]): Promise<Ran>;
  /** Runs a command that must succeed, with `--json`; gives its document. */
  json(...argv: string[]): Promise<Record<string, unknown>>;
  remove(): Promise<void>;
}

export async function makeHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'weighhouse-cli-'));
  const env: NodeJS.ProcessEnv = {
    XDG_CONFIG_HOME: join(folder, 'config'),
    WEIGHHOUSE_LOG_LEVEL: 'silent',
  };
  return {
    folder,
    env,
    path: (...segments) => join(folder, ...segments),
    run: (...argv) => run(argv, makeWorld(env)),
    async json(...argv) {
      const ran = await run([...argv, '--json'], makeWorld(env));
      if (ran.status !== 0) throw new Error(`${argv.join(' ')}: ${ran.status} ${ran.stderr}`);
      return JSON.parse(ran.stdout) as Record<string, unknown>;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
