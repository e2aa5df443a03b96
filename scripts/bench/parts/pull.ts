/**
 * `pull` over loopback into memory, as a whole command, beside what the same machine can do:
 * `curl` with 8 streams from the same server (for whom the server hashes first, and who
 * verifies nothing) and then `openssl` on all cores; and beside `aria2c`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights, shardNames } from '../made-weights.ts';
import { OPENSSL_COMMAND, timeOpenssl } from '../openssl.ts';
import { findProgram, timeAll } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;
const REFERENCE = 'acme/bench@v1';

export const part: Part = {
  about: 'pull over loopback into memory, against curl and openssl, and against aria2c',
  async *measure(bench) {
    const registry = await BenchRegistry.start(bench.folder);
    try {
      const weights = madeWeights(bench.folder, { size: bench.size, shards: SHARDS, seed: 1 });
      registry.release(REFERENCE, weights);
      yield await besideBound(bench, registry);
      yield await besideAria2(bench, registry);
    } finally {
      await registry.close();
    }
  },
};

/** The bound is one after the other: everything fetched unverified, and everything hashed. */
async function besideBound(bench: Bench, registry: BenchRegistry): Promise<Figure> {
  const [curl, openssl] = [findProgram('curl'), findProgram('openssl')];
  const about = {
    figure: `pull, ${bench.size / MiB} MiB in ${SHARDS} files, beside 1/(1/curl + 1/hash)`,
    unit: 'MB/s',
    atLeast: 0.8,
    command: {
      ours: `weighhouse pull ${REFERENCE} DIR`,
      peer: `curl -Z --parallel-max 8; ${OPENSSL_COMMAND}`,
    },
  };
  if (curl === undefined) return withoutPeer(about, 'curl');
  if (openssl === undefined) return withoutPeer(about, 'openssl');
  const runs = await takeTurns(bench.rounds, {
    ours: () => timePull(bench, registry),
    peer: async () => {
      const fetching = await timeCurl(registry, curl);
      const hashing = await timeOpenssl(openssl, bench.folder, bench.size);
      return speed(bench, fetching + hashing);
    },
  });
  return compare(about, runs);
}

async function besideAria2(bench: Bench, registry: BenchRegistry): Promise<Figure> {
  const aria2 = findProgram('aria2c');
  const about = {
    figure: `pull, ${bench.size / MiB} MiB in ${SHARDS} files, beside aria2c -x8 unverified`,
    unit: 'MB/s',
    atLeast: 1,
    command: { ours: `weighhouse pull ${REFERENCE} DIR`, peer: 'aria2c -x8 -j8 -i LIST' },
  };
  if (aria2 === undefined) return withoutPeer(about, 'aria2c');
  const runs = await takeTurns(bench.rounds, {
    ours: () => timePull(bench, registry),
    peer: () => timeAria2(bench, registry, aria2),
  });
  return compare(about, runs);
}

function timePull(bench: Bench, registry: BenchRegistry): Promise<number> {
  return intoFresh(bench, registry, (folder) => registry.time(['pull', REFERENCE, folder]));
}

function timeCurl(registry: BenchRegistry, curl: string): Promise<number> {
  const options = ['-sf', '-Z', '--parallel-max', '8', '--no-progress-meter'];
  return seconds(registry, (folder) => {
    const files = shardNames(SHARDS).flatMap((name) => [
      registry.fileUrl(REFERENCE, name),
      '-o',
      join(folder, name),
    ]);
    return timeAll([[curl, ...options, ...files]]);
  });
}

function timeAria2(bench: Bench, registry: BenchRegistry, aria2: string): Promise<number> {
  return intoFresh(bench, registry, (folder) => {
    const list = join(folder, 'list');
    const lines = shardNames(SHARDS).map(
      (name) => `${registry.fileUrl(REFERENCE, name)}\n  out=${name}\n`,
    );
    writeFileSync(list, lines.join(''));
    const options = ['-q', '-x8', '-j8', '--file-allocation=none', '-d', folder, '-i', list];
    return timeAll([[aria2, ...options]]);
  });
}

/** Bytes a second of what `act` brings into a folder that was not there before. */
async function intoFresh(
  bench: Bench,
  registry: BenchRegistry,
  act: (folder: string) => Promise<number>,
): Promise<number> {
  return speed(bench, await seconds(registry, act));
}

async function seconds(
  registry: BenchRegistry,
  act: (folder: string) => Promise<number>,
): Promise<number> {
  const folder = join(registry.folder, 'pulled');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  try {
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function speed(bench: Bench, time: number): number {
  return bench.size / 1e6 / time;
}
