/**
 * kill -9 in the midst of writing, again and again on one directory.
 * WEIGHHOUSE_SEED repeats a run, WEIGHHOUSE_KILLS makes it longer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDirectory } from '../../../src/store/directory.ts';
import { describeWithStrace } from '../needs.ts';
import { contradictions, parseJournal } from './journal.ts';
import { runWriter } from './run-writer.ts';

const SEED = Number(process.env.WEIGHHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const KILLS = Number(process.env.WEIGHHOUSE_KILLS ?? 6);
const STEPS = 10_000;

/**
 * System calls by which something becomes true, and how often a writer enters each at least
 * in MOMENTS steps. It dies as it enters one of them.
 */
const TURNING_POINTS: [string, number][] = [
  ['fsync', 100],
  ['/^link', 40],
  ['/^rename', 10],
  ['/^unlink', 40],
];
const MOMENTS = 120;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weighhouse-kill-'));
  await (await openDirectory(directory, { create: true })).close();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe(`a store whose writer is killed (WEIGHHOUSE_SEED=${SEED})`, () => {
  test('has everything that was acknowledged, and nothing by halves', async () => {
    let journal = '';
    for (let kill = 0; kill < KILLS; kill++) {
      journal += await runWriter({
        directory,
        seed: SEED + kill,
        first: kill * STEPS,
        steps: STEPS,
        killAfter: 1 + ((SEED + kill * 7919) % 120),
      });
      await expectNoContradiction(journal);
    }
  }, 120_000);
});

describeWithStrace()(`a store whose writer dies at a turning point (seed ${SEED})`, () => {
  test.each(TURNING_POINTS)(
    'has everything that was acknowledged: %s',
    async (call, entered) => {
      let journal = '';
      for (let kill = 0; kill < Math.ceil(KILLS / 6); kill++) {
        const when = 1 + ((SEED + kill * 104_729) % entered);
        const output = await runWriter({
          directory,
          seed: SEED + kill,
          first: kill * STEPS,
          steps: MOMENTS,
          strace: ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${when}`],
        });
        expect(parseJournal(output).at(-1)?.what).toBe('begin');
        journal += output;
        await expectNoContradiction(journal);
      }
    },
    120_000,
  );
});

async function expectNoContradiction(journal: string): Promise<void> {
  const store = await openDirectory(directory);
  expect(await contradictions(store, parseJournal(journal))).toEqual([]);
  await store.close();
}
