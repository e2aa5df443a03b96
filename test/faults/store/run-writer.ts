/** Starts writer.ts, as it is or under strace, and collects what it says. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url));

export interface Run {
  readonly directory: string;
  readonly seed: number;
  readonly first: number;
  readonly steps: number;
  /** strace's arguments, for instance an injected fault. */
  readonly strace?: readonly string[];
  /** Kill the writer, kill -9, after that many lines. */
  readonly killAfter?: number;
}

/** Resolves to the writer's standard output when it has ended, in whichever way. */
export async function runWriter(run: Run): Promise<string> {
  const { directory, seed, first, steps, strace } = run;
  const node = [process.execPath, WRITER, directory, seed, first, steps].map(String);
  const [program, ...args] = strace
    ? ['strace', '-f', '-qq', '-o', '/dev/null', ...strace, ...node]
    : node;
  // One thread for file calls: strace counts them for each thread by itself.
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(strace && { UV_THREADPOOL_SIZE: '1' }) },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    output += `${line}\n`;
    lines++;
    if (lines === run.killAfter) child.kill('SIGKILL');
  }
  await ended;
  return output;
}
