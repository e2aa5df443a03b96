/**
 * The hashing pool by itself, in one process with its threads started, beside as many
 * `openssl dgst` processes as there are cores. Says what `verify`, `pull` and `seal` can reach.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights, shardNames } from '../made-weights.ts';
import { OPENSSL_COMMAND, timeOpenssl } from '../openssl.ts';
import { findProgram } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const CHUNK_SIZE = 8 * MiB;

/** What is hashed of each file, and how much work that is for each of its bytes. */
const TASKS = [
  { name: 'chunks', whole: false, passes: 1 },
  { name: 'chunks and whole files', whole: true, passes: 2 },
] as const;

export const part: Part = {
  about: 'SHA-256 of weights in memory: the pool against openssl on all cores',
  async *measure(bench) {
    const pool = new HashingPool();
    for (const shards of [8, 1]) {
      for (const task of TASKS) yield await measureTask(bench, pool, shards, task);
    }
    await pool.close();
  },
};

async function measureTask(
  bench: Bench,
  pool: HashingPool,
  shards: number,
  { name, whole, passes }: (typeof TASKS)[number],
): Promise<Figure> {
  const openssl = findProgram('openssl');
  const directory = madeWeights(bench.folder, { size: bench.size, shards, seed: 1 });
  const files = shardNames(shards).map((shard) => join(directory, shard));
  const about = {
    figure: `hashing ${name}, ${bench.size / MiB} MiB in ${shards} files, pool warm`,
    unit: 'MB/s of file',
    atLeast: 0.95 / passes,
    command: { ours: 'HashingPool.hashFile', peer: OPENSSL_COMMAND },
  };
  if (openssl === undefined) return withoutPeer(about, 'openssl');
  const speed = (seconds: number) => bench.size / 1e6 / seconds;
  const runs = await takeTurns(bench.rounds, {
    ours: async () => speed(await timeHashing(pool, files, whole)),
    peer: async () => speed(await timeOpenssl(openssl, bench.folder, bench.size)),
  });
  return compare(about, runs);
}

async function timeHashing(pool: HashingPool, files: string[], whole: boolean): Promise<number> {
  const begun = performance.now();
  const plan = (file: string) => ({ size: statSync(file).size, whole, chunkSize: CHUNK_SIZE });
  await Promise.all(files.map((file) => pool.hashFile(file, plan(file))));
  return (performance.now() - begun) / 1000;
}
