/** The log: what its checkpoint says, how to audit it, how it grew, and its entries, newest first. */
import { parseUtf8 } from '../../../core/bytes.ts';
import { formatDigest } from '../../../core/digest.ts';
import { cosignatureTime } from '../../../core/note/cosignature.ts';
import { parseNote } from '../../../core/note/note.ts';
import type { Published } from '../../../log/reader.ts';
import { entryPage, LOG_PAGE } from '../addresses.ts';
import { entryTitle, entryWords } from '../entry-words.ts';
import type { GrowthPoint } from '../growth.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { kindOf, type LoggedEntry, timeOf } from '../log-entries.ts';
import { command, digest, entry, facts, moment, number, verbatim } from '../pieces.ts';
import { growthChart } from './growth.ts';

/** What stands on every page of the log's list. */
export interface LogListed {
  readonly origin: string;
  readonly published: Published;
  /** Newest first. */
  readonly entries: readonly LoggedEntry[];
  /** Entries before this one stand on the next page; undefined for none. */
  readonly next: number | undefined;
}

export interface LogShown extends LogListed {
  /** How people reach the registry. */
  readonly url: string;
  /** The log's verifier key. */
  readonly vkey: string;
  readonly growth: readonly GrowthPoint[];
}

export function logView(shown: LogShown): Page {
  const { origin, url, published } = shown;
  return {
    title: 'The log',
    description: `The public log of ${origin}: ${number(published.size)} entries, each release, decision and policy, only ever added to.`,
    path: LOG_PAGE,
    body: html`
<h1>The log</h1>
<p class="lead">Each release, decision, policy and advisory of ${origin} is an entry here. Entries are only ever added: whoever keeps one signed checkpoint can prove that nothing before it was changed.</p>
${checkpointFacts(shown)}
<details><summary>The checkpoint, as it is signed</summary>${verbatim('Checkpoint', parseUtf8(published.note))}<p class="small">A C2SP signed note, also at <a href="/log/checkpoint">/log/checkpoint</a>.</p></details>
<h2>Audit it</h2>
<p>Replays every entry and asks again whether each release met its policy; needs no account, and believes nothing that this server says.</p>
${command(`weighhouse audit ${url} --state audit.json`)}
<p class="small">With <code>--state</code> the next audit goes on from this one, and notices a log that was rewritten. Every other tool for C2SP tlog-tiles can read it, too, at <code>${url}/log/</code>.</p>
<h2>Growth</h2>
${growthChart(shown.growth)}
<h2>Newest entries</h2>
${listed(shown)}`,
  };
}

/** Older entries, on a page of their own. */
export function olderView(shown: LogListed): Page {
  const { origin, entries } = shown;
  const [newest, oldest] = [entries.at(0)!.index, entries.at(-1)!.index];
  const title = `Log entries ${number(oldest)} to ${number(newest)}`;
  return {
    title,
    description: `${title} of the public log of ${origin}.`,
    path: `${LOG_PAGE}?before=${newest + 1}`,
    unlisted: true,
    body: html`
<nav class="path" aria-label="Where this is"><a href="${LOG_PAGE}">The log</a></nav>
<h1>Entries ${number(oldest)} to ${number(newest)}</h1>
${listed(shown)}`,
  };
}

function checkpointFacts({ origin, vkey, published, entries }: LogShown): Html {
  const newest = entries.find((each) => timeOf(each) !== undefined);
  return facts([
    ['Origin', origin],
    ['Entries', number(published.size)],
    ['Root', digest(formatDigest(published.root))],
    newest && ['Newest', html`${moment(timeOf(newest)!)}, ${entry(newest.index)}`],
    ['Signed with', html`<code class="long">${vkey}</code>`],
    ['Witnesses', cosigners(published.note, origin)],
  ]);
}

/** Who has cosigned, as the checkpoint has it; clients check it by the keys of the trust root. */
function cosigners(note: Uint8Array, origin: string): Html {
  const others = parseNote(note).signatures.filter(({ name }) => name !== origin);
  if (others.length === 0)
    return html`none: nobody beside the registry has cosigned this checkpoint`;
  return html`${others.map(({ name, signature }, i) => {
    const seconds = cosignatureTime(signature);
    const time = seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
    return html`${i > 0 && ', '}${name}${time !== undefined && html` at ${moment(time)}`}`;
  })}`;
}

function listed({ entries, next }: LogListed): Html {
  if (entries.length === 0) return html`<p class="empty">Nothing has been logged yet.</p>`;
  return html`<ol class="entries" reversed start="${entries[0]!.index}">${entries.map(line)}</ol>
${next !== undefined && html`<p class="more"><a href="${LOG_PAGE}?before=${next}" rel="next">Older entries</a></p>`}`;
}

function line(logged: LoggedEntry): Html {
  const { index } = logged;
  const time = timeOf(logged);
  // They come by themselves, every few minutes, and all say the same.
  const isUsual = kindOf(logged) === 'heads';
  return html`
<li><a class="index" href="${entryPage(index)}" aria-label="Entry ${number(index)}">${number(index)}</a> <span class="what"><strong>${entryTitle(logged)}</strong>${!isUsual && html` <span>${entryWords(logged)}</span>`}</span> <span class="small">${time !== undefined && moment(time)}</span></li>`;
}
