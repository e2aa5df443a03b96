/**
 * A real server and kill -9. WEIGHHOUSE_SEED repeats a run, scripts/ci/kills.ts makes longer ones.
 */
import { describe, expect, test } from '@jest/globals';
import { runKills } from './kills/run.ts';

const SEED = Number(process.env.WEIGHHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = 8;

describe(`a server that is killed at random points (WEIGHHOUSE_SEED=${SEED})`, () => {
  test('has all that it acknowledged, nothing by halves, and goes on', async () => {
    const said: string[] = [];
    await runKills({ runs: RUNS, seed: SEED, say: (line) => said.push(line) }).catch((error) => {
      throw new Error(`${said.join('\n')}\n${error.message}`, { cause: error });
    });
    expect(said.filter((line) => line.startsWith('kill '))).toHaveLength(RUNS);
  }, 180_000);
});
