/**
 * The server's memory while many uploads come in at once, each of a file of its own. What
 * counts is by how much it grows over what it was after a first upload, when everything that
 * an upload needs is loaded. Nothing is sealed: this is about what has not been written yet.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import { formatDigest } from '../../../src/core/digest.ts';
import { chunkRoot, chunkSizeFor } from '../../../src/core/release/chunks.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { PartSender } from '../../../src/transfer/part-upload.ts';
import { throughRegistry } from '../../../src/transfer/upload-way.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, type Figure, median, type Part } from '../figure.ts';

const MiB = 1024 * 1024;
const UPLOADS = 32;
/** Milliseconds between two looks at the memory. */
const LOOK = 50;

export const part: Part = {
  about: `the server's memory during ${UPLOADS} uploads at once`,
  async *measure(bench) {
    const size = bench.size / 2;
    const runs = [];
    for (let round = 0; round < bench.rounds; round++) runs.push(await growth(bench, size));
    const figure: Figure = {
      figure: `growth of the server's memory during ${UPLOADS} uploads of ${size / MiB} MiB at once`,
      unit: 'MiB',
      ours: Math.round(median(runs.map(({ grown }) => grown))),
      atMost: 256,
      command: { ours: 'npm run bench -- memory' },
      runs,
    };
    yield figure;
  },
};

/** MiB that a fresh server holds after one upload, and how many more at the most during many. */
async function growth(bench: Bench, size: number) {
  const registry = await BenchRegistry.start(bench.folder);
  const uploader = new Uploader(registry, size);
  try {
    await uploader.upload('first');
    const before = registry.memory;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, registry.memory);
    }, LOOK);
    await Promise.all(Array.from({ length: UPLOADS }, (_, i) => uploader.upload(`model-${i}`)));
    clearInterval(watch);
    return { before: Math.round(before / MiB), grown: Math.round((most - before) / MiB) };
  } finally {
    uploader.close();
    await registry.close();
  }
}

/** Uploads files that are one chunk over and over, so that the client costs little. */
class Uploader {
  readonly #api: Api;
  readonly #size: number;
  readonly #chunkSize: number;
  /** A file with the chunk, and its SHA-256. */
  readonly #chunk: string;
  readonly #sha256: Uint8Array;
  readonly #sender = new PartSender(UPLOADS);

  constructor({ url, token, folder }: BenchRegistry, size: number) {
    this.#api = new Api({ url: parseRegistryUrl(url), token });
    this.#size = size;
    this.#chunkSize = chunkSizeFor(size);
    this.#chunk = join(folder, 'chunk');
    const bytes = randomBytes(this.#chunkSize);
    writeFileSync(this.#chunk, bytes);
    this.#sha256 = createHash('sha256').update(bytes).digest();
  }

  async upload(model: string): Promise<void> {
    const release = parseReleaseName(`acme/${model}@v1`);
    const { session } = await this.#api.openDraft(release);
    const list = Buffer.concat(Array(this.#size / this.#chunkSize).fill(this.#sha256));
    const declaration = {
      path: 'model.bin',
      size: this.#size,
      // Only a seal would find that it is another: and each upload must be a file of its own.
      sha256: formatDigest(randomBytes(32)),
      chunks: { size: this.#chunkSize, root: chunkRoot(nodeHost, list) },
    };
    const ticket = await this.#api.declareFile(release, declaration, { session });
    if (ticket.state !== 'upload') throw new Error('the registry has this file already');
    for (let number = 1; number <= this.#size / this.#chunkSize; number++) {
      const url = this.#api.partUrl(release, ticket.upload, number);
      const part = { offset: 0, length: this.#chunkSize, sha256: this.#sha256 };
      const request = throughRegistry(url, session, part);
      await this.#sender.send({ ...request, location: this.#chunk });
    }
    await this.#api.completeUpload(release, ticket.upload, { session });
  }

  close(): void {
    this.#sender.close();
  }
}
