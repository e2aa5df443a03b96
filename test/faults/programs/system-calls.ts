/**
 * One publish of a real server on a directory, and the system calls by which it becomes true:
 * the server dies as it enters one of them, or the disk fails it there. Which there are is found
 * by watching a publish first; the long version takes each of them.
 *
 *     killed     after the restart the publish is there whole, or not at all, and the same
 *                command finishes it
 *     EIO        of an fsync of the store: nothing that rests on it is acknowledged, the server
 *                is not ready any more, and the next one goes on
 */
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isCoded } from '../../../src/core/error.ts';
import { HashingPool } from '../../../src/hashing/pool.ts';
import type { Node } from '../cluster/cluster.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import { beginPublish, endPublish } from '../load/client.ts';
import { Draw } from '../load/draw.ts';
import type { JournalRelease } from '../load/journal.ts';
import type { Program } from '../program.ts';

/** strace's names. What is written to sockets and to the log is among the writes. */
const KILLED = ['fsync', '/^link', '/^rename', '/^unlink', '/^p?write(v|64)?$'] as const;
const FAILED = ['fsync', '/^link', '/^rename', '/^p?write(v|64)?$'] as const;
const MODEL = 'acme/traced';
/** Milliseconds that an answer may take when the disk fails; then the client goes away. */
const MAX_PUBLISH_MS = 20_000;
/** Milliseconds in which strace lets go of a server. */
const MAX_DETACH_MS = 5_000;

/** A publish makes the draft `publishing` first, and last `published`. */
const DRAFT_CHANGES = 2;
const DRAFT_SYNCED = new RegExp(`fsync\\(\\d+<[^>]*/drafts/${MODEL}/.*= 0$`);

interface Injection {
  readonly call: string;
  readonly fault: 'signal=KILL' | 'error=EIO';
  /** The n-th call of its kind from the publish on. */
  readonly nth: number;
}

export const systemCalls: Program = {
  name: 'system-calls',
  title: 'SIGKILL and EIO at the system calls of a publish',
  times: { short: 8, long: 1000 },
  async run({ seed, times, say }) {
    const pool = new HashingPool({ threads: 1 });
    try {
      // One thread for file calls: strace counts them for each thread by itself.
      const env = { UV_THREADPOOL_SIZE: '1' };
      return await onTrial({ pool, servers: 1, env }, async (trial) => {
        const all = await enumerate(trial);
        const injections = sample(all, times, new Draw(seed));
        const outcomes = new Map<string, number>();
        for (const injection of injections) {
          const outcome = await inject(trial, injection);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          const { call, fault, nth } = injection;
          say(`${fault} at ${call} no. ${nth}: ${outcome}`);
        }
        const told = [...outcomes].map(([what, number]) => `${number} ${what}`);
        return `${injections.length} of ${all.length} calls: ${told.join(', ')}`;
      });
    } finally {
      await pool.close();
    }
  },
};

/** Every call that a publish makes, as often as it makes it. */
async function enumerate(trial: Trial): Promise<Injection[]> {
  const [node] = trial.cluster.nodes;
  const { world } = trial;
  const client = world.client(trial.cluster.url);
  const injections: Injection[] = [];
  for (const call of new Set<string>([...KILLED, ...FAILED])) {
    const line = await beginPublish(client, MODEL);
    const trace = await Trace.attach(node!, world.sandbox.path('trace'), call);
    await endPublish(client, line);
    const calls = await trace.end();
    const faults = [
      ...((KILLED as readonly string[]).includes(call) ? (['signal=KILL'] as const) : []),
      ...((FAILED as readonly string[]).includes(call) ? (['error=EIO'] as const) : []),
    ];
    for (const fault of faults) {
      for (const nth of calls.told) injections.push({ call, fault, nth });
    }
  }
  return injections;
}

/** `times` of them, drawn; all when they are fewer. */
function sample(all: readonly Injection[], times: number, draw: Draw): readonly Injection[] {
  const left = [...all];
  if (left.length <= times) return left;
  return Array.from({ length: times }, () => {
    const at = Math.floor(draw.fraction() * left.length);
    return left.splice(at, 1)[0]!;
  });
}

async function inject(trial: Trial, injection: Injection): Promise<string> {
  const { world, cluster, shown } = trial;
  const [node] = cluster.nodes;
  const { call, fault, nth } = injection;
  const line = await beginPublish(world.client(cluster.url), MODEL);
  const trace = await Trace.attach(
    node!,
    world.sandbox.path('trace'),
    call,
    `${fault}:when=${nth}`,
  );
  const answer = await ask(trial, line);
  // What follows the answer (tidying up, what was seen) is hit too.
  if (fault === 'signal=KILL') await Promise.race([node!.ended, pause(500)]);
  const isReady = await node!.isReady();
  const calls = await trace.end();
  const failedSync =
    fault === 'error=EIO' && calls.injected?.includes('/store/') && call === 'fsync';
  if (failedSync && isReady)
    throw new Error(`${node!.name} is ready after a failed fsync: ${calls.injected}`);
  if (failedSync && answer.at > calls.injectedAt && !calls.wasPublished) {
    throw new Error(`a publish was acknowledged after a failed fsync: ${calls.injected}`);
  }
  await node!.kill();
  await node!.start();
  await world.checks.require(shown, `${fault} at ${call} no. ${nth}`);
  await endPublish(world.client(cluster.url), line);
  return outcomeOf(injection, calls, answer, isReady);
}

function outcomeOf(
  { fault }: Injection,
  { injected }: Calls,
  answer: { readonly at: number },
  isReady: boolean,
): string {
  const wasHit = fault === 'signal=KILL' ? !isReady : injected !== undefined;
  if (!wasHit) return 'not reached';
  const what = fault === 'signal=KILL' ? 'killed' : 'failed';
  return answer.at > 0 ? `${what} and answered` : `${what} without an answer`;
}

/** Publishes; `at` is when that was acknowledged (seconds since 1970), or 0. */
async function ask(
  { world, cluster }: Trial,
  line: JournalRelease,
): Promise<{ readonly at: number }> {
  const signal = AbortSignal.timeout(MAX_PUBLISH_MS);
  try {
    await endPublish(world.client(cluster.url, signal), line);
    return { at: Date.now() / 1000 };
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { at: 0 };
  }
}

interface Calls {
  /** The numbers, in its thread, of the calls by which anything is told to a disk or to anybody. */
  readonly told: readonly number[];
  /** The call that was made to fail, and when (seconds since 1970). */
  readonly injected: string | undefined;
  readonly injectedAt: number;
  /**
   * Whether all that an answer rests on was durable before that. What comes later only tidies
   * up, while the answer is on its way.
   */
  readonly wasPublished: boolean;
}

/** strace on a server that runs already. */
class Trace {
  readonly #file: string;
  readonly #stop: () => Promise<unknown>;

  private constructor(file: string, stop: () => Promise<unknown>) {
    this.#file = file;
    this.#stop = stop;
  }

  static async attach(node: Node, file: string, call: string, injection?: string): Promise<Trace> {
    const flags = ['-f', '-y', '-ttt', '-s', '0', '-o', file, '-p', String(node.pid)];
    const faults = injection === undefined ? [] : ['-e', `inject=${call}:${injection}`];
    const strace = spawn('strace', [...flags, '-e', `trace=${call}`, ...faults], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise((resolve) => strace.once('close', resolve));
    await new Promise<void>((resolve, reject) => {
      let said = '';
      strace.once('error', reject);
      strace.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('attached')) resolve();
      });
      void ended.then(() => reject(new Error(`strace did not attach: ${said}`)));
    });
    return new Trace(file, async () => {
      strace.kill('SIGINT');
      // It may wait for ever for a thread that the same SIGKILL ended in a call.
      const enough = setTimeout(() => strace.kill('SIGKILL'), MAX_DETACH_MS);
      await ended;
      clearTimeout(enough);
    });
  }

  async end(): Promise<Calls> {
    await this.#stop();
    const lines = (await readFile(this.#file, 'utf8')).split('\n');
    await rm(this.#file);
    const injected = lines.find((line) => line.includes('(INJECTED)'));
    const injectedAt = Number(/^\d+ +([0-9.]+)/.exec(injected ?? '')?.[1] ?? 0);
    const before = injected === undefined ? [] : lines.slice(0, lines.indexOf(injected));
    const wasPublished = before.filter((line) => DRAFT_SYNCED.test(line)).length >= DRAFT_CHANGES;
    return { told: toldIn(lines), injected, injectedAt, wasPublished };
  }
}

function toldIn(lines: readonly string[]): readonly number[] {
  const threads = new Map<string, number>();
  const told = new Set<number>();
  for (const line of lines) {
    const [, thread] = /^(\d+) +[0-9.]+ [a-z0-9]+\(/.exec(line) ?? [];
    if (thread === undefined) continue;
    const nth = (threads.get(thread) ?? 0) + 1;
    threads.set(thread, nth);
    // Threads wake each other by writes too.
    if (!/^[^<]*<(?:anon_inode|pipe):/.test(line)) told.add(nth);
  }
  return [...told].sort((a, b) => a - b);
}
