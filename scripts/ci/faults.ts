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

let failed = 0;
for (const program of PROGRAMS.filter(({ name }) => only?.includes(name) ?? true)) {
  const { name, title } = program;
  const runs = times ?? program.times[values.short ? 'short' : 'long'];
  console.log(`\n${name}: ${title}, ${runs} times, --seed ${seed}`);
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;
  try {
    const say = (line: string) => console.log(`  ${line}`);
    const done = await program.run({ seed, times: runs, isLong: !values.short, say });
    console.log(`${name} held, after ${seconds()}: ${done}`);
  } catch (error) {
    failed += 1;
    console.error(`${name} FAILED after ${seconds()}, --seed ${seed}:`, error);
  }
}
process.exitCode = failed === 0 ? 0 : 1;

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
