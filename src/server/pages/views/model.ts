/** A model: its card, its newest release, all its versions, and its history. */
import { formatCount } from '../../../core/amounts.ts';
import {
  formatModel,
  formatReleaseName,
  type Model,
  type Namespace,
} from '../../../core/release/name.ts';
import type { CatalogueEvent, CatalogueRelease } from '../../../index/catalogue.ts';
import { modelPage, namespacePage, releasePage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { advisories, bytes, day, digest, lookAlikeNotice, standing } from '../pieces.ts';
import { type Descendant, family } from './family.ts';
import { getIt, type ToGet } from './get-it.ts';
import { type ReleaseShown, releaseFacts } from './release.ts';
import { timeline } from './timeline.ts';

export interface ModelShown {
  readonly model: Model;
  /** Newest first. */
  readonly releases: readonly CatalogueRelease[];
  /** What is shown of the newest release that is not recalled; undefined when all are. */
  readonly newest: ReleaseShown | undefined;
  readonly card: Html | undefined;
  readonly toGet: ToGet | undefined;
  readonly events: readonly CatalogueEvent[];
  /** A namespace that was there first, and that its own looks like. */
  readonly lookAlike: Namespace | undefined;
  /** Releases that name it as what they were made from, and whether there may be more. */
  readonly descendants: readonly Descendant[];
  readonly moreDescendants: boolean;
}

export function modelView(shown: ModelShown): Page {
  const { model, releases, newest, card, toGet, events } = shown;
  const name = formatModel(model);
  return {
    title: name,
    description: `${name}: ${formatCount(releases.length, 'release')}, with what was decided before each, in a public log.`,
    path: modelPage(model),
    body: html`
<nav class="path" aria-label="Where this is"><a href="${namespacePage(model.namespace)}">${model.namespace}</a> / <a href="${modelPage(model)}">${model.name}</a></nav>
<h1>${model.name}</h1>
${lookAlikeNotice(model.namespace, shown.lookAlike)}
${
  newest === undefined
    ? html`<div class="notice recalled"><p><strong>Every release was recalled.</strong> Read why below; nothing here is to be used.</p></div>`
    : html`<h2>Newest: <a href="${releasePage(newest.published.release)}">${newest.published.release.version}</a></h2>
${advisories(newest.advisories)}
${releaseFacts(newest)}
<p><a class="button" href="${releasePage(newest.published.release)}">Why ${formatReleaseName(newest.published.release)} can be believed</a></p>`
}
${toGet && html`<h2>Get it</h2>${getIt(toGet)}`}
${card && html`<section class="card" aria-label="Model card">${card}</section>`}
<h2>Versions</h2>
${versions(releases, newest)}
${family(model, shown.descendants, shown.moreDescendants)}
<h2>History</h2>
${timeline(events)}`,
  };
}

function versions(releases: readonly CatalogueRelease[], newest: ReleaseShown | undefined): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Versions"><table><thead><tr><th>Version</th><th>Published</th><th class="figure">Size</th><th>Digest</th></tr></thead><tbody>${releases.map(
    ({ release, time, size, digest: of, advisories: said }) => html`
<tr><td><a href="${releasePage(release)}">${release.version}</a> ${standing(said, of === newest?.published.digest)}</td><td>${day(time)}</td><td class="figure">${bytes(size)}</td><td>${digest(of)}</td></tr>`,
  )}</tbody></table></div>`;
}
