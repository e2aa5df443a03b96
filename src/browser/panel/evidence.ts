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

const SHA256 = 'sha256:';

/** A sentence, with the digests in it as they are shown everywhere. */
export function prose(text: string): Node[] {
  const parts = capital(text).split(/(sha256:[0-9a-f]{64})/);
  return parts.map((part, i) => (i % 2 === 0 ? document.createTextNode(part) : digest(part)));
}

/** Name and value, one under the other. */
export function evidence(facts: readonly Fact[]): HTMLElement {
  const rows = facts.map((fact) =>
    element('div', {}, element('dt', {}, capital(fact.label)), element('dd', {}, shown(fact))),
  );
  return element('dl', { class: 'facts' }, ...rows);
}

function shown({ label, value, as }: Fact): Node {
  if (as === 'digest') return copiedDigest(label, value);
  if (as === 'note') return note(label, value);
  if (as === 'instant') return instant(value);
  return document.createTextNode(value);
}

function copiedDigest(label: string, value: string): HTMLElement {
  return element('span', {}, digest(value), ' ', copyButton(value, label));
}

/** The middle is there, and too narrow to be seen: who selects it copies all of it. */
function digest(value: string): HTMLElement {
  const start = (value.startsWith(SHA256) ? SHA256.length : 0) + ENDS;
  const middle = element('span', { class: 'middle' }, value.slice(start, -ENDS));
  const attributes = { class: 'digest', title: value };
  return element('code', attributes, value.slice(0, start), middle, value.slice(-ENDS));
}

function note(label: string, value: string): HTMLElement {
  const text = element('pre', { tabindex: '0', 'aria-label': label }, value);
  return element('span', { class: 'note' }, text, copyButton(value, label));
}

function instant(value: string): HTMLElement {
  return element('time', { datetime: value }, `${MINUTE.format(Date.parse(value))} UTC`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
