/** `core/weights/inspect.ts` for a file of this machine. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CodedError } from '../core/error.ts';
import type { FilePath } from '../core/release/path.ts';
import { type Inspection, inspectFile } from '../core/weights/inspect.ts';

/** A link is not followed, and a pipe not waited for. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Inspects the file at `location`, which messages call `path`. Throws `not-found`, `bad-path`, `bad-weights`. */
export async function inspectLocalFile(path: FilePath, location: string): Promise<Inspection> {
  const file = await open(location, FLAGS).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `${location} cannot be read (${error.code})`);
  });
  try {
    return await inspectOpen(path, file);
  } finally {
    await file.close();
  }
}

async function inspectOpen(path: FilePath, file: FileHandle): Promise<Inspection> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new CodedError('bad-path', `${path} is no regular file`);
  return inspectFile(path, {
    size: stats.size,
    async read(offset, length) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
  });
}
