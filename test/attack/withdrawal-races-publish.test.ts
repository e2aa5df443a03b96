/**
 * A withdrawal races a publish. Whatever is logged first wins, and never both: no release stands
 * in the log behind a withdrawal that was acknowledged, and no draft is withdrawn that is
 * published.
 *
 * WEIGHHOUSE_RACE_SEED repeats one race; the seed of one that fails stands in its message.
 */
import { setImmediate } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { type ErrorCode, isCoded } from '../../src/core/error.ts';
import { dice } from '../made/gated-stories.ts';
import { RELEASE, useWorlds, type World } from '../made/live-registry.ts';
import { openGated, type Team } from '../made/team.ts';

const makeWorld = useWorlds();
jest.setTimeout(120_000);

const RACES = 200;
const WITHDRAWN = { decision: 'withdraw', reason: 'Another base model' } as const;

test('no release is logged after its withdrawal was acknowledged', async () => {
  const origin = await makeWorld();
  const { live, team } = await openGated(origin);
  const digest = await live.push(team.pat, RELEASE);
  await team.decide(live, 'rita', { decision: 'approve' });
  const intent = await team.signed(live, 'max', { decision: 'publish' });
  await live.close();
  const fixed = process.env.WEIGHHOUSE_RACE_SEED;
  const first = fixed === undefined ? Math.floor(Math.random() * 1e9) : Number(fixed);
  const won = { publish: 0, withdrawal: 0 };
  for (let race = 0; race < (fixed === undefined ? RACES : 1); race++) {
    const world = origin.fork();
    try {
      won[await run(world, team, first + race, { digest, intent: intent.envelope })] += 1;
    } catch (cause) {
      throw new Error(`the race with WEIGHHOUSE_RACE_SEED=${first + race}`, { cause });
    }
    await world.close();
  }
  // Both must be able to win, or nothing was raced.
  if (fixed === undefined) {
    expect(won.publish).toBeGreaterThan(RACES / 50);
    expect(won.withdrawal).toBeGreaterThan(RACES / 50);
  }
});

async function run(
  world: World,
  team: Team,
  seed: number,
  { digest, intent }: { readonly digest: Digest; readonly intent: Uint8Array },
): Promise<'publish' | 'withdrawal'> {
  const roll = dice(seed);
  const draw = (limit: number) => Math.floor(roll() * limit);
  const one = await world.open({ turns: () => draw(3) });
  const other = draw(2) === 0 ? one : await world.open({ turns: () => draw(3) });
  const context = { n: 0, previous: null };
  const signed = await team.signed(other, 'olga', WITHDRAWN, { context });

  const withdrawing = async () => {
    for (let turns = draw(60); turns > 0; turns--) await setImmediate();
    const { index } = await other.registry.commit(team.member, signed);
    return team.open(other, index, signed).catch(only('conflict'));
  };
  const publishing = async () => {
    for (let turns = draw(60); turns > 0; turns--) await setImmediate();
    return one.registry
      .publish(team.pat, RELEASE, digest, intent)
      .catch(only('gate-unmet', 'conflict'));
  };
  const [withdrawal, released] = await Promise.all([withdrawing(), publishing()]);
  const kinds = (await one.entries()).map(({ kind }) => kind);
  const release = kinds.indexOf('release');
  expect(released?.index ?? -1).toBe(release);
  const isPublished = release >= 0;
  expect(withdrawal === undefined).toBe(isPublished);
  const { state } = await other.registry.draftStatus(team.pat, RELEASE);
  expect(state).toBe(isPublished ? 'published' : 'withdrawn');
  return isPublished ? 'publish' : 'withdrawal';
}

const only =
  (...codes: ErrorCode[]) =>
  (error: unknown): undefined => {
    if (!codes.some((code) => isCoded(error, code))) throw error;
  };
