/**
 * Weights between a client and a bucket, past the server: `push` without its seal and `pull` with
 * its verification, as whole commands, beside s5cmd, which moves the same bytes to and from the
 * same SeaweedFS and verifies nothing.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installS5cmd } from '../../peers/s5cmd.ts';
import { type Seaweedfs, startSeaweedfs } from '../../peers/seaweedfs.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights } from '../made-weights.ts';
import { timeAll } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;
const REFERENCE = 'acme/bench@v0';

export const part: Part = {
  about: 'push and pull past the server, by signed requests to SeaweedFS, against s5cmd',
  async *measure(bench) {
    const folder = mkdtempSync(join(bench.folder, 'bucket-'));
    const s3 = await startSeaweedfs(folder);
    const environment = {
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    };
    const bucket = { store: `s3://${s3.bucket}/registry`, environment };
    const registry = await BenchRegistry.start(bench.folder, { bucket });
    try {
      const program = await installS5cmd().catch(() => undefined);
      const peer = program === undefined ? undefined : new Peer(program, s3, environment);
      yield await upload(bench, registry, peer);
      yield await download(bench, registry, peer);
    } finally {
      await registry.close();
      await s3.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** s5cmd over one bucket. */
class Peer {
  readonly #program: string;
  readonly #bucket: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(program: string, { bucket, endpoint }: Seaweedfs, environment: NodeJS.ProcessEnv) {
    this.#program = program;
    this.#bucket = bucket;
    this.#environment = { ...process.env, ...environment, S3_ENDPOINT_URL: endpoint };
  }

  upload(folder: string, prefix: string): Promise<number> {
    return this.#time('cp', `${folder}/`, this.#at(prefix));
  }

  download(prefix: string, folder: string): Promise<number> {
    return this.#time('cp', `${this.#at(prefix)}*`, `${folder}/`);
  }

  async remove(prefix: string): Promise<void> {
    await this.#time('rm', `${this.#at(prefix)}*`);
  }

  #at(prefix: string): string {
    return `s3://${this.#bucket}/${prefix}/`;
  }

  #time(...args: readonly string[]): Promise<number> {
    return timeAll([[this.#program, ...args]], this.#environment);
  }
}

/** Other bytes each time: what the registry has already, it does not take again. */
async function upload(bench: Bench, registry: BenchRegistry, peer?: Peer): Promise<Figure> {
  const about = {
    figure: `push --no-seal past the server, ${bench.size / MiB} MiB in ${SHARDS} files, beside s5cmd`,
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
      registry.run(['push', weights, reference]);
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

async function download(bench: Bench, registry: BenchRegistry, peer?: Peer): Promise<Figure> {
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
