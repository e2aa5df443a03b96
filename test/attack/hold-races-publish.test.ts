/**
 * A hold races a publish, a thousand times, each time in another order of events. Whatever is
 * logged first wins: no release stands in the log behind a hold whose commitment was
 * acknowledged, opened or not.
 *
 * WEIGHHOUSE_RACE_SEED repeats one race; the seed of one that fails stands in its message.
 */
import { setImmediate } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { isCoded } from '../../src/core/error.ts';
import { type LiveRegistry, RELEASE, useWorlds, type World } from '../made/live-registry.ts';
import { openGated, type Team } from '../made/team.ts';

const makeWorld = useWorlds();
jest.setTimeout(240_000);

const RACES = 1_000;
const HOLD = { decision: 'hold', reason: 'More tests' } as const;

test('no release is logged after a hold that was', async () => {
  const origin = await makeWorld();
  const { live, team } = await openGated(origin);
  const digest = await live.push(team.pat, RELEASE);
  await team.decide(live, 'rita', { decision: 'approve' });
  const intent = await team.signed(live, 'max', { decision: 'publish' });
  await live.close();
  const fixed = process.env.WEIGHHOUSE_RACE_SEED;
  const first = fixed === undefined ? Math.floor(Math.random() * 1e9) : Number(fixed);
  const won = { publish: 0, hold: 0 };
  for (let race = 0; race < (fixed === undefined ? RACES : 1); race++) {
    const world = origin.fork();
    try {
      const winner = await run(world, team, first + race, (one) =>
        one.registry.publish(team.pat, RELEASE, digest, intent.envelope),
      );
      won[winner] += 1;
    } catch (cause) {
      throw new Error(`the race with WEIGHHOUSE_RACE_SEED=${first + race}`, { cause });
    }
    await world.close();
  }
  // Both must be able to win, or nothing was raced.
  if (fixed === undefined) {
    expect(won.publish).toBeGreaterThan(RACES / 50);
    expect(won.hold).toBeGreaterThan(RACES / 50);
  }
});

async function run(
  world: World,
  team: Team,
  seed: number,
  publish: (live: LiveRegistry) => Promise<{ index: number }>,
): Promise<'publish' | 'hold'> {
  const draw = drawing(seed);
  const one = await world.open({ turns: () => draw(3) });
  const isSame = draw(2) === 0;
  const other = isSame ? one : await world.open({ turns: () => draw(3) });
  const context = { n: 0, previous: null };
  const signed = await team.signed(other, 'rob', HOLD, { context });

  const holding = async () => {
    for (let turns = draw(60); turns > 0; turns--) await setImmediate();
    const { index } = await other.registry.commit(team.member, signed);
    if (draw(2) === 0) await team.open(other, index, signed).catch(onlyConflict);
    return index;
  };
  const publishing = async () => {
    for (let turns = draw(60); turns > 0; turns--) await setImmediate();
    return publish(one).catch(onlyRefusal);
  };
  const [hold, released] = await Promise.all([holding(), publishing()]);
  const entries = await one.entries();
  const release = entries.findIndex(({ kind }) => kind === 'release');
  expect(released?.index ?? -1).toBe(release);
  expect(release).toBeLessThan(hold);
  return release < 0 ? 'hold' : 'publish';
}

function onlyConflict(error: unknown): void {
  if (!isCoded(error, 'conflict')) throw error;
}

function onlyRefusal(error: unknown): undefined {
  if (!isCoded(error, 'gate-unmet')) throw error;
}

/** Numbers below `limit`, the same for the same seed (mulberry32). */
function drawing(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}
