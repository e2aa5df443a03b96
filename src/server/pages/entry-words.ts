/** Entries of the log in words. Names and summaries in them are their writers'; the rest is ours. */
import { formatCount } from '../../core/amounts.ts';
import type { Entry, EntryOf } from '../../core/log/entry.ts';
import { parseNamespace } from '../../core/release/name.ts';
import { WELL_KNOWN_PATH } from '../well-known.ts';
import { namespacePage, releasePageOf } from './addresses.ts';
import { type Html, html } from './html.ts';
import { kindOf, type LoggedEntry } from './log-entries.ts';
import { entry as entryLink, moment, number, sentence } from './pieces.ts';

/** The kinds of entries, as the title of one. */
const TITLES: Readonly<Record<string, string>> = {
  namespace: 'A namespace begins',
  policy: 'A policy',
  release: 'A release',
  hashedrekord: 'The record of a signature',
  advisory: 'An advisory',
  commitment: 'A commitment',
  void: 'A void',
  announcement: 'An announcement',
  heads: 'The state of all namespaces',
  root: 'A trust root',
  unreadable: 'Bytes that are no entry',
};

/** What kind of entry it is. */
export function entryTitle(logged: LoggedEntry): string {
  return TITLES[kindOf(logged)] ?? `An entry of the kind “${kindOf(logged)}”`;
}

/** What it says, in one sentence. */
export function entryWords(logged: LoggedEntry): Html {
  const { parsed, index, event } = logged;
  if (parsed === undefined) return html`No reader accepts these bytes; an audit reports them.`;
  if (parsed.known) return wordsOf(parsed.entry, event?.text);
  if (parsed.kind === 'hashedrekord') return recordWords(index);
  return html`This server does not know what that means; it is kept, and newer programs may.`;
}

/** A release is followed by the record of its signature. */
function recordWords(index: number): Html {
  const of = index === 0 ? undefined : html`, of the release in ${entryLink(index - 1)}`;
  return html`The signature over the model, as Sigstore’s tools look for it${of}.`;
}

/** `revealed`: what a published release has said of a commitment. */
function wordsOf(entry: Entry, revealed: string | undefined): Html {
  switch (entry.kind) {
    case 'namespace':
      return html`The namespace ${namespaceLink(entry.namespace)} began, with its first policy.`;
    case 'policy':
      return html`${namespaceLink(entry.namespace)} has a new policy.`;
    case 'release':
      return html`${releaseLink(entry.release)} was published.`;
    case 'advisory':
      return html`${releaseLink(entry.release)}: <strong>${entry.advisory}</strong>. ${sentence(entry.summary)}`;
    case 'commitment':
      return revealed === undefined
        ? html`Somebody has decided something about a draft. Who and what stays unknown until a release reveals it.`
        : html`${sentence(revealed)} <span class="small">(blind until the release revealed it)</span>`;
    case 'void':
      return html`The owners of ${namespaceLink(entry.namespace)} have declared that a commitment which nobody opened blocks no release any more.`;
    case 'announcement':
      return announcementWords(entry);
    case 'heads':
      return html`All that is newest in ${formatCount(entry.namespaces, 'namespace')}, under one hash: by it clients find out whether anything is kept from them.`;
    case 'root':
      return html`Version ${number(entry.version)} of the <a href="${rootPath(entry.version)}">trust root</a> is in force.`;
  }
}

/** The release need not be there, now or ever: it is no link. */
function announcementWords({ release, announcement, date }: EntryOf<'announcement'>): Html {
  if (date === null) return html`${release} was postponed until further notice.`;
  return announcement === 'announced'
    ? html`${release} was announced for ${moment(date)}.`
    : html`${release} was postponed to ${moment(date)}.`;
}

export function namespaceLink(namespace: string): Html {
  return html`<a href="${namespacePage(parseNamespace(namespace))}">${namespace}</a>`;
}

/** A link to a release that the log has: only of that is it known that it is there. */
export function releaseLink(reference: string): Html {
  return html`<a href="${releasePageOf(reference)}">${reference}</a>`;
}

export function rootPath(version: number): string {
  return `${WELL_KNOWN_PATH}/root/${version}.json`;
}
