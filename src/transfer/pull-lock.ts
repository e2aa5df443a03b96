/**
 * One pull at a time in one folder: two would write into the same partial files, and a chunk
 * that one of them has checked could be overwritten by the other. The lock is a file that
 * names its process; a lock whose process is gone is taken over, so that a pull that was
 * killed can simply be started again.
 */
import { readFileSync } from 'node:fs';
import { CodedError } from '../core/error.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { CONTROL_FOLDER, type Target } from './target.ts';

const LOCK = `${CONTROL_FOLDER}/lock`;
const MAX_LOCK_BYTES = 1024;

/** Runs `act` while no other pull can run in `target`. Throws `conflict` when one does. */
export async function withLock<T>(target: Target, act: () => Promise<T>): Promise<T> {
  await take(target);
  try {
    return await act();
  } finally {
    await target.remove(LOCK);
  }
}

async function take(target: Target): Promise<void> {
  const mine = formatCanonical({ pid: process.pid, started: startOf(process.pid) });
  if (await target.create(LOCK, mine)) return;
  const holder = readHolder(await target.read(LOCK, MAX_LOCK_BYTES));
  if (holder !== undefined && isAlive(holder)) throw busy(target, holder.pid);
  await target.remove(LOCK);
  if (!(await target.create(LOCK, mine))) throw busy(target, undefined);
}

interface Holder {
  readonly pid: number;
  /** When the process began, as its system counts; '' where that cannot be found. */
  readonly started: string;
}

function readHolder(bytes: Uint8Array | undefined): Holder | undefined {
  if (bytes === undefined) return undefined;
  try {
    const { pid, started } = parseCanonical(bytes, 'the lock') as Record<string, unknown>;
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    // Killed while it was written: its process is gone.
    return undefined;
  }
}

/** Numbers of processes are used again, soonest in containers: the time of its start tells them apart. */
function isAlive({ pid, started }: Holder): boolean {
  if (startOf(pid) !== started) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)), counted behind the name, which may hold anything. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function busy(target: Target, pid: number | undefined): CodedError {
  const who = pid === undefined ? 'another pull' : `another pull (process ${pid})`;
  return new CodedError(
    'conflict',
    `${who} is at work in ${target.folder}; wait for it, or remove ${LOCK} there if it is gone`,
  );
}
