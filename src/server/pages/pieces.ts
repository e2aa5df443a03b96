/** What pages show again and again: digests, times, sizes, commands. */
import { formatBytes, formatWait } from '../../core/amounts.ts';
import type { Namespace } from '../../core/release/name.ts';
import type { Restriction } from '../../core/release/readers.ts';
import type { CatalogueAdvisory } from '../../index/catalogue.ts';
import { ADVISORIES_PAGE, advisoryPage, entryPage, feedsOf, namespacePage } from './addresses.ts';
import { type Html, html } from './html.ts';

/** Hex digits that are shown at each end of a digest. */
const ENDS = 8;

/** A digest, short to look at and whole to copy: its middle is there, and too narrow to be seen. */
export function digest(text: string): Html {
  const [algorithm, hex = ''] = text.split(':');
  return html`<code class="digest" title="${text}">${algorithm}:${hex.slice(0, ENDS)}<span class="middle">${hex.slice(ENDS, -ENDS)}</span>${hex.slice(-ENDS)}</code>`;
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
const MINUTE = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** The day of an instant; the instant for programs. */
export function day(instant: string): Html {
  return html`<time datetime="${instant}">${DAY.format(Date.parse(instant))}</time>`;
}

/** An instant to the minute, in UTC. */
export function moment(instant: string): Html {
  return html`<time datetime="${instant}">${MINUTE.format(Date.parse(instant))} UTC</time>`;
}

/**
 * An instant to come, and how long that is from `now`, in milliseconds since 1970. A page's script
 * keeps the second current (`browser/decide/countdown.ts`); nobody is told each time that it changes.
 */
export function countdown(instant: string, now: number): Html {
  const left = Date.parse(instant) - now;
  const words = left > 0 ? `in ${formatWait(left)}` : 'now';
  return html`${moment(instant)}, <span data-until="${instant}">${words}</span>`;
}

/** How instants are told apart on an axis that is so many milliseconds long. */
export function instantFormat(milliseconds: number): (at: number) => string {
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const date = { day: 'numeric', month: 'short' } as const;
  const hours = milliseconds / 3_600_000;
  const shown =
    hours < 1
      ? { ...time, second: '2-digit' as const }
      : hours < 72
        ? { ...date, ...time }
        : { ...date, year: 'numeric' as const };
  const format = new Intl.DateTimeFormat('en-GB', { ...shown, timeZone: 'UTC' });
  return (at) => format.format(at);
}

/** Digests and instants in a sentence of ours. */
const MARKED = /(sha256:[0-9a-f]{64}|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z)/;

/**
 * A sentence, with the digests and instants in it as a page shows them. It stands by itself: what
 * turns the direction of writing in it turns nothing beside it.
 */
export function sentence(text: string): Html {
  const parts = text.split(MARKED);
  return html`<bdi>${parts.map((part, i) => {
    if (i % 2 === 0) return part;
    return part.startsWith('sha256:') ? digest(part) : moment(part);
  })}</bdi>`;
}

/** Bytes, as people read them; the exact number for who looks closer. */
export function bytes(count: number): Html {
  return html`<data value="${count}" title="${COUNT.format(count)} bytes">${formatBytes(count)}</data>`;
}

const COUNT = new Intl.NumberFormat('en-GB');

/** `1234567` → `1,234,567`. */
export function number(count: number): string {
  return COUNT.format(count);
}

/** A link to an entry of the log. */
export function entry(index: number): Html {
  return html`<a class="entry" href="${entryPage(index)}">entry ${number(index)}</a>`;
}

/** A command to type. */
export function command(text: string): Html {
  return html`<pre class="command" data-copy tabindex="0"><code>${text}</code></pre>`;
}

/** A text as it is, on lines of its own; the keyboard can scroll it. */
export function verbatim(label: string, text: string): Html {
  return html`<pre tabindex="0" role="group" aria-label="${label}"><code>${text}</code></pre>`;
}

/** Name and value, one under the other. */
export function facts(
  rows: readonly (readonly [name: string, value: Html | string] | undefined)[],
): Html {
  return html`<dl class="facts">${rows.map((row) => row && html`<div><dt>${row[0]}</dt><dd>${row[1]}</dd></div>`)}</dl>`;
}

/** A longer text, with its lines where its writer broke them. */
export function paragraphs(text: string): Html {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return html`${lines.map((line) => html`<p>${line}</p>`)}`;
}

/** What is said of a release since it was published; the gravest decides how it looks. */
export function advisories(said: readonly CatalogueAdvisory[]): Html | undefined {
  if (said.length === 0) return undefined;
  return html`<section class="advisories" aria-label="Advisories">${said.map(
    ({ kind, summary, time, index }) => html`
  <div class="notice ${kind}"><p><strong>${ADVISORY_WORDS[kind]}</strong> ${summary}</p>
  <p class="small">${moment(time)}, ${entry(index)} of the log, <a href="${advisoryPage(index)}">signed by the namespace</a></p></div>`,
  )}</section>`;
}

export const ADVISORY_WORDS: Readonly<Record<CatalogueAdvisory['kind'], string>> = {
  recalled: 'Recalled.',
  superseded: 'Superseded.',
  security: 'Security advisory.',
  license: 'Licence advisory.',
  quality: 'Quality advisory.',
};

/** Where to be told of news. */
export function follow(of: Namespace | 'all'): Html {
  const [atom, json] = feedsOf(of);
  return html`<p class="small">News as a feed: <a href="${atom!.path}">Atom</a> or <a href="${json!.path}">JSON Feed</a>. What was said of releases since: <a href="${ADVISORIES_PAGE}">advisories</a>.</p>`;
}

/** In one word, how a release stands. */
export function standing(said: readonly CatalogueAdvisory[], isNewest: boolean): Html {
  const kinds = new Set(said.map(({ kind }) => kind));
  if (kinds.has('recalled')) return html`<span class="badge recalled">recalled</span>`;
  if (kinds.has('superseded')) return html`<span class="badge superseded">superseded</span>`;
  return isNewest ? html`<span class="badge">newest</span>` : html``;
}

/** Tells a namespace apart from the one that was there first, and that it looks like. */
export function lookAlikeNotice(own: Namespace, other: Namespace | undefined): Html | undefined {
  if (other === undefined) return undefined;
  return html`<div class="notice"><p><strong>This is not <a href="${namespacePage(other)}">${other}</a>.</strong> The namespace ${own} looks much like it, and came later. The operator of the registry let it begin all the same; whether both belong to the same people, the registry does not say.</p></div>`;
}

/** For whom bytes are that are not everybody's. */
export function readersOf(namespace: Namespace, { terms }: Restriction): Html {
  const accepted =
    terms &&
    html`, who have accepted <a href="${terms.url}" rel="noopener noreferrer nofollow">${terms.name}</a>`;
  return html`holders of a token with the role reader in ${namespace}${accepted}`;
}
