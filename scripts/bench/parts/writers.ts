/**
 * Several servers on one log in one bucket: what they append together, how long the slowest of
 * their callers wait, and whether one of them waits longer than another. The bucket is a real
 * S3 server on this machine, which takes its share of the cores.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startSeaweedfs } from '../../peers/seaweedfs.ts';
import { type Figure, median, type Part, percentile, type Round } from '../figure.ts';
import { writeTogether } from '../many-writers.ts';

/** Callers that wait at any time, of all servers together. */
const CALLERS = 2048;
/** How long they go on, in milliseconds. */
const LASTING_MS = 8000;
const COMMAND = { ours: 'npm run bench -- writers' };

export const part: Part = {
  about: 'one to eight servers that write one log in one bucket: appends a second, waits, fairness',
  async *measure(bench) {
    const folder = await mkdtemp(join(bench.folder, 'writers-'));
    const server = await startSeaweedfs(folder);
    const measureWith = async (callers: readonly number[]) => {
      const runs: Round[] = [];
      for (let round = 0; round < bench.rounds; round++) {
        runs.push(roundOf(await writeTogether(server, callers, LASTING_MS)));
        bench.say(`  ${callers.join('+')} callers: ${JSON.stringify(runs.at(-1))}`);
      }
      return runs;
    };
    try {
      yield figure('log append, one server', await measureWith([CALLERS]), 'rate');
      const two = await measureWith(evenly(2));
      yield figure('log append, two servers', two, 'rate', { atLeast: 2500 });
      yield figure('the same: 99th percentile of an append', two, 'p99', { atMost: 2000 });
      yield figure('the same: median wait, one server ÷ the other', two, 'unfair', { atMost: 2 });
      for (const servers of [4, 8]) {
        const many = await measureWith(evenly(servers));
        yield figure(`log append, ${servers} servers`, many, 'rate');
        yield figure('the same: 99th percentile of an append', many, 'p99');
        yield figure('the same: median wait, slowest ÷ fastest', many, 'unfair');
      }
      const uneven = await measureWith([CALLERS - 24, 8, 8, 8]);
      yield figure('log append, one busy server beside three others', uneven, 'rate');
      yield figure('the same: 99th percentile of an append', uneven, 'p99');
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function evenly(servers: number): number[] {
  return Array.from({ length: servers }, () => CALLERS / servers);
}

function roundOf({ reports, seconds }: Awaited<ReturnType<typeof writeTogether>>): Round {
  const waits = reports.flatMap((report) => report.waits);
  const medians = reports.map((report) => percentile(report.waits, 0.5));
  return {
    rate: Math.round(waits.length / seconds),
    p50: Math.round(percentile(waits, 0.5)),
    p99: Math.round(percentile(waits, 0.99)),
    unfair: Number((Math.max(...medians) / Math.min(...medians)).toFixed(2)),
    lost: reports.reduce((sum, { lost }) => sum + lost, 0),
    commits: reports.reduce((sum, { commits }) => sum + commits, 0),
  };
}

const UNITS = { rate: 'entries/s', p99: 'ms', unfair: 'times' } as const;

function figure(
  name: string,
  runs: readonly Round[],
  field: keyof typeof UNITS,
  limit: Pick<Figure, 'atLeast' | 'atMost'> = {},
): Figure {
  const ours = median(runs.map((run) => run[field]!));
  return { figure: name, unit: UNITS[field], ours, ...limit, command: COMMAND, runs };
}
