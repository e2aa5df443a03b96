import { describe, expect, test } from '@jest/globals';
import { Attempts, MAX_UNDECIDED, REPEATS, RepeatBudget } from '../../../src/store/s3/pause.ts';

/** Attempts that are made until none is left. */
async function countOf(attempts: Attempts, after: 'failure' | 'conflict' = 'failure') {
  let count = 0;
  while (await attempts.next(after)) count++;
  return count;
}

describe('what is repeated', () => {
  test('is repeated a bounded number of times', async () => {
    expect(await countOf(new Attempts(new RepeatBudget()))).toBe(MAX_UNDECIDED);
    expect(await countOf(new Attempts(new RepeatBudget(), 2))).toBe(2);
  });

  test('of all that one client asks for comes out of one budget', async () => {
    const budget = new RepeatBudget();
    for (let spent = 0; spent < REPEATS; spent++) expect(budget.spend()).toBe(true);
    expect(budget.spend()).toBe(false);
    expect(await countOf(new Attempts(budget))).toBe(1);
    for (let succeeded = 0; succeeded < 11; succeeded++) budget.earn();
    expect(budget.spend()).toBe(true);
    expect(budget.spend()).toBe(false);
  });

  test('after a conflict costs nothing: many writers are no failing bucket', async () => {
    const budget = new RepeatBudget();
    while (budget.spend());
    expect(await countOf(new Attempts(budget), 'conflict')).toBe(MAX_UNDECIDED);
  });
});
