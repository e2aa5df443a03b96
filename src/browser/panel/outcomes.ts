/** How files stand, those first that do not fit; files that match are folded away when they are many. */
import type { FileOutcome } from '../files/compare.ts';
import { element } from './element.ts';

/** Files that match and are shown without being asked for. */
const SHOWN = 12;

const NUMBER = new Intl.NumberFormat('en-GB');

export function outcomeList(outcomes: readonly FileOutcome[]): HTMLElement {
  const bad = outcomes.filter(({ state }) => state !== 'matches');
  const good = outcomes.filter(({ state }) => state === 'matches');
  const list = element('ul', { class: 'outcomes' }, ...bad.map(row));
  if (good.length <= SHOWN) {
    list.append(...good.map(row));
    return element('div', {}, list);
  }
  const folded = element(
    'details',
    {},
    element('summary', {}, `${NUMBER.format(good.length)} files that match`),
    element('ul', { class: 'outcomes' }, ...good.map(row)),
  );
  return element('div', {}, list, folded);
}

/** One sentence over all of them. */
export function sentenceOf(outcomes: readonly FileOutcome[]): string {
  const count = (state: FileOutcome['state']) =>
    outcomes.filter((outcome) => outcome.state === state).length;
  const parts = [
    count('matches') > 0 && plural(count('matches'), 'file matches', 'files match'),
    count('differs') + count('wrong-size') > 0 &&
      plural(count('differs') + count('wrong-size'), 'differs', 'differ'),
    count('missing') > 0 && plural(count('missing'), 'is missing', 'are missing'),
    count('extra') > 0 &&
      plural(count('extra'), 'is not part of the release', 'are not part of the release'),
    count('unread') > 0 && plural(count('unread'), 'could not be read', 'could not be read'),
  ].filter((part) => part !== false);
  return parts.length === 0 ? 'There was no file.' : `${parts.join(', ')}.`;
}

function row(outcome: FileOutcome): HTMLElement {
  return element(
    'li',
    { 'data-state': outcome.state },
    element('span', { class: 'sign', 'aria-hidden': 'true' }),
    element('span', {}, element('code', {}, outcome.path), ` ${wordsOf(outcome)}`),
  );
}

function wordsOf(outcome: FileOutcome): string {
  switch (outcome.state) {
    case 'matches':
      return outcome.file.path === outcome.path ? 'matches' : `matches ${outcome.file.path}`;
    case 'differs': {
      const { file, chunk, offset, length, path } = outcome;
      const of = file.path === path ? '' : ` from ${file.path}`;
      return `differs${of}, first in chunk ${chunk + 1}: bytes ${NUMBER.format(offset)} to ${NUMBER.format(offset + length - 1)}`;
    }
    case 'wrong-size':
      return `has ${NUMBER.format(outcome.size)} bytes, where ${NUMBER.format(outcome.file.size)} were released`;
    case 'extra':
      return 'is not part of the release';
    case 'missing':
      return 'is missing';
    case 'unread':
      return `could not be read: ${outcome.message}`;
  }
}

function plural(count: number, one: string, many: string): string {
  return `${NUMBER.format(count)} ${count === 1 ? one : many}`;
}
