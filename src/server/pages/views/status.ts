/** How this server stands, by its own word. */
import { formatSeconds } from '../../../core/amounts.ts';
import { formatDigest } from '../../../core/digest.ts';
import { WELL_KNOWN_PATH } from '../../well-known.ts';
import { LOG_PAGE, STATUS_PAGE } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { day, digest, facts, moment, number } from '../pieces.ts';
import { concernsOf, type ScrubPass, type Standing } from '../status-board.ts';

export interface StatusShown {
  readonly origin: string;
  readonly version: string;
  readonly standing: Standing;
}

/** What is said of what could not be found out. */
const UNKNOWN = 'not known: no answer within a second';

export function statusView({ origin, version, standing }: StatusShown): Page {
  const concerns = concernsOf(standing);
  return {
    title: 'Status',
    description: `How the registry ${origin} stands: its log, its witnesses, its store.`,
    path: STATUS_PAGE,
    body: html`
<h1>Status</h1>
${
  concerns.length === 0
    ? html`<p class="lead">Nothing that this server looks at is amiss.</p>`
    : html`<div class="notice" role="status">${concerns.map((concern) => html`<p>${concern}</p>`)}</div>`
}
<h2>The log</h2>
${logFacts(standing)}
<h2>This server</h2>
${facts([
  ['Writes', writes(standing.takesWrites)],
  ['Index', index(standing)],
  ['Damaged objects', damaged(standing.damaged)],
  ['Read for damage', scrub(standing.scrub)],
  ['Software', `Weighhouse ${version}`],
  ['Looked at', moment(new Date(standing.at).toISOString())],
])}
<p class="small">All of this is the server’s own word. What takes nobody’s word is the <a href="${LOG_PAGE}">log</a>: whoever audits it finds out what was released, when, and whether anything was taken back.</p>`,
  };
}

function logFacts({ at, checkpoint, root, witnesses }: Standing): Html {
  return facts([
    ['Checkpoint', checkpoint === undefined ? UNKNOWN : `of ${number(checkpoint.size)} entries`],
    checkpoint && ['Root', digest(formatDigest(checkpoint.root))],
    checkpoint?.newest === undefined
      ? undefined
      : ['Newest entry', html`${ago(at, checkpoint.newest)} ago, ${moment(checkpoint.newest)}`],
    root && ['Silent at most', `${formatSeconds(root.maxAge)}: then clients call the log frozen`],
    ['Witnesses', witnessWords(witnesses, root !== undefined)],
    ['Trust root', rootWords(root)],
  ]);
}

function ago(at: number, instant: string): string {
  return formatSeconds(Math.max(0, Math.floor((at - Date.parse(instant)) / 1000)));
}

function rootWords(root: Standing['root']): Html | string {
  if (root === undefined) return UNKNOWN;
  const { version, issued, expires } = root;
  return html`<a href="${WELL_KNOWN_PATH}/root/${version}.json">version ${number(version)}</a>, issued ${day(issued)}, good until ${moment(expires)}`;
}

function witnessWords(witnesses: Standing['witnesses'], isKnown: boolean): Html | string {
  if (!isKnown) return UNKNOWN;
  if (witnesses === undefined) return 'the trust root names none: the registry alone signs';
  const { all, met } = witnesses;
  return html`<ul class="plain">${all.map(
    ({ name, time }) =>
      html`<li>${name}: ${time === undefined ? 'has not cosigned this checkpoint' : html`cosigned at ${moment(time)}`}</li>`,
  )}</ul>${met ? 'as many as clients ask for' : 'fewer than clients ask for'}`;
}

function writes(takesWrites: boolean | undefined): string {
  if (takesWrites === undefined) return UNKNOWN;
  return takesWrites ? 'are taken' : 'are refused for now; reads are answered';
}

function index({ indexed, checkpoint }: Standing): string {
  if (indexed === undefined) return 'being built';
  const behind = checkpoint === undefined ? 0 : checkpoint.size - indexed;
  return behind <= 0
    ? 'has all of the log'
    : `is ${number(behind)} behind the log and catches up by itself`;
}

function damaged(count: number | undefined): string {
  if (count === undefined) return 'not looked for by this server';
  return count === 0 ? 'none known' : `${number(count)}, not served until repaired`;
}

function scrub(pass: ScrubPass | 'never' | undefined): Html | string {
  if (pass === undefined) return 'not known';
  if (pass === 'never') return 'never yet';
  const { pass: which, begun, ended } = pass;
  return ended === undefined
    ? html`pass ${number(which)} goes on since ${moment(begun)}`
    : html`pass ${number(which)} ended ${moment(ended)}`;
}
