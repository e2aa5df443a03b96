/**
 * The files in a folder, as a model to be pushed: regular files only, by paths that may stand
 * in a release. A symbolic link is refused, not followed: what it leads to is not in the
 * folder, and what would be signed is not what lies there.
 */
import type { BigIntStats } from 'node:fs';
import { compareCodePoints } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { MAX_FILES } from '../core/release/manifest.ts';
import { type FilePath, isLeftOut, parseFilePath, refuseTwins } from '../core/release/path.ts';
import { type Selection, selector } from './glob.ts';
import { type Found, look, walkFolder } from './walk.ts';

export interface ScannedFile {
  readonly path: FilePath;
  /** Where it lies on this machine. */
  readonly location: string;
  readonly size: number;
  /** Tells this state of this file from any other. */
  readonly identity: string;
}

export interface Scan {
  /** By code point of the path. */
  readonly files: readonly ScannedFile[];
  /** What lies there and is never part of a model (`LEFT_OUT`): for people to be told. */
  readonly leftOut: readonly string[];
  /** How many files the selection left out. */
  readonly deselected: number;
}

/** Scans the folder `root`. Throws `bad-path`, `not-found`, `too-large`, `storage`, `usage`. */
export async function scanFolder(root: string, selection: Selection = {}): Promise<Scan> {
  const isSelected = selector(selection);
  const files: ScannedFile[] = [];
  const leftOut: string[] = [];
  let deselected = 0;
  const leavesOut = (path: string) => isLeftOut(path) && leftOut.push(path) > 0;
  for await (const found of walkFolder(root, leavesOut)) {
    if (!isSelected(found.path)) {
      deselected++;
      continue;
    }
    if (files.length === MAX_FILES) throw tooMany(root);
    files.push(await scanFile(found));
  }
  refuseTwins(files.map(({ path }) => path));
  files.sort((a, b) => compareCodePoints(a.path, b.path));
  return { files, leftOut: leftOut.sort(), deselected };
}

/** Throws `file-changed` unless the file is as it was when it was scanned. */
export async function requireUnchanged(file: ScannedFile): Promise<void> {
  const stats = await look(file.location).catch(() => undefined);
  if (stats === undefined || identityOf(stats) !== file.identity) throw fileChanged(file);
}

export function fileChanged(file: ScannedFile): CodedError {
  return new CodedError(
    'file-changed',
    `${file.path} changed while it was pushed; let nothing write to it and push again`,
    { path: file.path },
  );
}

async function scanFile({ path, location, kind }: Found): Promise<ScannedFile> {
  if (kind === 'link') {
    throw notRegular(path, 'is a symbolic link; put the file itself in its place, or exclude it');
  }
  if (kind === 'other') throw notRegular(path, 'is not a regular file; remove it, or exclude it');
  // A name that is no UTF-8 comes with replacement characters, under which nothing is found.
  if (path.includes('\ufffd'))
    throw notRegular(path, 'has a name that is not valid UTF-8; rename it');
  const stats = await look(location);
  if (!stats.isFile()) throw notRegular(path, 'is no regular file any more; push again');
  const identity = identityOf(stats);
  return { path: parseFilePath(path), location, size: Number(stats.size), identity };
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function notRegular(path: string, what: string): CodedError {
  return new CodedError('bad-path', `${path} ${what}`, { path });
}

function tooMany(root: string): CodedError {
  return new CodedError('too-large', `${root} has more than ${MAX_FILES} files`);
}
