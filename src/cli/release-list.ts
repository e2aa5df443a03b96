/** A page of releases, for `list` and `search`. */
import { Option } from 'commander';
import { formatBytes } from '../core/amounts.ts';
import type { Namespace } from '../core/release/name.ts';
import type { Context, SharedFlags } from './context.ts';
import { openApi } from './reach.ts';
import { formatTable } from './table.ts';
import { parseCount } from './units.ts';

export interface PageFlags extends SharedFlags {
  readonly limit: string;
  readonly before?: string;
}

export const limitFlag = () => new Option('--limit <n>', 'at most so many').default('100');
export const beforeFlag = () =>
  new Option('--before <index>', 'only those published before that entry of the log');

/** Which releases are wanted. */
export interface Wanted {
  readonly namespace?: Namespace | undefined;
  readonly query?: string | undefined;
}

/** Answers with a page of releases, newest first; `empty` is said when there are none. */
export async function answerReleases(
  context: Context,
  flags: PageFlags,
  wanted: Wanted,
  empty: string,
): Promise<void> {
  const { output, signal } = context;
  const limit = parseCount(flags.limit, '--limit');
  const before = flags.before === undefined ? undefined : parseCount(flags.before, '--before');
  const api = await openApi(context);
  const page = await api.releases({ ...wanted, limit, before }, { signal });
  const rows = page.releases.map(({ reference, size, files, index, time, digest }) => [
    reference,
    formatBytes(size),
    String(files),
    String(index),
    time.slice(0, 10),
    digest.slice(0, 19),
  ]);
  const headings = ['RELEASE', 'SIZE', 'FILES', 'INDEX', 'PUBLISHED', 'DIGEST'];
  const align = ['left', 'right', 'right', 'right'] as const;
  output.result(page, rows.length === 0 ? [empty] : formatTable(headings, rows, align));
  if (page.next !== undefined) output.say(`there may be more: add --before ${page.next}`);
}
