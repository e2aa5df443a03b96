/**
 * The disk of a directory store fills up under a server at work, to its last page, and is given
 * room again: what cannot be written is refused, readiness is red, and the server heals by itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { Load } from '../cluster/load.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import { Draw } from '../load/draw.ts';
import type { Program, RunOptions } from '../program.ts';

const SIZE_MIB = 96;
/** Milliseconds of work before the disk is full, and while it is. */
const MAX_WORK_MS = 2_000;
const MAX_FULL_MS = 3_000;

export const fullDisk: Program = {
  name: 'full-disk',
  title: 'the disk of a directory store is full under a server at work',
  times: { short: 3, long: 30 },
  async run(options) {
    const pool = new HashingPool({ threads: 1 });
    const disk = await mkdtemp(join(tmpdir(), 'weighhouse-disk-'));
    succeed('mount', '-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'none', disk);
    try {
      const store = join(disk, 'store');
      return await onTrial({ pool, servers: 1, store }, (trial) => fillAgain(trial, disk, options));
    } finally {
      succeed('umount', disk);
      await rm(disk, { recursive: true });
      await pool.close();
    }
  },
};

async function fillAgain(
  trial: Trial,
  disk: string,
  { seed, times, say }: RunOptions,
): Promise<string> {
  const { world, cluster, shown } = trial;
  const draw = new Draw(seed);
  let failures = 0;
  for (let n = 1; n <= times; n++) {
    const load = Load.start(world, cluster);
    await Promise.race([pause(draw.fraction() * MAX_WORK_MS), load.ended]);
    const filler = join(disk, 'filler');
    // Whatever room there is: the disk says when there is none.
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
    await cluster.untilReady(false);
    await Promise.race([pause(draw.fraction() * MAX_FULL_MS), load.ended]);
    await rm(filler);
    await cluster.untilReady(true);
    failures += await load.stop();
    await world.checks.require(shown, `the disk was full for the ${n}. time`);
    say(`full and empty again; ${world.journal.describe()}`);
  }
  return `${times} times, ${failures} commands given again; ${world.journal.describe()}`;
}

function succeed(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} (run as root): ${stderr}`);
}
