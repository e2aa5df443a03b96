/**
 * One large file out of the server, beside nginx with sendfile, both over loopback to `curl`
 * that throws it away: once as our client asks for it (it verifies, so the server streams),
 * once as anybody does, first (the server hashes each chunk before it sends it) and later (it has
 * found the file whole a while ago).
 */
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights, shardNames } from '../made-weights.ts';
import { Nginx } from '../nginx.ts';
import { findProgram, timeAll } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const REFERENCE = 'acme/bench@v1';
const [FILE] = shardNames(1) as [string];

/** Who asks, and what the server must reach for them. */
const ASKED = [
  { who: 'our client', atLeast: 0.7, first: false, headers: ['-H', 'Weighhouse-Verifies: chunks'] },
  { who: 'curl, the first reader', atLeast: 0.35, first: true, headers: [] },
  { who: 'curl, a later reader', atLeast: 0.7, first: false, headers: [] },
] as const;

export const part: Part = {
  about: 'one large file from the server to our client and to curl, against nginx with sendfile',
  async *measure(bench) {
    const [curl, nginx] = [findProgram('curl'), findProgram('nginx')];
    const weights = madeWeights(bench.folder, { size: bench.size, shards: 1, seed: 1 });
    const registry = await BenchRegistry.start(bench.folder);
    const peer =
      nginx === undefined
        ? undefined
        : await Nginx.start(nginx, {
            parent: registry.folder,
            server: `root ${weights};`,
            probe: FILE,
          });
    try {
      registry.release(REFERENCE, weights);
      for (const asked of ASKED) yield await besideNginx(bench, registry, { curl, peer, ...asked });
    } finally {
      await peer?.close();
      await registry.close();
    }
  },
};

interface Contest {
  readonly curl: string | undefined;
  readonly peer: Nginx | undefined;
  readonly who: string;
  readonly atLeast: number;
  /** Is each round the first to read the file? */
  readonly first: boolean;
  readonly headers: readonly string[];
}

async function besideNginx(
  bench: Bench,
  registry: BenchRegistry,
  { curl, peer, who, atLeast, first, headers }: Contest,
): Promise<Figure> {
  const about = {
    figure: `server, one file of ${bench.size / MiB} MiB to ${who}, beside nginx with sendfile`,
    unit: 'MB/s',
    atLeast,
    command: {
      ours: ['curl -s -o /dev/null', ...headers, 'URL'].join(' '),
      peer: 'curl -s -o /dev/null URL of nginx',
    },
  };
  if (curl === undefined) return withoutPeer(about, 'curl');
  if (peer === undefined) return withoutPeer(about, 'nginx');
  const fetching = async (url: string, options: readonly string[]) => {
    const seconds = await timeAll([[curl, '-sf', '-o', '/dev/null', ...options, url]]);
    return bench.size / 1e6 / seconds;
  };
  const runs = await takeTurns(bench.rounds, {
    ours: () => {
      if (first) registry.touch();
      return fetching(registry.fileUrl(REFERENCE, FILE), headers);
    },
    peer: () => fetching(`${peer.url}/${FILE}`, []),
  });
  return compare(about, runs);
}
