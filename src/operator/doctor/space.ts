/** Room: on the disk of a directory store. A bucket has none to run out of that could be asked. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Store } from '../../store/contract.ts';
import { keys } from '../../store/keys.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** Free bytes below which it is time to make room, and below which it is too late. */
const LITTLE_BYTES = 10 * 2 ** 30;
const NO_BYTES = 256 * 2 ** 20;
/** Shares of all inodes. */
const FEW_INODES = 0.05;
const NO_INODES = 0.005;

/** What a file system has left. */
export interface Room {
  readonly bytes: number;
  /** The share of inodes that is free; undefined where there is no limit. */
  readonly inodes: number | undefined;
}

/** `measure` is another one only in tests. */
export async function checkSpace(
  store: Store,
  measure: (path: string) => Promise<Room> = roomOf,
): Promise<readonly Finding[]> {
  const path = store.localPath?.(keys.checkpoint());
  if (path === undefined) {
    const isThere = (await store.size(keys.checkpoint())) !== undefined;
    if (isThere) return [ok('space', 'the bucket answers')];
    return [
      failed('space', 'the bucket has no log', 'look whether it is the right bucket and prefix'),
    ];
  }
  const { bytes, inodes } = await measure(dirname(path));
  return [judgeBytes(bytes), ...(inodes === undefined ? [] : [judgeInodes(inodes)])];
}

function judgeBytes(bytes: number): Finding {
  const says = `${(bytes / 2 ** 30).toFixed(1)} GiB are free where the store lies`;
  const todo = 'make room, or move the store to a larger disk';
  if (bytes < NO_BYTES) return failed('space', `${says}: pushes are refused`, todo);
  return bytes < LITTLE_BYTES ? warning('space', says, todo) : ok('space', says);
}

function judgeInodes(share: number): Finding {
  const says = `${(share * 100).toFixed(1)}% of the file system’s inodes are free`;
  const todo = 'move the store to a file system with more inodes';
  if (share < NO_INODES) return failed('space', says, todo);
  return share < FEW_INODES ? warning('space', says, todo) : ok('space', says);
}

async function roomOf(path: string): Promise<Room> {
  const { bavail, bsize, ffree, files } = await statfs(path);
  return { bytes: bavail * bsize, inodes: files === 0 ? undefined : ffree / files };
}
