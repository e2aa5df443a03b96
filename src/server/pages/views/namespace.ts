/** A namespace: its models, and what it asks of a release. */
import type { Namespace } from '../../../core/release/name.ts';
import type { Policy } from '../../../core/release/policy.ts';
import type { CatalogueRelease } from '../../../index/catalogue.ts';
import { feedsOf, namespacePage } from '../addresses.ts';
import { html } from '../html.ts';
import type { Page } from '../layout.ts';
import { entry, facts, follow, lookAlikeNotice, readersOf, sentence } from '../pieces.ts';
import { demandsOf, passkeysOf, peopleOf } from '../policy-words.ts';
import { list } from './home.ts';

export interface NamespaceShown {
  readonly namespace: Namespace;
  /** A namespace that was there first, and that this one looks like. */
  readonly lookAlike: Namespace | undefined;
  readonly models: readonly CatalogueRelease[];
  readonly policy: Policy;
  /** Log index of the policy. */
  readonly policyIndex: number;
  readonly next: number | undefined;
}

export function namespaceView(shown: NamespaceShown): Page {
  const { namespace, models, policy, policyIndex, next } = shown;
  return {
    title: namespace,
    description: `Models released by ${namespace}, and what must be met before it can release one.`,
    path: namespacePage(namespace),
    feeds: feedsOf(namespace),
    body: html`
<h1>${namespace}</h1>
${lookAlikeNotice(namespace, shown.lookAlike)}
<h2>Models</h2>
${models.length === 0 ? html`<p class="empty">Nothing has been released in this namespace yet.</p>` : list(models)}
${next !== undefined && html`<p class="more"><a href="?before=${next}" rel="next">Older releases</a></p>`}
${follow(namespace)}
<h2>What a release needs</h2>
<p>Version ${policy.version} of the policy is in force: ${entry(policyIndex)} of the log, signed by ${policy.owners === 1 ? 'an owner' : `${policy.owners} owners`}. Before a release is public, all of this must be so:</p>
<ul class="demands">${demandsOf(policy).map((demand) => html`<li>${sentence(demand)}</li>`)}</ul>
${
  policy.bytes &&
  html`<h2>Who may download</h2>
<p>The files of its releases are for ${readersOf(namespace, policy.bytes)}. What proves them is public.</p>`
}
<h2>People</h2>
${facts([...peopleOf(policy), ...passkeysOf(policy)])}`,
  };
}
