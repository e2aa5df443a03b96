/**
 * What a second server over the same bucket adds for readers: manifests, model information,
 * small files, tiles and checkpoints in turn, of one server and of two. The bucket, the servers
 * and whoever asks share the cores of this machine, which is what limits them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBucket } from '../bench-bucket.ts';
import type { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { findProgram } from '../programs.ts';
import { takeTurns } from '../turns.ts';
import { Wrk } from '../wrk.ts';

const REFERENCE = 'acme/bench@v1';
const PATHS = [
  '/v2/acme/bench/manifests/v1',
  '/api/models/acme/bench',
  '/acme/bench/resolve/main/README.md',
  '/api/v1/releases/acme/bench/v1',
  '/log/checkpoint',
];
/** Whoever asks here is one caller. */
const UNLIMITED = ['--rate-limit', 'read=0', '--rate-limit', 'search=0'];

export const part: Part = {
  about: 'answers a second of two servers over one bucket to readers, against one',
  measure: (bench) =>
    withBucket(
      bench,
      async function* (registry) {
        yield await oneAndTwo(bench, registry);
      },
      UNLIMITED,
    ),
};

async function oneAndTwo(bench: Bench, registry: BenchRegistry): Promise<Figure> {
  const about = {
    figure: 'manifests, model information, a small file and the checkpoint: two servers ÷ one',
    unit: 'answers/s',
    atLeast: 1.6,
    command: { ours: 'wrk at each of two servers', peer: 'wrk at one server' },
  };
  const program = findProgram('wrk');
  if (program === undefined) return withoutPeer(about, 'wrk');
  const weights = join(registry.folder, 'small');
  mkdirSync(weights);
  writeFileSync(join(weights, 'README.md'), '# A small model\n');
  registry.release(REFERENCE, weights);
  const wrk = new Wrk(program, registry.folder);
  const both = [registry.url, await registry.startAnother()];
  const runs = await takeTurns(bench.rounds, {
    ours: () => wrk.rate(both, PATHS),
    peer: () => wrk.rate([registry.url], PATHS),
  });
  return compare(about, runs);
}
