/**
 * The log by itself: 256-byte entries through one sequencer into a directory store, each
 * answered only when its commit is durable, applied and published. The limit beside it is
 * what the issue asks for; Tessera's POSIX log did 16,000 to 30,000 on such a machine.
 */
import { DEFAULT_POOL_LIMIT } from '../../../src/log/pool.ts';
import { DEFAULT_PERIOD } from '../../../src/log/rhythm.ts';
import type { Sequencer } from '../../../src/log/sequencer.ts';
import { freshEntry, openBenchLog } from '../bench-log.ts';
import { type Bench, type Figure, median, type Part, percentile, type Round } from '../figure.ts';

/** How long the pool is kept full, in milliseconds. */
const FULL_MS = 6000;
/** Appends of the single caller. */
const SINGLE_APPENDS = 50;

const COMMAND = { ours: 'npm run bench -- log' };

export const part: Part = {
  about: 'appends a second, durable, in one process; latency with many callers and with one',
  async *measure(bench) {
    const full: Round[] = [];
    const single: Round[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      full.push(await withLog(bench, keepFull));
      single.push(await withLog(bench, appendOneByOne));
    }
    yield figure('log append, 256-byte entries, pool kept full', 'entries/s', full, 'rate', {
      atLeast: 20_000,
    });
    yield figure('the same: 99th percentile of an append', 'ms', full, 'p99', { atMost: 1000 });
    yield figure('one caller: 99th percentile of an append', 'ms', single, 'p99', {
      atMost: 2 * DEFAULT_PERIOD,
    });
  },
};

/** As many callers as the pool holds, each appending again once it is answered. */
async function keepFull(log: Sequencer): Promise<Round> {
  const latencies: number[] = [];
  const begun = performance.now();
  const caller = async () => {
    while (performance.now() - begun < FULL_MS) latencies.push(await timeAppend(log));
  };
  await Promise.all(Array.from({ length: DEFAULT_POOL_LIMIT.entries }, caller));
  const rate = (latencies.length / (performance.now() - begun)) * 1000;
  return { rate, p99: percentile(latencies, 0.99), p50: percentile(latencies, 0.5) };
}

async function appendOneByOne(log: Sequencer): Promise<Round> {
  const latencies: number[] = [];
  for (let i = 0; i < SINGLE_APPENDS; i++) latencies.push(await timeAppend(log));
  return { p99: percentile(latencies, 0.99), p50: percentile(latencies, 0.5) };
}

async function timeAppend(log: Sequencer): Promise<number> {
  const entries = [freshEntry()];
  const begun = performance.now();
  await log.append({ entries });
  return performance.now() - begun;
}

async function withLog(bench: Bench, run: (log: Sequencer) => Promise<Round>): Promise<Round> {
  const log = await openBenchLog(bench.folder);
  try {
    return await run(log.sequencer);
  } finally {
    await log.close();
  }
}

function figure(
  name: string,
  unit: string,
  runs: readonly Round[],
  field: string,
  limit: Pick<Figure, 'atLeast' | 'atMost'>,
): Figure {
  const ours = Math.round(median(runs.map((run) => run[field]!)));
  return { figure: name, unit, ours, ...limit, command: COMMAND, runs };
}
