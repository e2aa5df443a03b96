/**
 * Weights from a bucket, past the server: `pull` with its verification, as a whole command, beside
 * s5cmd with the same bytes from the same SeaweedFS, which verifies nothing.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type S5cmd, withBucket } from '../bench-bucket.ts';
import type { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights } from '../made-weights.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;
const REFERENCE = 'acme/bench@v0';

export const part: Part = {
  about: 'pull past the server, by signed addresses at SeaweedFS, against s5cmd',
  measure: (bench) =>
    withBucket(bench, async function* (registry, peer) {
      yield await download(bench, registry, peer);
    }),
};

async function download(bench: Bench, registry: BenchRegistry, peer?: S5cmd): Promise<Figure> {
  const about = {
    figure: `pull past the server, ${bench.size / MiB} MiB in ${SHARDS} files, beside s5cmd unverified`,
    unit: 'MB/s',
    atLeast: 0.9,
    command: { ours: `weighhouse pull ${REFERENCE} DIR`, peer: 's5cmd cp s3://…/* DIR/' },
  };
  if (peer === undefined) return withoutPeer(about, 's5cmd');
  const weights = madeWeights(bench.folder, { size: bench.size, shards: SHARDS, seed: 1 });
  registry.release(REFERENCE, weights);
  await peer.upload(weights, 'plain');
  const folder = join(registry.folder, 'pulled');
  const into = async (act: () => Promise<number>) => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    return speed(bench, await act());
  };
  const runs = await takeTurns(bench.rounds, {
    ours: () => into(() => registry.time(['pull', REFERENCE, folder])),
    peer: () => into(() => peer.download('plain', folder)),
  });
  return compare(about, runs);
}

function speed(bench: Bench, seconds: number): number {
  return bench.size / 1e6 / seconds;
}
