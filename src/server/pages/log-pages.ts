/** The pages of the log: its list, and each of its entries. They show what is published, and nothing beyond. */
import type { Request } from 'express';
import { CodedError } from '../../core/error.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { LogReader, Published } from '../../log/reader.ts';
import type { PublicConfig } from '../well-known.ts';
import { LOG_PAGE } from './addresses.ts';
import { Growth } from './growth.ts';
import type { Page } from './layout.ts';
import { readEntries } from './log-entries.ts';
import { proofPath } from './proof-path.ts';
import { wholeOf } from './query.ts';
import type { AddPage } from './send.ts';
import { type LogListed, logView, olderView } from './views/log.ts';
import { entryView } from './views/log-entry.ts';

/** Entries of one page of the list. */
export const ENTRIES_A_PAGE = 50;

export interface LogPageParts {
  readonly log: LogReader;
  readonly catalogue: FollowingCatalogue;
  readonly config: PublicConfig;
}

export function addLogPages(page: AddPage, parts: LogPageParts): void {
  const growth = new Growth(parts.log);
  page(LOG_PAGE, async ({ query }) => {
    const { before } = wholeOf('before', query.before);
    const published = await parts.log.published();
    const isOlder = before !== undefined && before > 0 && before < published.size;
    if (isOlder) return olderView(await list(parts, published, before));
    const { url, vkey } = parts.config;
    const [listed, points] = await Promise.all([
      list(parts, published, published.size),
      growth.points(published.size),
    ]);
    return logView({ ...listed, url, vkey, growth: points });
  });
  page(`${LOG_PAGE}/:index`, (request) => entryPageOf(parts, request));
}

/** The entries before `end`. */
async function list(
  { log, catalogue, config }: LogPageParts,
  published: Published,
  end: number,
): Promise<LogListed> {
  const start = Math.max(0, end - ENTRIES_A_PAGE);
  const entries = start === end ? [] : await log.entries(start, end);
  return {
    origin: config.origin,
    published,
    entries: readEntries(catalogue, start, entries).reverse(),
    next: start > 0 ? start : undefined,
  };
}

async function entryPageOf(parts: LogPageParts, { params }: Request): Promise<Page> {
  const { log, catalogue, config } = parts;
  const { index } = wholeOf('index', params.index);
  if (index === undefined) throw new CodedError('not-found', 'an entry is named by a whole number');
  // The proof names its own checkpoint, so all of the page is of one tree.
  const [bytes, proof] = await Promise.all([log.entry(index), log.tlogProof(index)]);
  const [logged] = readEntries(catalogue, index, [bytes]);
  const path = proofPath(nodeHost, bytes, proof);
  return entryView({ origin: config.origin, url: config.url, logged: logged!, proof, path });
}
