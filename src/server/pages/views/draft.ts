/**
 * A draft, for the people of its namespace: what is sealed, what the gate still lacks and whom it
 * waits for, and what was decided. Deciding itself is done by a script, which signs with a key that
 * does not leave the reader's browser.
 */

import { formatBytes } from '../../../core/amounts.ts';
import type { Missing } from '../../../core/release/missing.ts';
import { formatReleaseName } from '../../../core/release/name.ts';
import type { Policy } from '../../../core/release/policy.ts';
import { isGated } from '../../../core/release/requirements.ts';
import type { DraftStatus } from '../../../registry/registry.ts';
import { DRAFTS_PAGE, draftPage, PAGE_TOKEN, releasePage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { digest, entry, facts, sentence } from '../pieces.ts';
import { decisionTable } from './decisions.ts';
import { STATE_WORDS } from './drafts.ts';

export interface DraftShown {
  readonly status: DraftStatus;
  readonly policy: Policy;
  /** The policies' origin: the registry. */
  readonly origin: string;
}

export function draftView({ status, policy, origin }: DraftShown): Page {
  const { release, state, digest: sealed, revision, policyIndex, former } = status;
  const reference = formatReleaseName(release);
  return {
    title: `Draft ${reference}`,
    description: 'A release that is not published yet.',
    path: draftPage(release),
    unlisted: true,
    scripts: ['draft.js'],
    body: html`
<nav class="path" aria-label="Where this is"><a href="${DRAFTS_PAGE}?namespace=${release.namespace}">Drafts of ${release.namespace}</a> / ${release.name} / ${release.version}</nav>
<h1>${release.name} <span class="version">${release.version}</span> <span class="badge">${STATE_WORDS[state]}</span></h1>
${facts([
  ['Digest', sealed === undefined ? 'nothing is sealed' : digest(sealed)],
  [
    'Revision',
    former.length === 0
      ? `${revision}`
      : `${revision}: what was decided on an earlier one is void, but for what stops these bytes`,
  ],
  ['Policy', html`version ${policy.version}, ${entry(policyIndex)} of the log`],
  sealing(status),
])}
${outcome(status, policy)}
${
  sealed !== undefined &&
  state === 'sealed' &&
  html`
<section id="decide" data-reference="${reference}" data-digest="${sealed}" data-revision="${revision}" data-origin="${origin}" data-token="${PAGE_TOKEN}">
<h2>Decide</h2>
<p class="no-script">What you decide is signed in your browser, which takes JavaScript. Without it, decide on the command line: <code>weighhouse approve ${reference} --digest ${sealed}</code>.</p>
</section>`
}
${status.decisions.length > 0 && html`<h2>What was decided</h2>${decisionTable(status.decisions, policy)}`}`,
  };
}

function sealing({ seal }: DraftStatus): [string, Html | string] | undefined {
  if (seal === undefined) return undefined;
  if (!seal.running) return ['Seal', html`failed: ${seal.error.message}`];
  return ['Seal', `${formatBytes(seal.bytes)} of ${formatBytes(seal.total)} read`];
}

/** What comes next: nothing, what is missing, or the publish. */
function outcome({ state, missing, release, digest: sealed }: DraftStatus, policy: Policy): Html {
  if (state === 'published') {
    return html`<p>It is <a href="${releasePage(release)}">published</a>.</p>`;
  }
  if (state === 'withdrawn')
    return html`<p>It is given up: nothing is published under this name.</p>`;
  if (missing.length === 0) {
    return html`<h2>Nothing is missing</h2>
<p>Whoever may, publishes it now; that cannot be undone. <code>weighhouse publish ${formatReleaseName(release)} --digest ${sealed}</code></p>`;
  }
  return html`<h2>What is still missing</h2>
${isGated(policy.gate) && html`<p>Nothing is published before all of this is met:</p>`}
<ul class="missing">${missing.map(lacking)}</ul>`;
}

/** What would satisfy it: a command to type, or an instant to wait for. */
function next(satisfiedBy: string): Html {
  if (satisfiedBy.startsWith('weighhouse ')) return html`<code>${satisfiedBy}</code>`;
  return html`met from ${sentence(satisfiedBy)} on`;
}

function lacking({ message, waitsFor, satisfiedBy, passedOver = [] }: Missing): Html {
  return html`<li><strong>${sentence(message)}</strong>
${waitsFor.length > 0 && html`<span class="small">waits for ${waitsFor.join(', ')}</span>`}
${satisfiedBy !== '' && html`<span class="small">${next(satisfiedBy)}</span>`}
${passedOver.map(({ person, reason, index }) => html`<span class="small">${person}’s (${entry(index)}) does not count: ${reason}</span>`)}</li>`;
}
