/** What lies in a folder and below it, by path with `/` between, without following any link. */
import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../core/error.ts';

/** Folders inside one another; a release's paths have 32 segments at most. */
const MAX_DEPTH = 64;

export interface Found {
  readonly path: string;
  /** Where it lies on this machine. */
  readonly location: string;
  readonly kind: 'file' | 'link' | 'other';
}

/** Yields everything but folders. `leavesOut` says what to walk past. Throws `not-found`, `usage`, `storage`. */
export async function* walkFolder(
  root: string,
  leavesOut: (path: string) => boolean,
  folder = '',
  depth = 0,
): AsyncGenerator<Found> {
  if (depth > MAX_DEPTH) {
    throw new CodedError('bad-path', `${folder} lies more than ${MAX_DEPTH} folders deep`);
  }
  for (const entry of await readFolder(join(root, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (leavesOut(path)) continue;
    if (entry.isDirectory()) yield* walkFolder(root, leavesOut, path, depth + 1);
    else yield { path, location: join(root, path), kind: kindOf(entry) };
  }
}

/** What the file system says of `location` itself. Throws `not-found`, `storage`. */
export async function look(location: string): Promise<BigIntStats> {
  try {
    return await lstat(location, { bigint: true });
  } catch (error) {
    throw unreadable(location, error);
  }
}

async function readFolder(location: string): Promise<Dirent[]> {
  try {
    return await readdir(location, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') {
      throw new CodedError('usage', `${location} is no directory; name the one that holds it`);
    }
    throw unreadable(location, error);
  }
}

function kindOf(entry: Dirent): Found['kind'] {
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function unreadable(location: string, error: unknown): CodedError {
  const reason = (error as NodeJS.ErrnoException).code;
  if (reason === 'ENOENT' || reason === 'ENOTDIR') {
    return new CodedError('not-found', `there is nothing at ${location}`);
  }
  return new CodedError('storage', `${location} cannot be read (${reason}); check its rights`);
}
