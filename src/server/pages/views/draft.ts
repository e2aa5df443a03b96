/**
 * A draft, for the people of its namespace: what is sealed, what the gate still lacks and whom it
 * waits for, and what was decided, with the reports that it rests on. Deciding itself is done by a script, which signs with a key that
 * does not leave the reader's browser.
 */

import { formatBytes } from '../../../core/amounts.ts';
import { formatReleaseName } from '../../../core/release/name.ts';
import { isGated } from '../../../core/release/requirements.ts';
import { PUBLISHING } from '../../../core/release/roles.ts';
import type { Caller, DraftStatus } from '../../../registry/registry.ts';
import {
  DRAFTS_PAGE,
  draftPage,
  draftReportPath,
  PAGE_TOKEN,
  releasePage,
  withdrawPath,
} from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { digest, entry, facts } from '../pieces.ts';
import { type DecisionShown, decisionTable } from './decisions.ts';
import { type GateShown, missingView } from './draft-gate.ts';
import { STATE_WORDS } from './drafts.ts';

export interface DraftShown extends GateShown {
  /** The policies' origin: the registry. */
  readonly origin: string;
  /** The reader's, which the registry asks for again when something is done. */
  readonly roles: Caller['roles'];
}

export function draftView(shown: DraftShown): Page {
  const { status, policy, origin, now } = shown;
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
${outcome(shown)}
${
  sealed !== undefined &&
  state === 'sealed' &&
  html`
<section id="decide" data-reference="${reference}" data-digest="${sealed}" data-revision="${revision}" data-origin="${origin}" data-token="${PAGE_TOKEN}" data-now="${now}">
<h2>Decide</h2>
<p class="no-script">What you decide is signed in your browser, which takes JavaScript. Without it, decide on the command line: <code>weighhouse approve ${reference} --digest ${sealed}</code>.</p>
</section>`
}
${status.decisions.length > 0 && html`<h2>What was decided</h2>${decisionTable(decisionsOf(shown), policy, (report) => draftReportPath(release, report))}`}
${givingUp(shown)}`,
  };
}

/** The decisions, with what evaluators rest theirs on. */
function decisionsOf({ status, statements }: DraftShown): DecisionShown[] {
  return status.decisions.map((each) => {
    const said = statements.get(each.digest);
    return said?.decision === 'evaluate' ? { ...each, evaluation: said } : each;
  });
}

function sealing({ seal }: DraftStatus): [string, Html | string] | undefined {
  if (seal === undefined) return undefined;
  if (!seal.running) return ['Seal', html`failed: ${seal.error.message}`];
  return ['Seal', `${formatBytes(seal.bytes)} of ${formatBytes(seal.total)} read`];
}

/** What comes next: nothing, what is missing, or the publish. */
function outcome(shown: DraftShown): Html {
  const { state, missing, release, digest: sealed } = shown.status;
  if (state === 'published') {
    return html`<p>It is <a href="${releasePage(release)}">published</a>.</p>`;
  }
  if (state === 'withdrawn')
    return html`<p>It is given up: nothing is published under this name.</p>`;
  if (missing.length > 0) return missingView(shown);
  return html`<h2>Nothing is missing</h2>
<p>Whoever may, publishes it now; that cannot be undone. <code>weighhouse publish ${formatReleaseName(release)} --digest ${sealed}</code></p>`;
}

/**
 * Gives it up without anybody's signature, as `weighhouse withdraw` does with a token: only where
 * nobody was asked to decide about it. What people were asked about, one of them signs.
 */
function givingUp({ status, policy, roles }: DraftShown): Html | false {
  const { release, state, former } = status;
  const isAsked = isGated(policy.gate) && (state === 'sealed' || former.length > 0);
  const isOpen = state === 'draft' || state === 'sealed';
  if (!isOpen || isAsked || !PUBLISHING.some((role) => roles.includes(role))) return false;
  return html`<details><summary>Give it up</summary>
<form method="post" action="${withdrawPath(release)}">
<p>Nothing is ever published as ${release.name} ${release.version} then, and nobody takes that back. The same files may be pushed again as another version.</p>
<p><label><input type="checkbox" name="sure" value="yes" required> Give up ${release.name} ${release.version} for good</label></p>
<p><button type="submit">Withdraw</button></p>
</form></details>`;
}
