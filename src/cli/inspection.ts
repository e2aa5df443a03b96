/** What lies at a path of this machine: one file, or a directory as a release would have it. */
import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { compareCodePoints } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { isLeftOut, parseFilePath } from '../core/release/path.ts';
import { type Inspection, inspectRelease } from '../core/weights/inspect.ts';
import { inspectLocalFile } from '../transfer/inspect-file.ts';
import { walkFolder } from '../transfer/walk.ts';

/** A file that was inspected, and where it lies. */
export interface LocalFile extends Inspection {
  readonly location: string;
}

export interface InspectedPath {
  /** By code point of the path. */
  readonly files: readonly LocalFile[];
  readonly isDirectory: boolean;
  /** What is odd but harmless, a sentence each. */
  readonly warnings: readonly string[];
}

/** Inspects the file or directory at `path`. Throws `not-found`, `bad-path`, `bad-weights`. */
export async function inspectPath(path: string): Promise<InspectedPath> {
  const location = await realpath(path).catch(() => {
    throw new CodedError('not-found', `there is nothing at ${path}`);
  });
  if (!(await stat(location)).isDirectory()) {
    const file = await inspectAt(basename(path), location);
    return { files: [file], isDirectory: false, warnings: file.warnings };
  }
  const files: LocalFile[] = [];
  for await (const found of walkFolder(location, isLeftOut)) {
    // Looking through a link is harmless: caches of other clients consist of them.
    const target = await realpath(found.location).catch(() => found.location);
    files.push(await inspectAt(found.path, target));
  }
  files.sort((a, b) => compareCodePoints(a.path, b.path));
  return { files, isDirectory: true, warnings: inspectRelease(files) };
}

async function inspectAt(path: string, location: string): Promise<LocalFile> {
  return { ...(await inspectLocalFile(parseFilePath(path), location)), location };
}
