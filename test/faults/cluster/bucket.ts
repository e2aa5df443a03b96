/** One SeaweedFS for the length of a program: buckets of registries, told apart by a prefix. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Seaweedfs, startSeaweedfs } from '../../../scripts/peers/seaweedfs.ts';
import { inParallel } from '../../../src/core/parallel.ts';
import type { Store } from '../../../src/store/contract.ts';
import { openBucket } from '../../../src/store/s3.ts';

const PARALLEL = 16;
/** One starts after the other: until they listen, both would find the same ports free. */
let starting: Promise<unknown> = Promise.resolve();

export class Bucket {
  readonly #directory: string;
  readonly #client: S3Client;
  #server: Seaweedfs;

  private constructor(directory: string, server: Seaweedfs) {
    const { endpoint, region, credentials } = server;
    this.#directory = directory;
    this.#server = server;
    this.#client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  }

  static async start(): Promise<Bucket> {
    const directory = await mkdtemp(join(tmpdir(), 'weighhouse-bucket-'));
    await mkdir(join(directory, 'data'));
    const started = starting.then(() => startSeaweedfs(join(directory, 'data')));
    starting = started.catch(() => {});
    return new Bucket(directory, await started);
  }

  get port(): number {
    return Number(new URL(this.#server.endpoint).port);
  }

  /** The address of a registry in it. */
  address(prefix: string): string {
    return `s3://${this.#server.bucket}/${prefix}`;
  }

  /** What a process needs in its environment to reach it, there or at a proxy in front of it. */
  env(endpoint = this.#server.endpoint): Record<string, string> {
    const { region, credentials } = this.#server;
    return {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }

  /** The store of a registry in it, as a server opens it. */
  open(prefix: string, endpoint = this.#server.endpoint): Store {
    const { region, credentials } = this.#server;
    return openBucket(this.address(prefix), { endpoint, region, credentials });
  }

  /** kill -9, as a power cut that the disk survives; `restart` puts it where it was. */
  kill(): Promise<void> {
    return this.#server.stop();
  }

  async restart(): Promise<void> {
    this.#server = await startSeaweedfs(join(this.#directory, 'data'), { port: this.port });
  }

  async remove(): Promise<void> {
    this.#client.destroy();
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  // As an operator with the bucket's keys, behind the registry's back.

  async keys(prefix: string): Promise<string[]> {
    const found: string[] = [];
    const query = { Bucket: this.#server.bucket, Prefix: `${prefix}/` };
    for await (const page of paginateListObjectsV2({ client: this.#client }, query)) {
      for (const { Key = '' } of page.Contents ?? []) found.push(Key.slice(prefix.length + 1));
    }
    return found.sort();
  }

  async read(prefix: string, key: string): Promise<Uint8Array> {
    const object = await this.#client.send(new GetObjectCommand(this.#at(prefix, key)));
    return object.Body!.transformToByteArray();
  }

  async write(prefix: string, key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#at(prefix, key), Body: bytes }));
  }

  async delete(prefix: string, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(prefix, key)));
  }

  /** All objects of a registry, as a backup has them. */
  async copy(prefix: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const objects = new Map<string, Uint8Array>();
    await inParallel(await this.keys(prefix), PARALLEL, async (key) => {
      objects.set(key, await this.read(prefix, key));
    });
    return objects;
  }

  /** Puts a backup in the place of what is there. */
  async restore(prefix: string, objects: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const newer = (await this.keys(prefix)).filter((key) => !objects.has(key));
    await inParallel(newer, PARALLEL, (key) => this.delete(prefix, key));
    await inParallel([...objects], PARALLEL, ([key, bytes]) => this.write(prefix, key, bytes));
  }

  #at(prefix: string, key: string) {
    return { Bucket: this.#server.bucket, Key: `${prefix}/${key}` };
  }
}
