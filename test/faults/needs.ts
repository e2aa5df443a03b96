/**
 * Some faults can only be made with help from outside. Where it is missing, the tests are
 * left out and say so; on a build machine (CI is set) that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { describe } from '@jest/globals';

/** `describe`, if `command` runs well; otherwise a `describe` that leaves its tests out. */
export function describeIf(
  what: string,
  command: readonly [string, ...string[]],
): typeof describe | typeof describe.skip {
  const [program, ...args] = command;
  const run = spawnSync(program, args, { stdio: 'ignore' });
  if (run.status === 0) return describe;
  if (process.env.CI) throw new Error(`${what} is needed here: \`${command.join(' ')}\` failed`);
  process.stderr.write(`left out: these tests need ${what}\n`);
  return describe.skip;
}

/** strace with leave to trace: it makes system calls fail, wait or kill. */
export function describeWithStrace(): ReturnType<typeof describeIf> {
  return describeIf('strace (apt-get install strace)', ['strace', '-o', '/dev/null', 'true']);
}
