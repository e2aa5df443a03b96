/** What lies in a repository: files and folders, as `tree` and `paths-info` list them. */
import { createHash } from 'node:crypto';
import { digestHex } from '../../core/digest.ts';
import { formatReleaseName } from '../../core/release/name.ts';
import { absent } from './failure.ts';
import { filesOf, pointerTo, type RepoFile, type Snapshot } from './snapshot.ts';

/** Items of a page. */
export const MAX_TREE_PAGE = 1_000;

/** One page of a listing; `next` is where the next one begins. */
export interface TreePage {
  readonly items: readonly object[];
  readonly next?: string;
}

export interface TreeQuery {
  /** The folder; empty for the whole repository. */
  readonly folder: string;
  readonly recursive: boolean;
  /** With the commit that brought each. */
  readonly expand: boolean;
  readonly limit: number;
  /** The path after which the page begins. */
  readonly after?: string;
}

/** One page of what lies in a folder. Throws `not-found` for a folder that is not there. */
export function treePage(snapshot: Snapshot, query: TreeQuery): TreePage {
  const { folder, recursive, expand, after = '', limit } = query;
  const all = [...entriesBelow(filesOf(snapshot), folder, recursive)];
  if (all.length === 0) {
    const where = formatReleaseName(snapshot.release);
    throw absent('EntryNotFound', `${where} has no folder ${folder}`);
  }
  const from = after === '' ? 0 : all.findIndex(({ path }) => path === after) + 1;
  const page = all.slice(from, from + limit);
  const last = page.at(-1);
  return {
    items: page.map((entry) => itemOf(snapshot, entry, expand)),
    ...(last !== undefined && from + limit < all.length ? { next: last.path } : {}),
  };
}

/** Those of `paths` that are there, files and folders. */
export function pathsInfo(snapshot: Snapshot, paths: readonly string[], expand: boolean): object[] {
  const wanted = new Set(paths.map((path) => path.replace(/\/+$/, '')));
  return [...entriesBelow(filesOf(snapshot), '', true)]
    .filter(({ path }) => wanted.has(path))
    .map((entry) => itemOf(snapshot, entry, expand));
}

/** A file, or a folder that some file lies in. */
type Entry = RepoFile | { readonly path: string };

/** Files come by code point; a folder stands before the first file in it. */
function* entriesBelow(
  files: readonly RepoFile[],
  folder: string,
  recursive: boolean,
): Generator<Entry> {
  const prefix = folder === '' ? '' : `${folder}/`;
  const seen = new Set<string>();
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue;
    const segments = file.path.slice(prefix.length).split('/').slice(0, -1);
    const shown = recursive ? segments.length : Math.min(1, segments.length);
    for (let depth = 1; depth <= shown; depth++) {
      const path = prefix + segments.slice(0, depth).join('/');
      if (seen.has(path)) continue;
      seen.add(path);
      yield { path };
    }
    if (recursive || segments.length === 0) yield file;
  }
}

function itemOf(snapshot: Snapshot, entry: Entry, expand: boolean): object {
  const { path } = entry;
  const commit = expand ? { lastCommit: commitOf(snapshot) } : {};
  if (!('sha256' in entry)) {
    // Git would hash the folder's list; here it has to be 40 digits that stay the same.
    const oid = createHash('sha1').update(`${snapshot.revision}\0${path}`).digest('hex');
    return { type: 'directory', oid, size: 0, path, ...commit };
  }
  const pointer = pointerTo(entry);
  const lfs = { oid: digestHex(entry.sha256), size: entry.size, pointerSize: pointer.size };
  return { type: 'file', oid: pointer.oid, size: entry.size, path, lfs, ...commit };
}

function commitOf({ revision, release, published }: Snapshot): object {
  return { id: revision, title: formatReleaseName(release), date: published.time };
}
