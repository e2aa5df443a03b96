/**
 * Writes that survive a power cut. Everything in this folder that must be durable goes
 * through here, so that the rules stand in one place:
 *
 * - A file's bytes are on the disk (fsync) before any name under `objects/` leads to them.
 * - A name is on the disk (fsync of its directory, and of the new directories above it)
 *   before anybody is told that it is there.
 * - An fsync that failed is final. The kernel has dropped the pages and marked them clean:
 *   a second fsync would succeed and prove nothing, and a read would return what is not on
 *   the disk. So the store refuses every further write until it is opened anew.
 */
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError } from '../../core/error.ts';
import { SharedRun } from '../../core/shared-run.ts';
import { errno, isDiskFull, isErrno } from './failure.ts';

/** Directories remembered as durable, so that only the first write into each pays for it. */
const MAX_KNOWN_DIRECTORIES = 100_000;

export class Disk {
  #failure: CodedError | undefined;
  readonly #directorySyncs = new Map<string, SharedRun<void>>();
  readonly #durableDirectories = new Set<string>();
  readonly #directoriesBeingMade = new Map<string, Promise<void>>();

  /** Throws what the first failed fsync threw. Called before every write. */
  refuseAfterFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Makes the new file `path` out of `parts`, its bytes durable, its name not yet. */
  async writeFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
    const handle = await open(path, 'wx');
    try {
      await writeAll(handle, parts, 0);
      await this.#syncDiscardable(handle, path);
    } catch (error) {
      await unlink(path).catch(ignore);
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** Brings all of an open file to the disk. */
  async syncFile(handle: FileHandle, path: string): Promise<void> {
    this.refuseAfterFailure();
    try {
      await handle.sync();
    } catch (error) {
      throw this.#fail(path, error);
    }
  }

  /** Brings the names in a directory to the disk; calls at one time share an fsync. */
  async syncDirectory(path: string): Promise<void> {
    let shared = this.#directorySyncs.get(path);
    if (shared === undefined) {
      shared = new SharedRun(() => this.#fsyncDirectory(path));
      this.#directorySyncs.set(path, shared);
    }
    try {
      await shared.run();
    } finally {
      if (shared.idle) this.#directorySyncs.delete(path);
    }
  }

  /** Makes the directory `path` and what is missing above it, durably. */
  makeDirectory(path: string): Promise<void> {
    if (this.#durableDirectories.has(path)) return Promise.resolve();
    let making = this.#directoriesBeingMade.get(path);
    if (making === undefined) {
      making = this.#makeDirectory(path).finally(() => this.#directoriesBeingMade.delete(path));
      this.#directoriesBeingMade.set(path, making);
    }
    return making;
  }

  async #makeDirectory(path: string): Promise<void> {
    const parent = dirname(path);
    try {
      await makeOne(path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || parent === path) throw error;
      await this.makeDirectory(parent);
      // Once more and no oftener: some directories are there and take none, such as /proc.
      await makeOne(path);
    }
    // Also for one that was there: whoever made it may not have come to this line yet.
    await this.syncDirectory(parent);
    if (this.#durableDirectories.size >= MAX_KNOWN_DIRECTORIES) this.#durableDirectories.clear();
    this.#durableDirectories.add(path);
  }

  /** A file that is thrown away when this fails may meet a full disk without any harm. */
  async #syncDiscardable(handle: FileHandle, path: string): Promise<void> {
    this.refuseAfterFailure();
    try {
      await handle.sync();
    } catch (error) {
      throw isDiskFull(error) ? error : this.#fail(path, error);
    }
  }

  async #fsyncDirectory(path: string): Promise<void> {
    this.refuseAfterFailure();
    const handle = await open(path, 'r');
    try {
      await this.syncFile(handle, path);
    } finally {
      await handle.close();
    }
  }

  #fail(path: string, error: unknown): CodedError {
    this.#failure ??= new CodedError(
      'storage',
      `the disk did not take ${path} (fsync: ${errno(error) ?? String(error)}): nothing more is written; check the disk, then start again`,
      { path, fatal: true },
      { cause: error },
    );
    return this.#failure;
  }
}

/** Writes all `parts`, one after the other, from `position` on. */
export async function writeAll(
  handle: FileHandle,
  parts: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await handle.writev(parts as Uint8Array[], position);
  if (bytesWritten === total) return;
  // A short write: the disk is nearly full, or a signal came. The rest goes out piece by piece.
  let skip = bytesWritten;
  let at = position + bytesWritten;
  for (const part of parts) {
    if (skip >= part.length) {
      skip -= part.length;
      continue;
    }
    for (let from = skip; from < part.length; ) {
      const written = (await handle.write(part, from, part.length - from, at)).bytesWritten;
      from += written;
      at += written;
    }
    skip = 0;
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** For clean-up that must not hide the failure that led to it. */
export function ignore(): void {}
