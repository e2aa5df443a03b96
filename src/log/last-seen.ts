/**
 * The newest checkpoint that this node has seen committed, in a file outside of the store. A
 * store that was restored whole from an older copy fits together in itself: only somebody who
 * remembers more can tell, and a log that went on from there would fork.
 *
 * The file is one signed note, verbatim. It may be a few commits behind, which weakens
 * nothing but the tail, so that no commit waits for it.
 */
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError } from '../core/error.ts';

export interface LastSeen {
  /** For messages. */
  readonly name: string;
  /** The signed note, or undefined when this node has seen nothing yet. Throws `storage`. */
  load(): Promise<Uint8Array | undefined>;
  /** Remembers `note` from now on, shortly; of several only the last is written. */
  save(note: Uint8Array): void;
  /** Resolves when what was saved is written, or could not be. */
  settle(): Promise<void>;
}

/** `onFailure` is told when something cannot be remembered: the log goes on without. */
export function openLastSeen(path: string, onFailure: (cause: unknown) => void): LastSeen {
  let next: Uint8Array | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (next !== undefined) {
      const note = next;
      next = undefined;
      await replace(path, note).catch(onFailure);
    }
    writing = undefined;
  }

  return {
    name: path,
    load: () => read(path),
    save(note) {
      next = note;
      writing ??= write();
    },
    settle: async () => writing,
  };
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const message = `${path}, which says how far this node has seen the log, cannot be read`;
    throw new CodedError('storage', message, {}, { cause });
  }
}

/** Whole or not at all, also after a power cut. */
async function replace(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}
