/**
 * Weights to a bucket, past the server: `push` without its seal, as a whole command, beside s5cmd
 * with the same bytes to the same SeaweedFS.
 */
import { rmSync } from 'node:fs';
import { type S5cmd, withBucket } from '../bench-bucket.ts';
import type { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights } from '../made-weights.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
/** While one file is on its way, the registry does not read back another one on the same two cores. */
const SHARDS = 1;

export const part: Part = {
  about: 'push past the server, by signed requests to SeaweedFS, against s5cmd',
  measure: (bench) =>
    withBucket(bench, async function* (registry, peer) {
      yield await upload(bench, registry, peer);
    }),
};

/** Other bytes each time: what the registry has already, it does not take again. */
async function upload(bench: Bench, registry: BenchRegistry, peer?: S5cmd): Promise<Figure> {
  const about = {
    figure: `push --no-seal past the server, ${bench.size / MiB} MiB in one file, beside s5cmd`,
    unit: 'MB/s',
    atLeast: 0.9,
    command: { ours: 'weighhouse push DIR acme/bench@vN --no-seal', peer: 's5cmd cp DIR/ s3://…' },
  };
  if (peer === undefined) return withoutPeer(about, 's5cmd');
  let pushed = 0;
  const fresh = () => {
    pushed += 1;
    const seed = 200 + pushed;
    return madeWeights(registry.folder, { size: bench.size, shards: SHARDS, seed });
  };
  const runs = await takeTurns(bench.rounds, {
    async ours() {
      const weights = fresh();
      const reference = `acme/bench@v${pushed}`;
      const seconds = await registry.time(['push', weights, reference, '--no-seal']);
      // The registry reads ahead what has come whole: that is not to fall into the other's turn.
      registry.run(['withdraw', reference]);
      rmSync(weights, { recursive: true });
      return speed(bench, seconds);
    },
    async peer() {
      const weights = fresh();
      const seconds = await peer.upload(weights, `plain-${pushed}`);
      await peer.remove(`plain-${pushed}`);
      rmSync(weights, { recursive: true });
      return speed(bench, seconds);
    },
  });
  return compare(about, runs);
}

function speed(bench: Bench, seconds: number): number {
  return bench.size / 1e6 / seconds;
}
