/**
 * Uploads in progress, one folder each:
 *
 *     uploads/<id>/upload      canonical JSON: the key it is for, its size, its part size
 *     uploads/<id>/content     the object to be; part n lies at (n-1)*partSize from the start
 *     uploads/<id>/parts/<n>   empty; says that part n is whole and on the disk
 *     uploads/<id>/lock        see below
 *
 * The content is written once: completing it gives the same file its name under `objects/`.
 * So a write of a part that was forgotten and wakes up later would change a finished object,
 * after it was hashed. Two things prevent that: in this process `completeUpload` ends every
 * write first, and across processes whoever writes holds the lock, shared, which completing
 * takes alone.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../../core/error.ts';
import type { Part, UploadId, UploadShape } from '../contract.ts';
import type { Key } from '../keys.ts';
import {
  checkAllParts,
  checkPartLength,
  checkShape,
  missingPart,
  partCount,
  wrongLength,
} from '../upload-shape.ts';
import type { Claim } from './claim.ts';
import type { Disk } from './disk.ts';
import { ignore } from './disk.ts';
import { isErrno } from './failure.ts';
import { takeLockAlone } from './file-lock.ts';
import type { Layout } from './layout.ts';
import { noSuchUpload, type OpenUpload, OpenUploads } from './open-uploads.ts';
import { pour } from './pour.ts';
import { formatUpload, readUpload } from './upload-file.ts';

const ID = /^[0-9a-f]{32}$/;

export class Uploads {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #open: OpenUploads;
  readonly #completing = new Map<UploadId, Promise<void>>();

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
    this.#open = new OpenUploads(disk, layout);
  }

  async begin(key: Key, shape: UploadShape): Promise<UploadId> {
    checkShape(shape);
    const id = randomBytes(16).toString('hex') as UploadId;
    const staged = this.#layout.temporary();
    try {
      await mkdir(join(staged, 'parts'), { recursive: true });
      await this.#disk.writeFile(join(staged, 'upload'), [formatUpload(key, shape)]);
      await this.#makeContent(join(staged, 'content'), shape.size);
      await this.#disk.writeFile(join(staged, 'lock'), [new Uint8Array()]);
      await this.#disk.syncDirectory(staged);
      await rename(staged, this.#layout.upload(id));
    } catch (error) {
      await rm(staged, { recursive: true, force: true }).catch(ignore);
      throw error;
    }
    await this.#disk.syncDirectory(this.#layout.uploads);
    return id;
  }

  async putPart(
    key: Key,
    id: UploadId,
    number: number,
    length: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Part> {
    const path = this.#pathOf(id);
    try {
      await this.#open.withPart(key, id, number, async (upload, claim) => {
        checkPartLength(upload.shape, number, length);
        await this.#forgetPart(path, number);
        await pourPart(upload, number, length, body, claim);
        await upload.contentSync.run();
        await this.#recordPart(path, number);
      });
    } catch (error) {
      throw isErrno(error, 'ENOENT') ? noSuchUpload(id) : error; // aborted by another process
    }
    return { number, tag: '' };
  }

  /** One at a time for each upload: the second finds what the first has done. */
  async complete(key: Key, id: UploadId, parts: readonly Part[]): Promise<void> {
    const earlier = this.#completing.get(id) ?? Promise.resolve();
    const completing = earlier.catch(ignore).then(() => this.#complete(key, id, parts));
    this.#completing.set(id, completing);
    try {
      await completing;
    } finally {
      if (this.#completing.get(id) === completing) this.#completing.delete(id);
    }
  }

  async #complete(key: Key, id: UploadId, parts: readonly Part[]): Promise<void> {
    const path = this.#pathOf(id);
    const shape = await readUpload(join(path, 'upload'), key);
    const object = this.#layout.object(key);
    if (shape === undefined) {
      if (await isThere(object)) return; // completed before
      throw noSuchUpload(id);
    }
    checkAllParts(shape, parts);
    await this.#open.end(id);
    const lock = takeLockAlone(join(path, 'lock'));
    if (lock === undefined) {
      throw new CodedError('conflict', `parts are still being written to the upload ${id}`);
    }
    try {
      await refuseMissingParts(path, shape);
      await this.#giveName(join(path, 'content'), object, shape.size);
    } finally {
      lock.release();
    }
    await this.#remove(path);
  }

  async abort(key: Key, id: UploadId): Promise<void> {
    const path = this.#pathOf(id);
    if ((await readUpload(join(path, 'upload'), key)) === undefined) return;
    await this.#open.end(id);
    await this.#remove(path);
  }

  /** Forgets the uploads into which nothing was written for `age` milliseconds, and that nobody writes to now. */
  async abandon(age: number): Promise<number> {
    const before = Date.now() - age;
    let abandoned = 0;
    for (const id of await readdir(this.#layout.uploads)) {
      const path = this.#layout.upload(id as UploadId);
      if (!ID.test(id) || !((await lastWrite(path)) < before)) continue;
      if (await this.#removeUnwritten(path)) abandoned++;
    }
    return abandoned;
  }

  /** Removes an upload; false when somebody writes to it, or has removed it meanwhile. */
  async #removeUnwritten(path: string): Promise<boolean> {
    try {
      const lock = takeLockAlone(join(path, 'lock'));
      if (lock === undefined) return false;
      await this.#remove(path).finally(() => lock.release());
      return true;
    } catch (error) {
      if (await isThere(path)) throw error;
      return false;
    }
  }

  /** Ends every write that is under way. */
  close(): Promise<void> {
    return this.#open.endAll();
  }

  async #makeContent(path: string, size: number): Promise<void> {
    const content = await open(path, 'wx');
    try {
      await content.truncate(size);
      await this.#disk.syncFile(content, path);
    } finally {
      await content.close();
    }
  }

  /** The part counts as absent from here on, also after a power cut in the midst of it. */
  async #forgetPart(path: string, number: number): Promise<void> {
    const mark = markOf(path, number);
    try {
      await unlink(mark);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      throw error;
    }
    await this.#disk.syncDirectory(dirname(mark));
  }

  /** To be called when the part's bytes are on the disk. */
  async #recordPart(path: string, number: number): Promise<void> {
    const mark = markOf(path, number);
    await (await open(mark, 'w')).close();
    await this.#disk.syncDirectory(dirname(mark));
  }

  async #giveName(content: string, object: string, size: number): Promise<void> {
    const handle = await open(content, 'r+');
    try {
      const found = await handle.stat();
      if (found.size !== size) {
        throw new CodedError('storage', `${content} has ${found.size} bytes instead of ${size}`);
      }
      await this.#disk.syncFile(handle, content);
    } finally {
      await handle.close();
    }
    await this.#disk.makeDirectory(dirname(object));
    await linkOnce(content, object);
    await this.#disk.syncDirectory(dirname(object));
  }

  async #remove(path: string): Promise<void> {
    const trash = this.#layout.temporary();
    await rename(path, trash).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error;
    });
    await rm(trash, { recursive: true, force: true });
  }

  #pathOf(id: UploadId): string {
    if (!ID.test(id)) throw new CodedError('internal', `"${id}" names no upload of a directory`);
    return this.#layout.upload(id);
  }
}

/** Writes the bytes of one part to where they belong. */
async function pourPart(
  upload: OpenUpload,
  number: number,
  length: number,
  body: AsyncIterable<Uint8Array>,
  claim: Claim,
): Promise<void> {
  const position = (number - 1) * upload.shape.partSize;
  const received = await pour(body, { handle: upload.content, position, length }, claim.lost);
  if (received > length) throw wrongLength(number, `more than ${length}`, length);
  if (received < length) throw wrongLength(number, received, length);
}

/** Milliseconds since 1970; for an upload that has gone meanwhile, the end of time. */
async function lastWrite(path: string): Promise<number> {
  const places = ['content', 'parts', 'lock'].map((name) => stat(join(path, name)).catch(ignore));
  const found = await Promise.all(places);
  return Math.max(...found.map((place) => place?.mtimeMs ?? Number.POSITIVE_INFINITY));
}

async function refuseMissingParts(path: string, shape: UploadShape): Promise<void> {
  const there = new Set(await readdir(join(path, 'parts')));
  for (let number = 1; number <= partCount(shape); number++) {
    if (!there.has(String(number))) throw missingPart(number);
  }
}

/** Links `content` to `object`; once more, after a crash, is well. */
async function linkOnce(content: string, object: string): Promise<void> {
  try {
    await link(content, object);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    const [ours, found] = await Promise.all([stat(content), stat(object)]);
    if (ours.ino !== found.ino) {
      throw new CodedError('conflict', `${object} is there already, from elsewhere`);
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(ignore)) !== undefined;
}

function markOf(path: string, number: number): string {
  return join(path, 'parts', String(number));
}
