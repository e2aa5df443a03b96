/**
 * Seeded schedules of two to four writers on one log, each with its own weather: delays, lost
 * answers, requests that arrive late or twice, storms of errors and of false refusals.
 * `npm test` runs a few, `npm run test:races` 500; `WEIGHHOUSE_RACES` is their number and
 * `WEIGHHOUSE_RACE` the seed of a single one.
 */
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { inParallel } from '../../src/core/parallel.ts';
import type { Item } from '../../src/log/item.ts';
import type { TurnTaking } from '../../src/log/turns.ts';
import { emptyLog, RUSHING, sequence } from '../made/log.ts';
import { checkChain, checkJournal, Journal, unique } from '../made/log-journal.ts';
import { Schedule, seeded } from '../made/schedule.ts';

const races = Number(process.env.WEIGHHOUSE_RACES ?? 40);
const only = process.env.WEIGHHOUSE_RACE;
const seeds = only === undefined ? Array.from({ length: races }, (_, i) => i + 1) : [Number(only)];

type Draw = (limit: number) => number;

/** Runs at a time: they mostly wait. */
const LANES = 32;
/** Rounds of appends of each writer. */
const ROUNDS = 3;
/** Names that all writers want, and one gets. */
const WANTED = 3;

/** One run: what was said to the callers, and what it left. */
async function run(seed: number, turns?: (draw: Draw) => TurnTaking) {
  const disk = await emptyLog();
  const schedule = new Schedule(seed, disk);
  const journal = new Journal();
  const { draw } = schedule;
  const writers = 2 + draw(3);
  const observer = { lost: () => void journal.lost++ };
  const write = async (writer: number) => {
    const options = { observer, ...(turns && { turns: turns(draw) }) };
    const open = () => sequence(schedule.open(), options);
    const log = await open()
      .catch(open)
      .catch(open)
      .catch(() => sequence(disk.open(), options));
    const append = (item: Item) => log.append(item);
    for (let round = 0; round < ROUNDS; round++) {
      const wanted = `wanted-${draw(WANTED)}`;
      const own = Array.from({ length: 1 + draw(3) }, (_, i) => `w${writer}r${round}n${i}`);
      await Promise.all([
        ...own.map((text) => journal.append(text, unique(text), append)),
        journal.append(wanted, unique(wanted), append),
        journal.append('same', { entries: [utf8('same')] }, append),
      ]);
    }
    await log.close();
  };
  await Promise.all(Array.from({ length: writers }, (_, i) => write(i)));
  schedule.end();
  // Whoever comes next finishes what was left in the middle.
  await (await sequence(disk.open())).close();
  return { disk, journal };
}

/** One run, and all that must hold after it. */
async function check(seed: number, turns?: (draw: Draw) => TurnTaking): Promise<Journal> {
  try {
    const { disk, journal } = await run(seed, turns);
    await checkJournal(disk, journal);
    await checkChain(disk);
    return journal;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`WEIGHHOUSE_RACE=${seed} breaks it: ${why}`, { cause: error });
  }
}

describe('several processes on one store', () => {
  test(
    'make one log in every seeded schedule: nothing lost, doubled, forked or half visible',
    async () => {
      const journals = await inParallel(seeds, LANES, (seed) =>
        check(seed, seed % 2 === 0 ? () => RUSHING : undefined),
      );
      const sum = (of: (journal: Journal) => number) => journals.reduce((n, j) => n + of(j), 0);
      const lost = sum((journal) => journal.lost);
      const acknowledged = sum((journal) => journal.acknowledged.size);
      // Without races, or without success, these would prove nothing.
      expect(lost).toBeGreaterThan(seeds.length);
      expect(acknowledged).toBeGreaterThan(5 * seeds.length);
    },
    1000 * (60 + seeds.length),
  );

  test(
    'make one log also where all they say about turns is a lie',
    async () => {
      const name = (draw: Draw) => `${draw(4)}`.repeat(16);
      const liar = (draw: Draw): TurnTaking => ({
        wait: () => [0, 0, Number.NaN, -5, draw(20)][draw(5)]!,
        begin: () => draw(2) === 0,
        next: () => Array.from({ length: draw(17) }, () => name(draw)),
        taken: () => {},
        lost: async () => {},
      });
      const some = seeds.slice(0, Math.ceil(seeds.length / 2));
      await inParallel(some, LANES, (seed) => check(seed, liar));
    },
    1000 * (60 + seeds.length),
  );

  test('the weather of a seed is the same each time', () => {
    const [one, two] = [seeded(7), seeded(7)];
    expect(Array.from({ length: 9 }, () => one(100))).toEqual(
      Array.from({ length: 9 }, () => two(100)),
    );
  });
});
