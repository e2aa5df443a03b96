/** Every fault program, in the order in which they run. */
import type { Program } from '../program.ts';
import { backups } from './backups.ts';
import { bitFlips } from './bit-flips.ts';
import { fullDisk } from './full-disk.ts';
import { kills } from './kills.ts';
import { outages } from './outages.ts';
import { pauses } from './pauses.ts';
import { storeKills } from './store-kills.ts';
import { systemCalls } from './system-calls.ts';
import { writers } from './writers.ts';

export const PROGRAMS: readonly Program[] = [
  kills,
  writers,
  outages,
  pauses,
  systemCalls,
  storeKills,
  bitFlips,
  backups,
  fullDisk,
];
