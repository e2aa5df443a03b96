/** The steps of a check, drawn as they come: one line each, and what stands behind it on request. */
import type { ErrorCode } from '../../core/error.ts';
import type { Step } from '../check/step.ts';
import { element } from './element.ts';
import { evidence, prose } from './evidence.ts';

/** Failures by which nothing is known to be wrong. */
const NOT_ASKED: ReadonlySet<ErrorCode> = new Set([
  'network',
  'overloaded',
  'rate-limited',
  'internal',
]);

export class StepList {
  readonly element = element('ol', { class: 'steps' });
  readonly #rows = new Map<string, StepRow>();

  show(steps: readonly Step[]): void {
    for (const step of steps) this.#rowOf(step).show(step);
  }

  #rowOf({ id }: Step): StepRow {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const row = new StepRow(id);
    this.#rows.set(id, row);
    this.element.append(row.element);
    return row;
  }
}

class StepRow {
  readonly element: HTMLElement;
  #shown: Step | undefined;

  constructor(id: string) {
    this.element = element('li', { 'data-step': id });
  }

  show(step: Step): void {
    if (this.#shown === step) return;
    this.#shown = step;
    this.element.dataset.state = stateOf(step);
    const line = [
      element('span', { class: 'sign', 'aria-hidden': 'true' }),
      element('span', { class: 'title' }, step.title),
      element('span', { class: 'state' }, wordOf(step)),
    ];
    const { said, failure } = step;
    if (said === undefined && failure === undefined) {
      this.element.replaceChildren(element('div', { class: 'line' }, ...line));
      return;
    }
    const more = element(
      'details',
      {},
      element('summary', { class: 'line' }, ...line),
      behind(step),
    );
    more.open = failure !== undefined;
    this.element.replaceChildren(more);
  }
}

/** What was looked at, on whose word it rests, and the evidence. */
function behind({ said, by, facts, failure }: Step): HTMLElement {
  return element(
    'div',
    { class: 'behind' },
    element(
      'p',
      { class: failure === undefined ? 'said' : 'said fault' },
      ...prose(failure?.message ?? said ?? ''),
    ),
    by !== undefined && element('p', { class: 'small' }, `On the word of: ${by}`),
    facts.length > 0 && evidence(facts),
  );
}

/** Failures that are no fault of the release do not look like one. */
function stateOf({ state, failure }: Step): string {
  return failure !== undefined && NOT_ASKED.has(failure.code) ? 'unasked' : state;
}

function wordOf(step: Step): string {
  const { state, failure, said } = step;
  switch (state) {
    case 'waiting':
      return '';
    case 'running':
      return 'checking …';
    case 'passed':
      return 'checked';
    case 'skipped':
      return said?.startsWith('Not checked') ? 'not checked' : 'nothing to compare';
    case 'failed':
      if (failure?.code === 'recalled') return 'recalled';
      return stateOf(step) === 'unasked' ? 'could not be asked' : 'does not fit';
  }
}

/** One sentence over all of them. */
export function summaryOf(steps: readonly Step[]): { text: string; isBad: boolean } {
  const failed = steps.find(({ state }) => state === 'failed');
  if (failed !== undefined) return { text: failureIn(failed), isBad: stateOf(failed) === 'failed' };
  const running = steps.find(({ state }) => state === 'running' || state === 'waiting');
  if (running !== undefined)
    return { isBad: false, text: 'Your browser is checking this release.' };
  const checked = steps.filter(({ state }) => state === 'passed').length;
  const rest = steps.length - checked;
  const others = rest === 0 ? '' : ` ${rest === 1 ? 'One had' : `${rest} had`} nothing to compare.`;
  return {
    isBad: false,
    text: `Your browser checked ${checked} of ${steps.length} links from the registry’s key to these files, and found nothing wrong.${others}`,
  };
}

function failureIn(step: Step): string {
  const { title, failure } = step;
  if (failure?.code === 'recalled') return failure.message;
  return stateOf(step) === 'failed'
    ? `“${title}” does not fit. Do not use this release; the reason stands below.`
    : `“${title}” could not be asked. Nothing is known to be wrong; try again.`;
}
