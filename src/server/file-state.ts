/**
 * The state of a file, by which it is known again: any write to it, a new name, a new owner moves
 * the time at which its inode changed (ctime), which a program without the rights of the
 * administrator cannot set back, as it can the time of its last write.
 */
import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';

export interface FileState {
  /** Differs between any two files, and between any two states of one. */
  readonly identity: string;
  /** When the file came into this state, in milliseconds, by its file system's clock. */
  readonly changed: number;
}

export function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileState {
  const identity = `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  return { identity, changed: Number(ctimeNs / 1_000_000n) };
}

/** The state of what `path` names now, links not followed; undefined when there is nothing. */
export async function stateAt(path: string): Promise<FileState | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found && stateOf(found);
}
