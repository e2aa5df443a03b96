/**
 * kill -9 of a working server at random points, as often as wanted:
 *
 *     node scripts/ci/kills.ts [--runs 60] [--seed N]
 *
 * The seed is printed; with it the client does the same and the kills are aimed alike.
 */
import { parseArgs } from 'node:util';
import { runKills } from '../../test/e2e/kills/run.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  throw new Error('--runs and --seed take whole numbers');
}
console.log(`${runs} kills, --seed ${seed}`);
await runKills({ runs, seed, say: console.log });
console.log(`${runs} kills survived`);
