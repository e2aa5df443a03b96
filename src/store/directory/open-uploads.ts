/**
 * The uploads that this process is writing to: each is opened by its first writer and closed
 * by its last. While it is open, its lock is held, shared, so that no other process can give
 * the content its final name (see uploads.ts).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../core/error.ts';
import { SharedRun } from '../../core/shared-run.ts';
import type { UploadId, UploadShape } from '../contract.ts';
import type { Key } from '../keys.ts';
import { Claim } from './claim.ts';
import { type Disk, ignore } from './disk.ts';
import { type FileLock, shareLock } from './file-lock.ts';
import type { Layout } from './layout.ts';
import { readUpload } from './upload-file.ts';

/** An upload's open content. */
export interface OpenUpload {
  readonly path: string;
  readonly shape: UploadShape;
  readonly content: FileHandle;
  /** fsync of the content, shared by the parts that end at one time. */
  readonly contentSync: SharedRun<void>;
}

interface Entry {
  readonly claims: Map<number, Claim>;
  readonly opened: Promise<OpenUpload & { readonly lock: FileLock }>;
  readonly closed: PromiseWithResolvers<void>;
  users: number;
  ending: boolean;
}

export class OpenUploads {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #entries = new Map<UploadId, Entry>();

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  /** Runs `write` on the open upload `id`, as the only writer of part `number` in this process. */
  async withPart<T>(
    key: Key,
    id: UploadId,
    number: number,
    write: (upload: OpenUpload, claim: Claim) => Promise<T>,
  ): Promise<T> {
    const entry = this.#enter(key, id);
    try {
      const upload = await entry.opened;
      const claim = await Claim.take(entry.claims, number);
      try {
        if (entry.ending) throw beingEnded(id);
        return await write(upload, claim);
      } finally {
        claim.end();
      }
    } finally {
      await this.#leave(id, entry);
    }
  }

  /** Takes every part from its writer, and waits until this process has let go of the upload. */
  async end(id: UploadId): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.ending = true;
    await Promise.all([...entry.claims.values()].map((claim) => claim.revoke()));
    await entry.closed.promise;
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((id) => this.end(id)));
  }

  #enter(key: Key, id: UploadId): Entry {
    let entry = this.#entries.get(id);
    if (entry?.ending) throw beingEnded(id);
    if (entry === undefined) {
      entry = {
        claims: new Map(),
        opened: this.#open(key, id),
        closed: Promise.withResolvers(),
        users: 0,
        ending: false,
      };
      this.#entries.set(id, entry);
    }
    entry.users++;
    return entry;
  }

  async #leave(id: UploadId, entry: Entry): Promise<void> {
    entry.users--;
    if (entry.users > 0) return;
    this.#entries.delete(id);
    const upload = await entry.opened.catch(ignore);
    await upload?.content.close();
    upload?.lock.release();
    entry.closed.resolve();
  }

  async #open(key: Key, id: UploadId): Promise<OpenUpload & { readonly lock: FileLock }> {
    const path = this.#layout.upload(id);
    const shape = await readUpload(join(path, 'upload'), key);
    if (shape === undefined) throw noSuchUpload(id);
    const lock = shareLock(join(path, 'lock'));
    if (lock === undefined) throw beingEnded(id);
    const file = join(path, 'content');
    try {
      const content = await openUnfinished(file, id);
      const contentSync = new SharedRun(() => this.#disk.syncFile(content, file));
      return { path, shape, content, contentSync, lock };
    } catch (error) {
      lock.release();
      throw error;
    }
  }
}

/** What a caller is told who names an upload that is not there. */
export function noSuchUpload(id: UploadId): CodedError {
  return new CodedError('not-found', `there is no upload ${id}: begin it anew`);
}

/** The content of an upload that was not completed: afterwards it may not change any more. */
async function openUnfinished(file: string, id: UploadId): Promise<FileHandle> {
  const content = await open(file, 'r+');
  // A second name: completed, and a crash came before its folder was removed.
  if ((await content.stat()).nlink === 1) return content;
  await content.close();
  throw new CodedError('conflict', `the upload ${id} is complete`);
}

function beingEnded(id: UploadId): CodedError {
  return new CodedError('conflict', `the upload ${id} is being completed or aborted`);
}
