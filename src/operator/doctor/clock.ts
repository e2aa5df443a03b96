/** Clocks: ours against the store's, and against what the log has seen. */

import { loadLock } from '../../log/lock.ts';
import { storeClock } from '../../scrub/orphans.ts';
import type { Store } from '../../store/contract.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** Milliseconds that two clocks may differ by without anybody noticing; stores tell seconds. */
const CLOSE_MS = 5_000;
/** Milliseconds from which tokens are refused and leases are wrong. */
const FAR_MS = 60_000;
const SYNCHRONISE = 'synchronise this machine’s clock (NTP)';

export interface ClockParts {
  readonly store: Store;
  readonly clock: () => number;
  readonly random: () => string;
}

export async function checkClocks(parts: ClockParts): Promise<readonly Finding[]> {
  const { store, clock } = parts;
  const before = clock();
  const theirs = await storeClock(parts);
  const after = clock();
  const apart = theirs < before ? before - theirs : Math.max(0, theirs - after);
  return [describe(apart), ...(await againstLog(store, after))];
}

function describe(apart: number): Finding {
  const says = `the store’s clock and this machine’s are ${seconds(apart)} apart`;
  if (apart <= CLOSE_MS) return ok('clock', says);
  if (apart <= FAR_MS) return warning('clock', says, SYNCHRONISE);
  return failed('clock', `${says}: tokens and leases are judged wrongly`, SYNCHRONISE);
}

/** No checkpoint gets an older time than the one before it: a clock that is behind stops the log. */
async function againstLog(store: Store, now: number): Promise<readonly Finding[]> {
  const lock = await loadLock(store);
  if (lock === undefined || lock.time <= now + CLOSE_MS) return [];
  const says = `the log’s last commit is ${seconds(lock.time - now)} ahead of this machine’s clock: nothing is committed before then`;
  return [failed('clock', says, SYNCHRONISE)];
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
