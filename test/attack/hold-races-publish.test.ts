/**
 * A hold races a publish, a thousand times, each time in another order of events. Whatever is
 * logged first wins: no release stands in the log behind a hold whose commitment was
 * acknowledged, opened or not.
 */
import { expect, jest, test } from '@jest/globals';
import { useWorlds } from '../made/live-registry.ts';
import { only, type Race, raceAPublish } from '../made/races.ts';

const makeWorld = useWorlds();
jest.setTimeout(240_000);

const RACES = 1_000;
const HOLD = { decision: 'hold', reason: 'More tests' } as const;

test('no release is logged after a hold that was', async () => {
  await raceAPublish(await makeWorld(), RACES, ['publish', 'hold'], run);
});

async function run({ team, one, other, draw, hesitate, publish }: Race) {
  const context = { n: 0, previous: null };
  const signed = await team.signed(other, 'rob', HOLD, { context });

  const holding = async () => {
    await hesitate();
    const { index } = await other.registry.commit(team.member, signed);
    if (draw(2) === 0) await team.open(other, index, signed).catch(only('conflict'));
    return index;
  };
  const publishing = async () => {
    await hesitate();
    return publish().catch(only('gate-unmet'));
  };
  const [hold, released] = await Promise.all([holding(), publishing()]);
  const entries = await one.entries();
  const release = entries.findIndex(({ kind }) => kind === 'release');
  expect(released?.index ?? -1).toBe(release);
  expect(release).toBeLessThan(hold);
  return release < 0 ? 'hold' : 'publish';
}
