/**
 * One pull at a time in one folder: two would write into the same partial files, and a chunk
 * that one of them has checked could be overwritten by the other.
 *
 * Each pull puts a file there whose name says which process it is, and looks only then who
 * else has one: of two that begin at once, at least one sees the other and steps back. Names
 * are never used twice, so that what a killed pull left can be removed by anybody, and never
 * is somebody else's.
 */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../core/error.ts';
import { CONTROL_FOLDER, type Target } from './target.ts';

/** `lock.<process>.<its start>.<n>` */
const LOCK = /^lock\.(\d+)\.(\d+)\.\d+$/;
/** Milliseconds, at most, before one that stepped back looks whether the other has, too. */
const MAX_WAIT = 50;

/** Tells this process's own locks apart. */
let locks = 0;

/** Runs `act` while no other pull can run in `target`. Throws `conflict` when one does. */
export async function withLock<T>(target: Target, act: () => Promise<T>): Promise<T> {
  const mine = await take(target);
  try {
    return await act();
  } finally {
    await target.remove(mine);
  }
}

/** Resolves to the lock that was taken. */
async function take(target: Target): Promise<string> {
  for (;;) {
    const mine = await put(target);
    const other = await findOther(target, mine);
    if (other === undefined) return mine;
    await target.remove(mine);
    await sleep(Math.random() * MAX_WAIT);
    if ((await target.find(other)) !== undefined) throw busy(target, other);
  }
}

async function put(target: Target): Promise<string> {
  for (;;) {
    const name = `lock.${process.pid}.${startOf(process.pid)}.${locks++}`;
    const path = `${CONTROL_FOLDER}/${name}`;
    if (await target.create(path, new Uint8Array(0))) return path;
  }
}

/** The lock of another pull that runs. Removes those whose process is gone. */
async function findOther(target: Target, mine: string): Promise<string | undefined> {
  for (const name of await readdir(join(target.folder, CONTROL_FOLDER))) {
    const path = `${CONTROL_FOLDER}/${name}`;
    const [, pid, started] = LOCK.exec(name) ?? [];
    if (pid === undefined || path === mine) continue;
    if (isAlive(Number(pid), started!)) return path;
    await target.remove(path);
  }
  return undefined;
}

/** Numbers of processes are used again, soonest in containers: the time of its start tells them apart. */
function isAlive(pid: number, started: string): boolean {
  if (startOf(pid) !== started) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process began, as its system counts: field 22 of /proc/<pid>/stat (proc(5)), counted
 * behind the name, which may hold anything; 0 where that cannot be found.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

function busy({ folder }: Target, lock: string): CodedError {
  return new CodedError(
    'conflict',
    `another pull or import is at work in ${folder}; wait for it, or remove ${lock} there if it is gone`,
  );
}
