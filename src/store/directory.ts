/**
 * The store in a local directory: the default, with nothing to install. Durable as
 * `directory/disk.ts` says, safe with several processes on one directory, on any file
 * system with hard links (not NFS).
 *
 * Objects are created with link(2), which never replaces and lets one writer win; documents
 * change as `directory/documents.ts` says; uploads are written in place
 * (`directory/uploads.ts`). Every sentence about a failure names what was being done.
 */
import type { Dirent, Stats } from 'node:fs';
import { link, lstat, opendir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../core/error.ts';
import type {
  ByteRange,
  Part,
  Stat,
  Store,
  Stored,
  UploadId,
  UploadShape,
  Version,
} from './contract.ts';
import { DEFAULT_MAX_BYTES } from './contract.ts';
import { Disk, ignore } from './directory/disk.ts';
import { Documents, isDocumentEntry } from './directory/documents.ts';
import { isErrno, storageFailure } from './directory/failure.ts';
import { checkLayout, Layout, makeLayout, sweepTemporary } from './directory/layout.ts';
import { SenderFailure } from './directory/pour.ts';
import { checkRange, openIfThere, readWhole, streamRange } from './directory/reading.ts';
import { Uploads } from './directory/uploads.ts';
import type { Key, KeyPrefix } from './keys.ts';

/** Names of a folder that are read at once. */
const LISTED_AT_ONCE = 1024;

/** The version of what never changes. */
const OBJECT_VERSION = 'object' as Version;

export interface DirectoryOptions {
  /** Make an empty store when there is none; an existing one is opened as it is. */
  readonly create?: boolean;
}

/**
 * Opens the store in the directory `path`. Throws `not-found` when there is none and
 * `create` is not set, `storage` for a directory that holds something else.
 */
export async function openDirectory(path: string, options: DirectoryOptions = {}): Promise<Store> {
  const layout = new Layout(path);
  const disk = new Disk();
  try {
    if (options.create === true) await makeLayout(layout, disk);
    else await checkLayout(layout);
    await sweepTemporary(layout, Date.now());
  } catch (error) {
    throw storageFailure(`open the store ${layout.root}`, error);
  }
  return new DirectoryStore(layout, disk);
}

class DirectoryStore implements Store {
  readonly name: string;
  readonly #layout: Layout;
  readonly #disk: Disk;
  readonly #documents: Documents;
  readonly #uploads: Uploads;

  constructor(layout: Layout, disk: Disk) {
    this.name = layout.root;
    this.#layout = layout;
    this.#disk = disk;
    this.#documents = new Documents(disk, layout);
    this.#uploads = new Uploads(disk, layout);
  }

  get(key: Key, maxBytes = DEFAULT_MAX_BYTES): Promise<Stored | undefined> {
    return reading(key, async () => {
      const path = this.#layout.object(key);
      const handle = await openIfThere(path);
      if (handle === undefined) return undefined;
      try {
        const found = await handle.stat();
        if (found.isDirectory()) return await this.#documents.read(path, maxBytes);
        const bytes = await readWhole(handle, path, found.size, maxBytes);
        return { bytes, version: OBJECT_VERSION };
      } finally {
        await handle.close();
      }
    });
  }

  read(key: Key, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
    return reading(key, async () => {
      const path = this.#layout.object(key);
      const handle = await openIfThere(path);
      if (handle === undefined) throw noSuchObject(key);
      try {
        const found = await handle.stat();
        if (!found.isDirectory()) {
          const wanted = range ?? { offset: 0, length: found.size };
          return streamRange(handle, path, checkRange(wanted, found.size, path));
        }
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
      return this.#readDocument(key, range);
    });
  }

  size(key: Key): Promise<number | undefined> {
    return reading(key, async () => {
      const found = await statIfThere(this.#layout.object(key));
      if (found?.isDirectory()) return (await this.get(key))?.bytes.length;
      return found?.size;
    });
  }

  stat(key: Key): Promise<Stat | undefined> {
    return reading(key, async () => {
      const path = this.#layout.object(key);
      const found = await statIfThere(path);
      if (found?.isDirectory()) return this.#documents.stat(path);
      return found && { modified: found.mtimeMs, version: OBJECT_VERSION };
    });
  }

  create(key: Key, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#writing(key, async () => {
      const path = this.#layout.object(key);
      const made = (await statIfThere(path)) === undefined && (await this.#link(path, bytes));
      // Also when it was there: whoever made it may not have come to this line yet.
      await this.#disk.syncDirectory(dirname(path));
      return made ? 'created' : 'exists';
    });
  }

  swap(key: Key, expected: Version | null, bytes: Uint8Array): Promise<Version | undefined> {
    return this.#writing(key, () =>
      this.#documents.swap(this.#layout.object(key), expected, bytes),
    );
  }

  async *list(prefix: KeyPrefix): AsyncIterable<Key> {
    try {
      yield* this.#walk(this.#layout.folder(prefix));
    } catch (error) {
      throw storageFailure(`list ${prefix}`, error);
    }
  }

  delete(key: Key): Promise<void> {
    return this.#writing(key, async () => {
      const path = this.#layout.object(key);
      const found = await statIfThere(path);
      if (found === undefined) return;
      if (found.isDirectory()) {
        await this.#documents.remove(path);
        return;
      }
      await unlink(path).catch((error: unknown) => {
        if (!isErrno(error, 'ENOENT')) throw error;
      });
      await this.#disk.syncDirectory(dirname(path));
    });
  }

  beginUpload(key: Key, shape: UploadShape): Promise<UploadId> {
    return this.#writing(key, () => this.#uploads.begin(key, shape));
  }

  putPart(
    key: Key,
    upload: UploadId,
    number: number,
    length: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Part> {
    return this.#writing(key, () => this.#uploads.putPart(key, upload, number, length, body));
  }

  completeUpload(key: Key, upload: UploadId, parts: readonly Part[]): Promise<void> {
    return this.#writing(key, () => this.#uploads.complete(key, upload, parts));
  }

  abortUpload(key: Key, upload: UploadId): Promise<void> {
    return this.#writing(key, () => this.#uploads.abort(key, upload));
  }

  abandonUploads(age: number): Promise<number> {
    return this.#uploads.abandon(age);
  }

  localPath(key: Key): string {
    return this.#layout.object(key);
  }

  close(): Promise<void> {
    return this.#uploads.close();
  }

  /** False when something is at `path` already. */
  async #link(path: string, bytes: Uint8Array): Promise<boolean> {
    const temporary = this.#layout.temporary();
    await Promise.all([
      this.#disk.writeFile(temporary, [bytes]),
      this.#disk.makeDirectory(dirname(path)),
    ]);
    try {
      await link(temporary, path); // the one step by which a writer wins
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await unlink(temporary).catch(ignore);
    }
  }

  async #readDocument(key: Key, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
    const document = await this.get(key);
    if (document === undefined) throw noSuchObject(key);
    const { offset, length } = checkRange(
      range ?? { offset: 0, length: document.bytes.length },
      document.bytes.length,
      key,
    );
    return ReadableStream.from([document.bytes.subarray(offset, offset + length)]);
  }

  async *#walk(folder: string): AsyncIterable<Key> {
    for await (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (isDocumentEntry(entry.name)) {
        const key = this.#layout.keyOf(folder);
        if (key !== undefined) yield key;
        return;
      }
      if (entry.isDirectory()) {
        yield* this.#walk(path);
        continue;
      }
      const key = this.#layout.keyOf(path);
      if (key !== undefined) yield key;
    }
  }

  async #writing<T>(key: Key, write: () => Promise<T>): Promise<T> {
    this.#disk.refuseAfterFailure();
    try {
      return await write();
    } catch (error) {
      throw error instanceof SenderFailure ? error.cause : storageFailure(`write ${key}`, error);
    }
  }
}

async function reading<T>(key: Key, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw storageFailure(`read ${key}`, error);
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The entries of a folder, a few at a time; none when it is not there, or no longer. */
async function* entriesOf(folder: string): AsyncIterable<Dirent> {
  try {
    yield* await opendir(folder, { bufferSize: LISTED_AT_ONCE });
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

function noSuchObject(key: Key): CodedError {
  return new CodedError('not-found', `there is no object ${key}`);
}
