import { describe, expect, test } from '@jest/globals';
import { type Plan, runSteps } from '../../../src/browser/check/step.ts';
import { CodedError } from '../../../src/core/error.ts';

type Id = 'a' | 'b' | 'c' | 'd';

/** What comes of steps of which each does what is said. */
async function run(looks: Readonly<Record<Id, Plan['look']>>) {
  const needs: Record<Id, readonly Id[]> = { a: [], b: ['a'], c: ['b'], d: ['a'] };
  const plans = (Object.keys(looks) as Id[]).map((id) => ({
    id,
    title: id.toUpperCase(),
    needs: needs[id],
    look: looks[id],
  }));
  return runSteps<Id>(plans);
}

const good = async () => ({ said: 'It fits.' });
const bad = async () => {
  const checkpoints = ['one\n', 'two\n'];
  throw new CodedError('fork', 'they differ', { checkpoints, size: 3, list: [] });
};
const states = (steps: Awaited<ReturnType<typeof run>>) => steps.map(({ state }) => state);

describe('steps', () => {
  test('are made as long as what they rest on is good', async () => {
    expect(states(await run({ a: good, b: good, c: good, d: good }))).toEqual(
      Array(4).fill('passed'),
    );
  });

  test('that rest on one that failed, near or far, are not looked at; others are', async () => {
    const never = () => {
      throw new Error('looked at');
    };
    const steps = await run({ a: good, b: bad, c: never, d: good });
    expect(states(steps)).toEqual(['passed', 'failed', 'skipped', 'passed']);
    expect(steps[2]!.said).toBe('Not checked: it rests on “B”.');
    const all = await run({ a: bad, b: never, c: never, d: never });
    expect(states(all)).toEqual(['failed', 'skipped', 'skipped', 'skipped']);
  });

  test('with nothing to compare stop nothing', async () => {
    const nothing = async () => ({ said: 'Nothing.', nothingToCheck: true as const });
    const steps = await run({ a: nothing, b: good, c: good, d: good });
    expect(states(steps)).toEqual(['skipped', 'passed', 'passed', 'passed']);
  });

  test('that failed hand on the evidence', async () => {
    const [step] = await run({ a: bad, b: good, c: good, d: good });
    expect(step).toMatchObject({
      failure: { code: 'fork', message: 'they differ' },
      facts: [
        { label: 'One signed checkpoint', value: 'one\n', as: 'note' },
        { label: 'The other signed checkpoint', value: 'two\n', as: 'note' },
        { label: 'size', value: '3' },
      ],
    });
  });

  test('in which the page itself fails are not good either', async () => {
    const broken = () => Promise.reject(new TypeError('undefined is not a function'));
    const [step] = await run({ a: broken, b: good, c: good, d: good });
    expect(step?.failure?.code).toBe('internal');
    expect(step?.state).toBe('failed');
  });
});
