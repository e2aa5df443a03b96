/** The drafts of a namespace, for its people. */
import type { Namespace } from '../../../core/release/name.ts';
import type { ListedDraft } from '../../../registry/draft-list.ts';
import { DEVICE_PAGE, DRAFTS_PAGE, draftPage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { digest } from '../pieces.ts';

export const STATE_WORDS = {
  draft: 'being pushed',
  sealed: 'sealed',
  publishing: 'being published',
  published: 'published',
  withdrawn: 'withdrawn',
} as const;

export interface DraftsShown {
  /** Undefined where somebody may see all, and has named none. */
  readonly namespace: Namespace | undefined;
  readonly drafts: readonly ListedDraft[];
}

export function draftsView({ namespace, drafts }: DraftsShown): Page {
  return {
    title: 'Drafts',
    description: 'What is not released yet.',
    path: DRAFTS_PAGE,
    unlisted: true,
    body: html`
<h1>Drafts${namespace !== undefined && html` of ${namespace}`}</h1>
${namespace === undefined ? choose() : table(drafts)}
<p class="small">A machine shows a code and asks to be let in? <a href="${DEVICE_PAGE}">See which one</a>.</p>`,
  };
}

function choose(): Html {
  return html`
<form action="${DRAFTS_PAGE}"><p><label>Namespace <input name="namespace" required></label> <button>Show</button></p></form>`;
}

function table(drafts: readonly ListedDraft[]): Html {
  if (drafts.length === 0) {
    return html`<p class="empty">Nothing is on its way to a release. “weighhouse push DIR REF” begins a draft.</p>`;
  }
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Drafts"><table><thead><tr><th>Draft</th><th>State</th><th class="figure">Revision</th><th>Digest</th></tr></thead><tbody>${drafts.map(
    ({ release, state, revision, digest: of }) => html`
<tr><td><a href="${draftPage(release)}">${release.name} ${release.version}</a></td><td>${STATE_WORDS[state]}</td><td class="figure">${revision}</td><td>${of && digest(of)}</td></tr>`,
  )}</tbody></table></div>`;
}
