/** What was said of releases after they were published: all of it, and one of it. */
import { ADVISORIES, type AdvisoryKind } from '../../../core/log/entry.ts';
import { formatReleaseName } from '../../../core/release/name.ts';
import type { AdvisedRelease } from '../../../index/catalogue.ts';
import { API_PATH } from '../../api/endpoint.ts';
import { ADVISORIES_PAGE, advisoryPage, releasePage } from '../addresses.ts';
import type { Signatory } from '../advised.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { ADVISORY_WORDS, digest, entry, facts, moment, paragraphs } from '../pieces.ts';

export interface AdvisoriesShown {
  readonly origin: string;
  /** Newest first. */
  readonly advisories: readonly AdvisedRelease[];
  /** The only kind that is shown; undefined for all. */
  readonly kind: AdvisoryKind | undefined;
  readonly next: number | undefined;
}

export function advisoriesView({ origin, advisories, kind, next }: AdvisoriesShown): Page {
  return {
    title: 'Advisories',
    description: `What the namespaces of ${origin} have said of their releases since they were published.`,
    path: listOf(kind),
    ...(kind === undefined ? {} : { unlisted: true }),
    body: html`
<h1>Advisories</h1>
<p class="lead">Bytes that are published cannot be called back. What a namespace has to say of them afterwards it signs, and the log keeps it for good. Clients stop at a release that is recalled.</p>
${kinds(kind)}
${advisories.length === 0 ? html`<p class="empty">There is no ${kind === undefined ? 'advisory' : 'advisory of this kind'}.</p>` : advisories.map(notice)}
${next !== undefined && html`<p class="more"><a href="${listOf(kind, next)}" rel="next">Older advisories</a></p>`}`,
  };
}

export interface AdvisoryShown {
  readonly advisory: AdvisedRelease;
  /** Undefined where no key of the namespace fits. */
  readonly signatory: Signatory | undefined;
  /** Whatever else was said of the same release. */
  readonly others: readonly AdvisedRelease[];
}

export function advisoryView({ advisory, signatory, others }: AdvisoryShown): Page {
  const { index, kind, summary, time, release } = advisory;
  const reference = formatReleaseName(release);
  return {
    title: `${titleOf(kind)}: ${reference}`,
    description: firstLine(summary),
    path: advisoryPage(index),
    body: html`
<nav class="path" aria-label="Where this is"><a href="${ADVISORIES_PAGE}">Advisories</a> / ${index}</nav>
<h1>${titleOf(kind)} <span class="version">${reference}</span></h1>
<div class="notice ${kind}">${paragraphs(summary)}</div>
<p>${MEANINGS[kind]}</p>
${facts([
  ['Release', html`<a href="${releasePage(release)}">${reference}</a>`],
  ['Digest', digest(advisory.digest)],
  ['Said', moment(time)],
  ['Signed by', signedBy(signatory, release.namespace)],
  ['Proof', html`${entry(index)} of the log, with the way to the signed root`],
  ['As it was signed', html`<a href="${API_PATH}/advisories/${index}">the DSSE envelope</a>`],
])}
${others.length > 0 && html`<h2>Also said of this release</h2>${others.map(notice)}`}`,
  };
}

const KINDS: Readonly<Record<AdvisoryKind, string>> = {
  recalled: 'Recalled',
  superseded: 'Superseded',
  security: 'Security',
  license: 'Licence',
  quality: 'Quality',
};

/** What follows from each kind. */
const MEANINGS: Readonly<Record<AdvisoryKind, string>> = {
  recalled:
    'Do not use these bytes. A client refuses to pull a release that is recalled unless it is told to all the same.',
  superseded: 'Another release is to be used in place of this one.',
  security: 'This is a warning: clients show it and go on.',
  license: 'This is a warning about the licence: clients show it and go on.',
  quality: 'This is a warning about quality: clients show it and go on.',
};

/** `Recalled`, `Security advisory` */
function titleOf(kind: AdvisoryKind): string {
  return ADVISORY_WORDS[kind].replace('.', '');
}

function signedBy(signatory: Signatory | undefined, namespace: string): Html {
  if (signatory === undefined) {
    return html`by no key that ${namespace} had then: have the log audited`;
  }
  const { name, role } = signatory;
  return html`${name} of ${namespace}${role !== undefined && html`, as ${role}`}; this server has checked the signature`;
}

function notice(advisory: AdvisedRelease): Html {
  const { index, kind, summary, time, release } = advisory;
  return html`
<article class="notice ${kind}"><p><strong>${ADVISORY_WORDS[kind]}</strong> <a href="${releasePage(release)}">${formatReleaseName(release)}</a></p>
${paragraphs(summary)}
<p class="small">${moment(time)}, ${entry(index)} of the log · <a href="${advisoryPage(index)}">who signed it<span class="unseen">, advisory ${index}</span></a></p></article>`;
}

function kinds(shown: AdvisoryKind | undefined): Html {
  const link = (kind: AdvisoryKind | undefined, text: string) =>
    html`<a href="${listOf(kind)}"${kind === shown && html` aria-current="page"`}>${text}</a>`;
  return html`<nav class="kinds" aria-label="Kinds">${link(undefined, 'All')} ${ADVISORIES.map((kind) => html`${link(kind, KINDS[kind])} `)}</nav>`;
}

function listOf(kind: AdvisoryKind | undefined, before?: number): string {
  const query = new URLSearchParams({
    ...(kind === undefined ? {} : { kind }),
    ...(before === undefined ? {} : { before: String(before) }),
  }).toString();
  return query === '' ? ADVISORIES_PAGE : `${ADVISORIES_PAGE}?${query}`;
}

/** Characters of a description. */
const MAX_DESCRIPTION = 200;

function firstLine(summary: string): string {
  const [line = ''] = summary.split('\n');
  return line.length <= MAX_DESCRIPTION ? line : `${line.slice(0, MAX_DESCRIPTION - 1)}…`;
}
