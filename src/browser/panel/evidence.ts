/** Evidence as people see it: digests short to look at and whole to copy, notes as they were signed. */
import type { Fact } from '../check/step.ts';
import { copyButton, element } from './element.ts';

/** Characters that are shown at each end of a digest. */
const ENDS = 8;

const MINUTE = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** Name and value, one under the other. */
export function evidence(facts: readonly Fact[]): HTMLElement {
  const rows = facts.map((fact) =>
    element('div', {}, element('dt', {}, fact.label), element('dd', {}, shown(fact))),
  );
  return element('dl', { class: 'facts' }, ...rows);
}

function shown({ label, value, as }: Fact): Node {
  if (as === 'digest') return digest(label, value);
  if (as === 'note') return note(label, value);
  if (as === 'instant') return instant(value);
  return document.createTextNode(value);
}

/** The middle is there, and too narrow to be seen: who selects it copies all of it. */
function digest(label: string, value: string): HTMLElement {
  const prefix = value.startsWith('sha256:') ? 'sha256:'.length : 0;
  const start = prefix + ENDS;
  const middle = element('span', { class: 'middle' }, value.slice(start, -ENDS));
  const attributes = { class: 'digest', title: value };
  const text = element('code', attributes, value.slice(0, start), middle, value.slice(-ENDS));
  return element('span', { class: 'copied' }, text, ' ', copyButton(value, label));
}

function note(label: string, value: string): HTMLElement {
  const text = element('pre', { tabindex: '0', 'aria-label': label }, value);
  return element('span', { class: 'note' }, text, copyButton(value, label));
}

function instant(value: string): HTMLElement {
  return element('time', { datetime: value }, `${MINUTE.format(Date.parse(value))} UTC`);
}
