/**
 * Documents that change, by compare-and-swap without locks:
 *
 *     objects/<key>/@<incarnation>/<generation>
 *
 * The generation with the highest number is the truth. The next one is made with link(2),
 * which lets exactly one writer win, in this process or another.
 *
 * - *A writer that slept.* It wants to make generation 6, but 6 to 40 came and the oldest
 *   were removed, so its link(2) would succeed. Therefore the newest KEPT_GENERATIONS stay:
 *   a writer whose 6 was made finds, when it looks again, fewer than that many above it.
 *   If it finds more, it may have been overtaken before or after its link, and nothing tells
 *   which: `unknown-outcome`, never a guess.
 * - *Removed and made anew.* The first generation comes with its folder, by one rename(2),
 *   and the folder's random name is part of the version: a late writer to the document that
 *   was there before finds no folder to link into.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../../core/error.ts';
import type { Stat, Stored, Version } from '../contract.ts';
import type { Disk } from './disk.ts';
import { ignore } from './disk.ts';
import { DOCUMENT_HEAD_LENGTH, formatDocumentFile, parseDocumentFile } from './document-file.ts';
import { isErrno } from './failure.ts';
import type { Layout } from './layout.ts';
import { openIfThere, readWhole } from './reading.ts';

/** Generations that stay, the newest included. */
export const KEPT_GENERATIONS = 8;

/** Documents whose newest generation is remembered to be on the disk. */
const MAX_KNOWN_DOCUMENTS = 10_000;

const INCARNATION = /^@[0-9a-f]{16}$/;
const GENERATION = /^[1-9][0-9]{0,14}$/;
const VERSION = /^(@[0-9a-f]{16})\.([1-9][0-9]{0,14})$/;

interface Generation {
  readonly incarnation: string;
  readonly number: number;
}

export class Documents {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #durable = new Map<string, Version>();

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  /** The newest generation of the document at `path`, or undefined when there is none. */
  async read(path: string, maxBytes: number): Promise<Stored | undefined> {
    for (;;) {
      const newest = await newestGeneration(path);
      if (newest === undefined) return undefined;
      const file = fileOf(path, newest);
      const content = await readIfThere(file, DOCUMENT_HEAD_LENGTH + maxBytes);
      if (content === undefined) continue; // overtaken many times, or removed, since we looked
      const version = formatVersion(newest);
      await this.#makeDurable(path, newest);
      return { bytes: parseDocumentFile(content, file), version };
    }
  }

  /** What is known of the newest generation without reading it. */
  async stat(path: string): Promise<Stat | undefined> {
    for (;;) {
      const newest = await newestGeneration(path);
      if (newest === undefined) return undefined;
      const found = await stat(fileOf(path, newest)).catch((error: unknown) => {
        if (isErrno(error, 'ENOENT')) return undefined; // overtaken, or removed
        throw error;
      });
      if (found !== undefined) return { modified: found.mtimeMs, version: formatVersion(newest) };
    }
  }

  /** Replaces the generation `expected`, or makes the document for null. Undefined: too late. */
  swap(path: string, expected: Version | null, bytes: Uint8Array): Promise<Version | undefined> {
    return expected === null
      ? this.#make(path, bytes)
      : this.#replace(path, parseVersion(expected), bytes);
  }

  /** Removes the document at `path`; false when there is none. */
  async remove(path: string): Promise<boolean> {
    if ((await newestGeneration(path)) === undefined) return false;
    const trash = this.#layout.temporary();
    try {
      await rename(path, trash);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
    this.#durable.delete(path);
    await this.#disk.syncDirectory(dirname(path));
    await rm(trash, { recursive: true, force: true });
    return true;
  }

  async #make(path: string, bytes: Uint8Array): Promise<Version | undefined> {
    if ((await newestGeneration(path)) !== undefined) return undefined;
    const first = { incarnation: `@${randomBytes(8).toString('hex')}`, number: 1 };
    const staged = this.#layout.temporary();
    try {
      await mkdir(join(staged, first.incarnation), { recursive: true });
      await this.#disk.writeFile(fileOf(staged, first), formatDocumentFile(bytes));
      await this.#disk.syncDirectory(join(staged, first.incarnation));
      await this.#disk.syncDirectory(staged);
      await this.#disk.makeDirectory(dirname(path));
      if (!(await renamedIntoPlace(staged, path))) return undefined;
    } finally {
      await rm(staged, { recursive: true, force: true }).catch(ignore);
    }
    await this.#disk.syncDirectory(dirname(path));
    return this.#remember(path, formatVersion(first));
  }

  async #replace(path: string, old: Generation, bytes: Uint8Array): Promise<Version | undefined> {
    if (!isSame(await newestGeneration(path), old)) return undefined;
    const next = { incarnation: old.incarnation, number: old.number + 1 };
    const staged = this.#layout.temporary();
    await this.#disk.writeFile(staged, formatDocumentFile(bytes));
    try {
      await link(staged, fileOf(path, next)); // the one step by which a writer wins
    } catch (error) {
      if (isErrno(error, 'EEXIST', 'ENOENT')) return undefined;
      throw error;
    } finally {
      await unlink(staged).catch(ignore);
    }
    await this.#syncIfThere(join(path, next.incarnation));
    await refuseIfOvertaken(path, next);
    await removeOld(path, next);
    return this.#remember(path, formatVersion(next));
  }

  /** Another process may have made this generation and not yet come to its fsync. */
  async #makeDurable(path: string, found: Generation): Promise<void> {
    const version = formatVersion(found);
    if (this.#durable.get(path) === version) return;
    await this.#syncIfThere(join(path, found.incarnation));
    await this.#disk.syncDirectory(dirname(path));
    this.#remember(path, version);
  }

  /** The folder of a document that was removed meanwhile needs no fsync. */
  async #syncIfThere(folder: string): Promise<void> {
    try {
      await this.#disk.syncDirectory(folder);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  #remember(path: string, version: Version): Version {
    if (this.#durable.size >= MAX_KNOWN_DOCUMENTS) this.#durable.clear();
    this.#durable.set(path, version);
    return version;
  }
}

/** True when a folder's entries are those of a document. */
export function isDocumentEntry(name: string): boolean {
  return name.startsWith('@');
}

/**
 * The document's newest generation. A folder this small comes in one getdents(2), which the
 * kernel answers under the folder's lock; were one missed all the same, link(2) decides.
 */
async function newestGeneration(path: string): Promise<Generation | undefined> {
  const incarnation = (await namesIn(path)).find((name) => INCARNATION.test(name));
  if (incarnation === undefined) return undefined;
  const numbers = await generationsIn(path, incarnation);
  return numbers.length === 0 ? undefined : { incarnation, number: Math.max(...numbers) };
}

async function generationsIn(path: string, incarnation: string): Promise<readonly number[]> {
  const names = await namesIn(join(path, incarnation));
  return names.filter((name) => GENERATION.test(name)).map(Number);
}

async function refuseIfOvertaken(path: string, made: Generation): Promise<void> {
  const newest = await newestGeneration(path);
  if (newest?.incarnation !== made.incarnation) return; // ours, and removed since
  if (newest.number < made.number + KEPT_GENERATIONS) return;
  throw new CodedError(
    'unknown-outcome',
    `${path} went on to generation ${newest.number} while ${made.number} was being written: read it again`,
  );
}

async function removeOld(path: string, newest: Generation): Promise<void> {
  const last = newest.number - KEPT_GENERATIONS;
  for (const number of await generationsIn(path, newest.incarnation)) {
    if (number <= last) await unlink(fileOf(path, { ...newest, number })).catch(ignore);
  }
}

/** False when something is at `path` already. rename(2) replaces no folder that has entries. */
async function renamedIntoPlace(staged: string, path: string): Promise<boolean> {
  try {
    await rename(staged, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return false;
    throw error;
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

async function readIfThere(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    return await readWhole(handle, path, (await handle.stat()).size, maxBytes);
  } finally {
    await handle.close();
  }
}

function fileOf(path: string, generation: Generation): string {
  return join(path, generation.incarnation, String(generation.number));
}

function isSame(a: Generation | undefined, b: Generation): boolean {
  return a?.incarnation === b.incarnation && a.number === b.number;
}

function formatVersion(generation: Generation): Version {
  return `${generation.incarnation}.${generation.number}` as Version;
}

function parseVersion(version: Version): Generation {
  const [, incarnation, number] = VERSION.exec(version) ?? [];
  if (incarnation === undefined || number === undefined) {
    throw new CodedError('internal', `"${version}" is no version of a document made with swap`);
  }
  return { incarnation, number: Number(number) };
}
