/** Programs from outside, and ours as processes: finding, running, timing. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where peers are looked for besides PATH (see `PEERS_HOME` in docs/benchmarks.md). */
const PEERS = join(process.env.PEERS_HOME ?? join(homedir(), '.cache', 'weighhouse-peers'), 'bin');

/** The path of program `name`, or undefined when this machine has none. */
export function findProgram(name: string): string | undefined {
  const folders = [PEERS, ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Seconds from start to end of all the programs together. Throws when one fails. */
export async function timeAll(
  commands: readonly (readonly string[])[],
  env?: NodeJS.ProcessEnv,
): Promise<number> {
  const begun = performance.now();
  await Promise.all(commands.map((command) => run(command, env)));
  return (performance.now() - begun) / 1000;
}

/** Runs a program to its end; throws with what it said when it fails. */
export async function run(
  [program, ...args]: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const child = spawn(program!, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on('error', reject);
  child.on('close', (status) => {
    if (status === 0) resolve();
    else reject(new Error(`${program} ${args.join(' ')} ended with ${status}: ${said.trim()}`));
  });
  await promise;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
