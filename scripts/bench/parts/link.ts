/**
 * `pull` through a link of 1 Gbit/s, as a whole command, beside `curl` with 8 streams, who
 * takes what time the link takes and verifies nothing.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights, shardNames } from '../made-weights.ts';
import { findProgram, timeAll } from '../programs.ts';
import { LINK_RATE, SlowLink } from '../slow-link.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;
const REFERENCE = 'acme/bench@v1';

export const part: Part = {
  about: 'pull through a link of 1 Gbit/s, against the time of the link; takes root',
  async *measure(bench) {
    const [curl, link] = [findProgram('curl'), SlowLink.lay()];
    try {
      yield await besideLink(bench, curl, link);
    } finally {
      link?.remove();
    }
  },
};

async function besideLink(
  bench: Bench,
  curl: string | undefined,
  link: SlowLink | undefined,
): Promise<Figure> {
  const about = {
    figure: `pull, ${bench.size / MiB} MiB through ${LINK_RATE / 1e9} Gbit/s, beside the link's own time`,
    unit: 'MB/s',
    atLeast: 0.97,
    command: { ours: `weighhouse pull ${REFERENCE} DIR`, peer: 'curl -Z --parallel-max 8' },
  };
  if (curl === undefined) return withoutPeer(about, 'curl');
  if (link === undefined) return withoutPeer(about, 'the right to lay a link (ip netns, tc)');
  const registry = await BenchRegistry.start(bench.folder, {
    host: link.address,
    inside: link.inside,
  });
  const intoFresh = async (act: (folder: string) => Promise<number>) => {
    const folder = join(registry.folder, 'pulled');
    mkdirSync(folder);
    const seconds = await act(folder).finally(() => rmSync(folder, { recursive: true }));
    return bench.size / 1e6 / seconds;
  };
  try {
    registry.release(REFERENCE, madeWeights(bench.folder, { ...bench, shards: SHARDS, seed: 1 }));
    const runs = await takeTurns(bench.rounds, {
      ours: () => intoFresh((folder) => registry.time(['pull', REFERENCE, folder])),
      peer: () =>
        intoFresh((folder) => {
          const options = ['-sf', '-Z', '--parallel-max', '8', '--no-progress-meter'];
          const files = shardNames(SHARDS).flatMap((name) => [
            registry.fileUrl(REFERENCE, name),
            '-o',
            join(folder, name),
          ]);
          return timeAll([[...link.inside, curl, ...options, ...files]]);
        }),
    });
    return compare(about, runs);
  } finally {
    await registry.close();
  }
}
