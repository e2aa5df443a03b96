/**
 * The folder that a release is pulled into. Everything is written below it and nothing
 * through a symbolic link, whoever put one there: each folder on the way is looked at, each
 * file opened with O_NOFOLLOW, and every path was checked by the manifest's parser and is
 * checked again here. (Somebody who may write to the folder while it is being pulled into can
 * still race this; nothing portable is offered against that.)
 */
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readFile, realpath, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError, isCoded } from '../core/error.ts';
import { parseFilePath } from '../core/release/path.ts';
import { makeFolder } from '../folders.ts';

/** What `pull` keeps for itself and for `verify`. */
export const CONTROL_FOLDER = '.weighhouse';
/** Where files are until every chunk of them is good. */
export const PARTIAL_FOLDER = `${CONTROL_FOLDER}/partial`;
export const MODEL_SIGNATURE = 'model.sig';

/** Flags for a file that is ours to write, wherever it may turn out to be. */
export const WRITE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

export class Target {
  /** Without symbolic links. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Opens a folder that is there. Throws `not-found`. */
  static async open(folder: string): Promise<Target> {
    const real = await realpath(folder).catch(() => undefined);
    if (real === undefined) throw new CodedError('not-found', `there is no folder ${folder}`);
    return new Target(real);
  }

  /** Opens a folder, making it where it is missing. */
  static async make(folder: string): Promise<Target> {
    await makeFolder(folder).catch((error: unknown) => {
      throw unwritable(folder, error);
    });
    return Target.open(folder);
  }

  /** Where `path` is on this machine. */
  locate(path: string): string {
    // Our own documents have names that no file of a release may have.
    if (!isOurs(path)) parseFilePath(path);
    return join(this.folder, path);
  }

  /** What lies at `path`, if anything. Throws `bad-path` when a link, or no regular file, is there. */
  async find(path: string): Promise<Stats | undefined> {
    if (!(await this.#hasFolder(dirname(path)))) return undefined;
    const stats = await lookAt(this.locate(path));
    if (stats === undefined || stats.isFile()) return stats;
    throw inTheWay(path, stats.isSymbolicLink() ? 'is a symbolic link' : 'is not a regular file');
  }

  /** Makes the folder that `path` lies in. Throws `bad-path` when something else is in its place. */
  async makeFolderOf(path: string): Promise<void> {
    for (const folder of foldersOf(path)) {
      if (await this.#isFolder(folder)) continue;
      await mkdir(join(this.folder, folder)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw unwritable(folder, error);
      });
      if (!(await this.#isFolder(folder))) throw inTheWay(folder, 'was exchanged');
    }
  }

  /** The bytes at `path`, or undefined. Throws `too-large` above `maxBytes`. */
  async read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const stats = await this.find(path);
    if (stats === undefined) return undefined;
    if (stats.size > maxBytes) {
      throw new CodedError('too-large', `${path} is longer than ${maxBytes} bytes`);
    }
    const flag = constants.O_RDONLY | constants.O_NOFOLLOW;
    return new Uint8Array(await readFile(this.locate(path), { flag }));
  }

  /** Writes a small document under its name, wholly or not at all, and durably. Throws `disk-full`, `storage`. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${PARTIAL_FOLDER}/${path.replace(/^\./, '').replaceAll('/', '-')}.new`;
    await this.makeFolderOf(temporary);
    await this.makeFolderOf(path);
    await this.remove(temporary);
    try {
      const file = await open(this.locate(temporary), WRITE_FLAGS | constants.O_EXCL, 0o666);
      await file
        .writeFile(bytes)
        .then(() => file.sync())
        .finally(() => file.close());
      await this.find(path);
      await rename(this.locate(temporary), this.locate(path));
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Removes the file at `path`, if there is one. */
  async remove(path: string): Promise<void> {
    await unlink(this.locate(path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw unwritable(path, error);
    });
  }

  /** Removes what was left of unfinished files. */
  async removePartials(): Promise<void> {
    if (!(await this.#hasFolder(PARTIAL_FOLDER))) return;
    await rm(join(this.folder, PARTIAL_FOLDER), { recursive: true, force: true });
  }

  /** Creates `path` with `bytes` unless something is there already; says whether it did. */
  async create(path: string, bytes: Uint8Array): Promise<boolean> {
    await this.makeFolderOf(path);
    const flags = WRITE_FLAGS | constants.O_EXCL;
    try {
      const file = await open(this.locate(path), flags, 0o666);
      await file.writeFile(bytes).finally(() => file.close());
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw unwritable(path, error);
    }
  }

  /** Makes renames inside the folders of `paths` survive a power cut. */
  async syncFolders(paths: Iterable<string>): Promise<void> {
    const folders = new Set(['', ...[...paths].flatMap(foldersOf)]);
    for (const folder of folders) await syncFolder(join(this.folder, folder));
  }

  async #hasFolder(path: string): Promise<boolean> {
    for (const folder of [...foldersOf(path), ...(path === '.' ? [] : [path])]) {
      if (!(await this.#isFolder(folder))) return false;
    }
    return true;
  }

  /** Throws `bad-path` when something else is there. */
  async #isFolder(path: string): Promise<boolean> {
    const stats = await lookAt(join(this.folder, path));
    if (stats === undefined) return false;
    if (stats.isDirectory()) return true;
    throw inTheWay(path, stats.isSymbolicLink() ? 'is a symbolic link' : 'is not a folder');
  }
}

/** The folders on the way to `path`, outermost first. */
function foldersOf(path: string): string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, i) => segments.slice(0, i + 1).join('/'));
}

function isOurs(path: string): boolean {
  return path === MODEL_SIGNATURE || /^\.weighhouse(?:\/[a-z0-9][a-z0-9.-]*)+$/.test(path);
}

async function lookAt(location: string): Promise<Stats | undefined> {
  try {
    return await lstat(location);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unwritable(location, error);
  }
}

async function syncFolder(location: string): Promise<void> {
  try {
    const folder = await open(location, constants.O_RDONLY);
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows cannot open a folder; its renames are journalled.
  }
}

function inTheWay(path: string, what: string): CodedError {
  return new CodedError('bad-path', `${path} ${what}; nothing is written through it, remove it`, {
    path,
  });
}

/** A failure of the disk, or of rights, in our words. */
export function unwritable(path: string, error: unknown): CodedError {
  if (isCoded(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CodedError('disk-full', `there is no room for ${path}; free some and run it again`);
  }
  const text = `${path} cannot be written (${code ?? message}); check its rights and the disk`;
  return new CodedError('storage', text, {}, { cause: error });
}
