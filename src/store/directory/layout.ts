/**
 * Where things lie in a store's directory:
 *
 *     weighhouse-store        says what this directory is, and in which format
 *     objects/<key>           an object that never changes: the file is its bytes
 *     objects/<key>/@…        a document that changes: see documents.ts
 *     uploads/<id>/           an upload in progress: see uploads.ts
 *     temp/                   what is being written, or removed
 *
 * No segment of a key can start with `@`, and no key is the folder of another, so the two
 * kinds never meet. `temp` lies in the same file system, because link(2) and rename(2) do
 * not reach into another.
 */
import { randomBytes } from 'node:crypto';
import { chmod, link, lstat, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { utf8 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { type Key, type KeyPrefix, parseKey } from '../keys.ts';
import type { Disk } from './disk.ts';
import { ignore } from './disk.ts';
import { isErrno } from './failure.ts';

const MARKER = 'weighhouse-store';
const FORMAT = 'weighhouse directory store, format 1\n';
const FOLDERS = ['objects', 'uploads', 'temp'] as const;

/** Only its user may look into a store that we make: drafts are unpublished. */
const PRIVATE = 0o700;

/**
 * Left-overs in `temp` are swept when they are this old. A live process needs its temporary
 * files for milliseconds; should it have been stopped for a day, its link(2) fails and
 * nothing is lost but that one write, which nobody was told had happened.
 */
const MAX_TEMP_AGE_MS = 24 * 60 * 60 * 1000;

export class Layout {
  readonly root: string;
  readonly objects: string;
  readonly uploads: string;
  readonly temp: string;

  constructor(root: string) {
    this.root = resolve(root);
    this.objects = join(this.root, 'objects');
    this.uploads = join(this.root, 'uploads');
    this.temp = join(this.root, 'temp');
  }

  object(key: Key): string {
    return join(this.objects, ...key.split('/'));
  }

  folder(prefix: KeyPrefix): string {
    return join(this.objects, ...prefix.slice(0, -1).split('/'));
  }

  /** The key of a path below `objects`, or undefined for a name that no key can have. */
  keyOf(path: string): Key | undefined {
    try {
      return parseKey(relative(this.objects, path).split(sep).join('/'));
    } catch {
      return undefined; // a stranger's file, such as .DS_Store
    }
  }

  upload(id: string): string {
    return join(this.uploads, id);
  }

  /** A new name in `temp`. */
  temporary(): string {
    return join(this.temp, randomBytes(16).toString('hex'));
  }
}

/** Makes an empty store in `layout.root`, or finds the one that is there. */
export async function makeLayout(layout: Layout, disk: Disk): Promise<void> {
  await makeRoot(layout.root, disk);
  if (await hasMarker(layout)) return;
  await refuseStranger(layout);
  for (const folder of FOLDERS) await disk.makeDirectory(join(layout.root, folder));
  // Last: a directory with a marker is whole.
  const temporary = layout.temporary();
  await disk.writeFile(temporary, [utf8(FORMAT)]);
  try {
    await link(temporary, join(layout.root, MARKER));
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw noHardLinks(layout.root, error);
  } finally {
    await unlink(temporary).catch(ignore);
  }
  await disk.syncDirectory(layout.root);
}

/** Throws `not-found` or `storage` unless `layout.root` holds a store that we can read. */
export async function checkLayout(layout: Layout): Promise<void> {
  if (await hasMarker(layout)) return;
  throw new CodedError(
    'not-found',
    `${layout.root} holds no Weighhouse store; make one with weighhouse init --store ${layout.root}`,
  );
}

/** Removes what a crash left in `temp`. */
export async function sweepTemporary(layout: Layout, now: number): Promise<void> {
  for (const name of await readdir(layout.temp)) {
    const path = join(layout.temp, name);
    const found = await lstat(path).catch(ignore);
    if (found && now - found.mtimeMs > MAX_TEMP_AGE_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function makeRoot(root: string, disk: Disk): Promise<void> {
  // What is there needs no fsync, and its parent may be closed to us.
  if (await stat(root).catch(ignore)) return;
  await disk.makeDirectory(root);
  await chmod(root, PRIVATE);
}

async function hasMarker(layout: Layout): Promise<boolean> {
  let found: string;
  try {
    found = await readFile(join(layout.root, MARKER), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
  if (found === FORMAT) return true;
  throw new CodedError(
    'storage',
    `${join(layout.root, MARKER)} names a format that this version of Weighhouse does not know; use the version that wrote it`,
  );
}

/** A directory without a marker must be empty, or as an interrupted start of ours left it. */
async function refuseStranger(layout: Layout): Promise<void> {
  const ours: readonly string[] = FOLDERS;
  const foreign = (await readdir(layout.root)).find((name) => !ours.includes(name));
  if (foreign === undefined) return;
  throw new CodedError(
    'storage',
    `${layout.root} is no Weighhouse store and not empty (it has "${foreign}"); name an empty directory`,
  );
}

function noHardLinks(root: string, error: unknown): CodedError {
  return new CodedError(
    'storage',
    `the file system of ${root} has no hard links, without which nothing can be created exactly once; use a local disk`,
    {},
    { cause: error },
  );
}
