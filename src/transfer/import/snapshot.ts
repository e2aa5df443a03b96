/** What a repository held at one revision: files, each named by its digest, that can be fetched. */
import { compareCodePoints } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { MAX_FILES } from '../../core/release/manifest.ts';
import { type FilePath, isLeftOut, parseFilePath, refuseTwins } from '../../core/release/path.ts';
import type { Source } from '../../core/release/source.ts';
import { type Selection, selector } from '../glob.ts';
import type { ContentName } from './content-name.ts';
import type { Remote } from './remote.ts';

/** A file as the repository lists it. */
export interface ListedFile {
  /** Its own word: anything. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly name: ContentName;
  readonly url: string;
}

export interface RemoteFile extends ListedFile {
  readonly path: FilePath;
}

export interface Snapshot {
  readonly source: Source;
  readonly remote: Remote;
  /** By code point of the path. */
  readonly files: readonly RemoteFile[];
  /** What lies there and is never part of a model. */
  readonly leftOut: readonly string[];
  /** How many files the selection left out. */
  readonly deselected: number;
}

/** The files that are meant, by paths that may stand in a release. Throws `bad-path`, `too-large`, `usage`. */
export function selectFiles(
  listed: readonly ListedFile[],
  selection: Selection,
): Pick<Snapshot, 'files' | 'leftOut' | 'deselected'> {
  const isSelected = selector(selection);
  const [left, candidates] = split(listed, ({ path }) => isLeftOut(path));
  const [chosen, others] = split(candidates, ({ path }) => isSelected(path));
  if (chosen.length === 0) {
    const message = 'the source holds no file to import, or none that fits --include and --exclude';
    throw new CodedError('usage', message);
  }
  const files = chosen.map((file) => ({ ...file, path: parseFilePath(file.path) }));
  refuseTwins(files.map(({ path }) => path));
  files.sort((a, b) => compareCodePoints(a.path, b.path));
  return { files, leftOut: left.map(({ path }) => path).sort(), deselected: others.length };
}

/** Throws `too-large` for more files than a release can have. */
export function requireFewFiles(count: number): void {
  if (count <= MAX_FILES) return;
  throw new CodedError('too-large', `the source has more than ${MAX_FILES} files`);
}

/** Bytes of all files together. */
export function bytesOf(files: readonly ListedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function split<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
