/** The first page: what was released, newest first, or what a search has found. */
import { formatCount } from '../../../core/amounts.ts';
import { formatModel } from '../../../core/release/name.ts';
import type { CatalogueRelease } from '../../../index/catalogue.ts';
import { feedsOf, HOME, LOG_PAGE, modelPage, releasePage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { bytes, day, follow, number, standing } from '../pieces.ts';

export interface Home {
  readonly origin: string;
  readonly models: readonly CatalogueRelease[];
  /** Entries of the log. */
  readonly size: number;
  /** What was searched for; '' for nothing. */
  readonly query: string;
  /** Where the next page begins. */
  readonly next: number | undefined;
}

export function homeView({ origin, models, size, query, next }: Home): Page {
  const isSearch = query !== '';
  const title = isSearch ? `“${query}”` : 'Released models';
  return {
    title,
    description: `Model weights released at ${origin}: checked byte by byte, signed, and recorded in a public log.`,
    path: HOME,
    query,
    feeds: feedsOf('all'),
    ...(isSearch ? { unlisted: true } : {}),
    body: html`
${
  isSearch
    ? html`<h1>Models for ${title}</h1>`
    : html`<h1>Released models</h1>
<p class="lead">Weights that were checked byte by byte, signed, and entered in a <a href="${LOG_PAGE}">public log of ${number(size)} entries</a> before anybody could download them. Each page proves itself in your own browser.</p>`
}
${models.length === 0 ? nothing(isSearch) : list(models)}
${next !== undefined && html`<p class="more"><a href="${HOME}?${new URLSearchParams({ ...(isSearch ? { q: query } : {}), before: String(next) }).toString()}" rel="next">Older releases</a></p>`}
${isSearch ? undefined : follow('all')}`,
  };
}

/** The newest release of each of some models. */
export function list(models: readonly CatalogueRelease[]): Html {
  return html`<ul class="models">${models.map(
    ({ release, time, size, files, advisories }) => html`
<li><a class="model" href="${modelPage(release)}">${formatModel(release)}</a> <a class="version" href="${releasePage(release)}">${release.version}</a> ${standing(advisories, false)}
<span class="small">${day(time)} · ${bytes(size)} in ${formatCount(files, 'file')}</span></li>`,
  )}</ul>`;
}

function nothing(isSearch: boolean): Html {
  return isSearch
    ? html`<p class="empty">Nothing was found. Search looks for words in names, versions, file paths, formats and digests; the beginning of a word is enough.</p>`
    : html`<p class="empty">Nothing has been released here yet. A release appears the moment it is in the log, and never before.</p>`;
}
