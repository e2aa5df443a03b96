/** The yardstick of every hashing figure: `openssl dgst -sha256`, one process a core. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { madeWeights, shardNames } from './made-weights.ts';
import { timeAll } from './programs.ts';

/** Shards that openssl's processes divide among themselves, since it cannot divide a file: one a core or more. */
const SHARDS = Math.max(8, 2 ** Math.ceil(Math.log2(availableParallelism())));

/** For people: what is run. */
export const OPENSSL_COMMAND = 'openssl dgst -sha256 SHARD…, one process a core';

/** Seconds that all cores take for `size` bytes in whole files. */
export function timeOpenssl(openssl: string, folder: string, size: number): Promise<number> {
  const directory = madeWeights(folder, { size, shards: SHARDS, seed: 1 });
  const shares = Array.from({ length: availableParallelism() }, (_, core) =>
    shardNames(SHARDS)
      .filter((_, index) => index % availableParallelism() === core)
      .map((shard) => join(directory, shard)),
  );
  return timeAll(shares.map((files) => [openssl, 'dgst', '-sha256', ...files]));
}
