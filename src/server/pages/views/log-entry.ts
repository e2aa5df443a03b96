/** One entry of the log: what it says, that the log has it, and its exact bytes. */
import { formatBase64, parseUtf8 } from '../../../core/bytes.ts';
import { formatDigest } from '../../../core/digest.ts';
import { formatTilePath, TILE_WIDTH, tileWidth } from '../../../core/log/tile.ts';
import { entryPage, LOG_PAGE } from '../addresses.ts';
import { entryFacts } from '../entry-facts.ts';
import { entryTitle, entryWords } from '../entry-words.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { kindOf, type LoggedEntry, textOfEntry, timeOf } from '../log-entries.ts';
import { bytes, command, digest, facts, moment, number, verbatim } from '../pieces.ts';
import type { ProofPath } from '../proof-path.ts';
import { proofList, proofPicture } from './proof-path.ts';

export interface EntryShown {
  readonly origin: string;
  readonly url: string;
  readonly logged: LoggedEntry;
  /** Its `.tlog-proof`, and the way that this shows. */
  readonly proof: Uint8Array;
  readonly path: ProofPath;
}

export function entryView(shown: EntryShown): Page {
  const { logged, path, origin } = shown;
  const { index } = logged;
  const title = `Entry ${number(index)}`;
  const time = timeOf(logged);
  return {
    title: `${title}: ${entryTitle(logged)}`,
    description: `${title} of the public log of ${origin}: ${entryTitle(logged)}, with the proof that the log has it.`,
    path: entryPage(index),
    body: html`
<nav class="path" aria-label="Where this is"><a href="${LOG_PAGE}">The log</a> / ${title}</nav>
<h1>${title} <span class="version">${entryTitle(logged)}</span></h1>
<p class="lead">${entryWords(logged)}</p>
${facts([
  ['Kind', kindOf(logged)],
  time === undefined ? undefined : ['Logged', moment(time)],
  ...entryFacts(logged),
])}
${neighbours(index, path.size)}
<h2>That the log has it</h2>
${proved(path)}
${proofPicture(path)}
<details><summary>Every hash of the way</summary>${proofList(path)}</details>
<details><summary>The proof as a file</summary>${verbatim('Proof', parseUtf8(shown.proof))}<p class="small">A C2SP tlog-proof, for whoever checks without asking this server again.</p></details>
<h2>Its bytes</h2>
${exactBytes(shown)}`,
  };
}

function proved({ leaf, steps, size }: ProofPath): Html {
  return html`<p>The leaf hash of the bytes below is ${digest(formatDigest(leaf.hash))}. Hashed with ${steps.length === 1 ? 'one other' : `${number(steps.length)} others`}, it leads to the root that the checkpoint of ${number(size)} entries signs. Were one bit of the entry another, it would not.</p>`;
}

function neighbours(index: number, size: number): Html {
  return html`<nav class="pages" aria-label="Entries">${index > 0 && html`<a href="${entryPage(index - 1)}" rel="prev">Entry ${number(index - 1)}</a>`} ${index + 1 < size && html`<a href="${entryPage(index + 1)}" rel="next">Entry ${number(index + 1)}</a>`}</nav>`;
}

function exactBytes({ url, logged, path }: EntryShown): Html {
  const { index } = logged;
  const bundle = Math.floor(index / TILE_WIDTH);
  const width = tileWidth('entries', bundle, path.size);
  const file = formatTilePath({ level: 'entries', index: bundle, width });
  return html`${verbatim('Entry', legible(logged.bytes))}
<p class="small">${bytes(logged.bytes.length)}, set on lines to be read. Exactly as hashed, it is number ${index % TILE_WIDTH} of the bundle <a href="/log/${file}">${file}</a>; or:</p>
${command(`weighhouse log entry ${index} --url ${url}`)}`;
}

/** JSON on lines; what is none as it is, and what is no text in base64. */
function legible(entry: Uint8Array): string {
  const text = textOfEntry(entry);
  if (text === undefined) return formatBase64(entry);
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
