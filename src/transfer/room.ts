/** Is there room on the disk for what is to come? */
import { statfs } from 'node:fs/promises';
import { CodedError } from '../core/error.ts';

/** Throws `disk-full` unless the file system of `folder` has room for so many bytes. */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new CodedError(
    'disk-full',
    `${folder} has room for ${free} bytes, but ${bytes} are still needed; free some and run it again`,
    { needed: bytes, free },
  );
}
