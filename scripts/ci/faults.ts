/**
 * The faults that a registry must survive, each as a program:
 *
 *     npm run faults [-- --short] [--seed N] [--only kills,pauses] [--times N]
 *
 * The seed comes from the commit unless it is given; it is printed, and with it the same is
 * done again. `--short` is what `.ci/run` does. Ends with 1 when something did not hold.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { inParallel } from '../../src/core/parallel.ts';
import type { Program } from '../../test/faults/program.ts';
import { PROGRAMS } from '../../test/faults/programs/all.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string' },
    times: { type: 'string' },
  },
});
const seed = wholeNumber('--seed', values.seed) ?? seedOfCommit();
const times = wholeNumber('--times', values.times);
const only = values.only?.split(',');
for (const name of only ?? []) {
  if (PROGRAMS.some((program) => program.name === name)) continue;
  throw new Error(
    `"${name}" is no fault program; there are ${PROGRAMS.map((p) => p.name).join(', ')}`,
  );
}

// What a program has started ends with us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Programs at once: in the short version one works while another waits for the world. */
const lanes = values.short ? 2 : 1;
const programs = PROGRAMS.filter(({ name }) => only?.includes(name) ?? true);
const held = await inParallel(programs, lanes, runOne);
const failed = programs.filter((_, i) => !held[i]).map(({ name }) => name);
console.log(failed.length === 0 ? 'all held' : `${failed.join(', ')} FAILED, --seed ${seed}`);
// Not by running out of work: after thousands of broken connections Node once waited for ever, busily,
// for one of its own handles to close.
process.exit(failed.length === 0 ? 0 : 1);

async function runOne({ name, title, times: usual, run }: Program): Promise<boolean> {
  const say = (line: string) => console.log(`${name}: ${line}`);
  const runs = times ?? usual[values.short ? 'short' : 'long'];
  say(`${title}, ${runs} times, --seed ${seed}`);
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;
  try {
    const done = await run({ seed, times: runs, isLong: !values.short, say });
    say(`HELD after ${seconds()}: ${done}`);
    return true;
  } catch (error) {
    say(`FAILED after ${seconds()}, --seed ${seed}`);
    console.error(error);
    return false;
  }
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new Error(`${flag} takes a whole number, not "${text}"`);
}

/** The same for everybody who looks at this commit, another for the next. */
function seedOfCommit(): number {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
  return Number.parseInt(commit.slice(0, 7), 16);
}
