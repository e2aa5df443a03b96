/** Releases that were made from a model, as their publishers say. */

import type { Base } from '../../../core/release/claims.ts';
import { formatModel, type Model, type ReleaseName } from '../../../core/release/name.ts';
import { HOME, modelPage, releasePage } from '../addresses.ts';
import { type Html, html } from '../html.ts';

export interface Descendant {
  /** The newest release of its model. */
  readonly release: ReleaseName;
  readonly relation: Base['relation'];
  /** The release that it names as its base. */
  readonly from: ReleaseName;
}

const MADE: readonly (readonly [relation: Base['relation'], title: string])[] = [
  ['finetune', 'Fine-tuned'],
  ['adapter', 'Adapters'],
  ['quantized', 'Quantised'],
  ['merge', 'Merged with others'],
];

/** Nothing where nothing was; `more` when there may be others than these. */
export function family(
  model: Model,
  descendants: readonly Descendant[],
  more: boolean,
): Html | undefined {
  if (descendants.length === 0) return undefined;
  const search = new URLSearchParams({ q: `base_model:${formatModel(model)}` });
  return html`
<h2>Made from it</h2>
<p class="small">As their publishers say; that the release they name had been published, the registry checked.</p>
<dl class="facts">${MADE.map(([relation, title]) => {
    const theirs = descendants.filter((each) => each.relation === relation);
    return (
      theirs.length > 0 &&
      html`<div><dt>${title}</dt><dd><ul class="plain">${theirs.map(one)}</ul></dd></div>`
    );
  })}</dl>
${more && html`<p class="more"><a href="${HOME}?${search.toString()}">All that name it</a></p>`}`;
}

function one({ release, from }: Descendant): Html {
  return html`<li><a href="${modelPage(release)}">${formatModel(release)}</a> <a class="version" href="${releasePage(release)}">${release.version}</a> <span class="small">from ${from.version}</span></li>`;
}
