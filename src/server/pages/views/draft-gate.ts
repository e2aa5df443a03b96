/**
 * The gate of a draft in words: what is missing, who is waited for and how long, and what is met.
 * What the gate itself says stands beside it, in its own sentences.
 */
import { makeChecklist, type Row, whyNotCounted } from '../../../core/release/checklist.ts';
import type { Missing, Need } from '../../../core/release/missing.ts';
import type { Policy } from '../../../core/release/policy.ts';
import { isGated } from '../../../core/release/requirements.ts';
import type { Decision } from '../../../core/statement/decision.ts';
import type { DraftStatus } from '../../../registry/registry.ts';
import { type Html, html } from '../html.ts';
import { countdown, entry, sentence } from '../pieces.ts';

export interface GateShown {
  readonly status: DraftStatus;
  readonly policy: Policy;
  /** What was signed, by the digest of its envelope. */
  readonly statements: ReadonlyMap<string, Decision>;
  /** As whom the reader is signed in. */
  readonly reader: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What comes at the end, when all else is met, and what is a matter of the reader alone. */
const LAST: readonly Need[] = ['intent', 'role'];
/** What nobody does: it comes by itself. */
const TIMES: readonly Need[] = ['age', 'not-before'];

/** All that is missing, each with whom it waits for; who is waited for at all comes first. */
export function missingView(shown: GateShown): Html {
  const { missing } = shown.status;
  return html`
<h2>What is still missing</h2>
${isWaiting(shown) && html`<p class="lead">${summary(shown)}</p>`}
<ul class="missing">${missing.map((lack) => item(shown, lack))}</ul>
${metView(shown)}`;
}

/** Once it is sealed it waits for people and for time; before, for whoever pushes it. */
function isWaiting({ status: { state, missing }, policy }: GateShown): boolean {
  return state === 'sealed' && isGated(policy.gate) && missing.every(({ need }) => need !== 'seal');
}

/** In one sentence, who is waited for and until when. */
function summary(shown: GateShown): Html {
  const lacks = shown.status.missing.filter(({ need }) => !LAST.includes(need));
  const people = [...new Set(lacks.filter(isForPeople).flatMap(({ waitsFor }) => waitsFor))];
  const opens = latest(lacks.filter(({ satisfiedBy }) => isInstant(satisfiedBy)));
  const time = opens && html`until ${countdown(opens, shown.now)}`;
  if (lacks.length === 0) return html`All that comes before the publish is met.`;
  if (people.length === 0) {
    return html`Nobody has to do anything now${time && html`: it waits ${time}`}.`;
  }
  return html`It waits for ${listed(shown, people, AND)}${time && html`, and ${time}`}.`;
}

function item(shown: GateShown, lack: Missing): Html {
  const { need, message, satisfiedBy, passedOver = [] } = lack;
  return html`<li data-need="${need}"><strong>${sentence(message)}</strong>
<span class="small">${whose(shown, lack)}</span>
${!isInstant(satisfiedBy) && satisfiedBy !== '' && html`<span class="small"><code>${satisfiedBy}</code></span>`}
${passedOver.map(({ person, reason, index }) => html`<span class="small">That of ${listed(shown, [person], OR)} (${entry(index)}) does not count: ${whyNotCounted(reason)}</span>`)}</li>`;
}

/** Whose it is to do what, or when it comes by itself. */
function whose(shown: GateShown, { need, waitsFor, satisfiedBy }: Missing): Html {
  const opens = isInstant(satisfiedBy) && countdown(satisfiedBy, shown.now);
  if (opens && TIMES.includes(need)) return html`It comes by itself: ${opens}.`;
  if (need === 'seal' || need === 'role') {
    return html`It is for whoever has the role ${OR.format(waitsFor)}.`;
  }
  if (waitsFor.length === 0) {
    return html`Nobody is left who could; the owners may give somebody the role.`;
  }
  const who = listed(shown, waitsFor, OR);
  if (opens) return html`It is over by itself: ${opens}. Until then it is for ${who} to lift it.`;
  return html`It is for ${who} to ${DEED[need] ?? 'go on'}.`;
}

const DEED: Partial<Record<Need, string>> = {
  evaluation: 'evaluate it',
  approval: 'approve it',
  intent: 'sign the publish',
  objection: 'lift it',
  hold: 'lift it',
  postponed: 'lift it',
  unopened: 'void it, unless whoever made it opens it',
};

/** What is met already, and by whom. */
function metView(shown: GateShown): Html | false {
  const { status, policy, statements } = shown;
  const met = makeChecklist(status, policy, statements).rows.filter((row) => row.met);
  return (
    met.length > 0 &&
    html`<h2>What is met</h2>
<ul class="met">${met.map((row) => html`<li>${sentence(row.what)}${by(shown, row)}</li>`)}</ul>`
  );
}

function by(shown: GateShown, { by: voices }: Row): Html | false {
  const people = [...new Set(voices.map(({ person }) => person))];
  return people.length > 0 && html` <span class="small">${listed(shown, people, AND)}</span>`;
}

const AND = new Intl.ListFormat('en-GB', { type: 'conjunction' });
const OR = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** People by their names in the policy, and the reader as “you”. A name turns nothing beside it. */
function listed(
  { policy, reader }: GateShown,
  ids: readonly string[],
  list: Intl.ListFormat,
): Html {
  const names = new Map(policy.people.map(({ id, name }) => [id, name]));
  const called = (id: string) => {
    if (id === reader) return 'you';
    return names.get(id) ?? (id === 'registry' ? 'the registry' : id);
  };
  const own = ids.includes(reader) ? [reader] : [];
  const all = [...own, ...ids.filter((id) => id !== reader)].map(called);
  return html`${list.formatToParts(all).map(({ type, value }) => (type === 'element' ? html`<bdi>${value}</bdi>` : value))}`;
}

function isForPeople({ need, satisfiedBy }: Missing): boolean {
  return !TIMES.includes(need) && !isInstant(satisfiedBy);
}

/** Of what comes by itself, the last instant. */
function latest(lacks: readonly Missing[]): string | undefined {
  return lacks
    .map(({ satisfiedBy }) => satisfiedBy)
    .toSorted((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
}

/** What satisfies a lack is a command to type, or an instant to wait for. */
function isInstant(satisfiedBy: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(satisfiedBy);
}
