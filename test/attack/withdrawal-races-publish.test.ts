/**
 * A withdrawal races a publish. Whatever is logged first wins, and never both: no release stands
 * in the log behind a withdrawal that was acknowledged, and no draft is withdrawn that is
 * published.
 */
import { expect, jest, test } from '@jest/globals';
import { RELEASE, useWorlds } from '../made/live-registry.ts';
import { only, type Race, raceAPublish } from '../made/races.ts';

const makeWorld = useWorlds();
jest.setTimeout(120_000);

const RACES = 200;
const WITHDRAWN = { decision: 'withdraw', reason: 'Another base model' } as const;

test('no release is logged after its withdrawal was acknowledged', async () => {
  await raceAPublish(await makeWorld(), RACES, ['publish', 'withdrawal'], run);
});

async function run({ team, one, other, hesitate, publish }: Race) {
  const context = { n: 0, previous: null };
  const signed = await team.signed(other, 'olga', WITHDRAWN, { context });

  const withdrawing = async () => {
    await hesitate();
    const { index } = await other.registry.commit(team.member, signed);
    return team.open(other, index, signed).catch(only('conflict'));
  };
  const publishing = async () => {
    await hesitate();
    return publish().catch(only('gate-unmet', 'conflict'));
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
