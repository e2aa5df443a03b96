/**
 * A bucket of SeaweedFS to measure with: a registry over it, and s5cmd beside it, which moves the
 * same bytes to and from the same server and verifies nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installS5cmd } from '../peers/s5cmd.ts';
import { type Seaweedfs, startSeaweedfs } from '../peers/seaweedfs.ts';
import { BenchRegistry } from './bench-registry.ts';
import type { Bench } from './figure.ts';
import { timeAll } from './programs.ts';

/** Runs `act` with a registry over a new bucket, served with `flags`, and s5cmd where it can be had. */
export async function* withBucket<T>(
  bench: Bench,
  act: (registry: BenchRegistry, peer: S5cmd | undefined) => AsyncIterable<T>,
  flags: readonly string[] = [],
): AsyncGenerator<T> {
  const folder = mkdtempSync(join(bench.folder, 'bucket-'));
  const s3 = await startSeaweedfs(folder);
  const environment = {
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  };
  const bucket = { store: `s3://${s3.bucket}/registry`, environment };
  const registry = await BenchRegistry.start(bench.folder, { bucket, flags });
  try {
    const program = await installS5cmd().catch(() => undefined);
    yield* act(registry, program === undefined ? undefined : new S5cmd(program, s3, environment));
  } finally {
    await registry.close();
    await s3.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** s5cmd over one bucket. */
export class S5cmd {
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
