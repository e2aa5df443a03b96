/** Reads the headers of a release's files into memory, over connections that are kept from one to the next. */
import { createHash } from 'node:crypto';
import type { Api } from '../../client/api.ts';
import { interruption, withRetries } from '../../client/retry.ts';
import { equal } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { type ChunkList, chunkRange } from '../../core/release/chunks.ts';
import type { ReleaseName } from '../../core/release/name.ts';
import type { WeightsFile } from '../../core/weights/header.ts';
import type { PlannedHeader } from '../../core/weights/header-plan.ts';
import { RangeConnection } from './connection.ts';
import type { ByteRun } from './stretch.ts';

export interface HeaderSource {
  readonly api: Api;
  readonly release: ReleaseName;
  readonly signal?: AbortSignal | undefined;
}

export class HeaderReader {
  /** Bytes that came off the network, whether they fitted or not. */
  received = 0;
  readonly #source: HeaderSource;
  readonly #idle: RangeConnection[] = [];

  constructor(source: HeaderSource) {
    this.#source = source;
  }

  /**
   * The bytes up to the first tensor. Given the file's chunk list, whole chunks are read, and
   * each must fit it. Throws `digest-mismatch` for one that does not, and what the network throws.
   */
  async read({ file, length }: PlannedHeader, list: ChunkList | undefined): Promise<Uint8Array> {
    const header = new Uint8Array(length);
    if (list === undefined) {
      // Nobody here compares these bytes with their chunk, so the server is left to do that.
      await this.#fetch(file, { offset: 0, length }, header, { unchecked: true });
      return header;
    }
    for (let index = 0; index * list.chunkSize < length; index++) {
      const chunk = chunkRange(file.size, list.chunkSize, index);
      const sha256 = await this.#fetch(file, chunk, header);
      if (!equal(sha256, list.at(index))) throw wrongChunk(file, index);
    }
    return header;
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Reads a range; what of it belongs to `header` is put there. Resolves to its SHA-256. */
  async #fetch(
    { path, size }: WeightsFile,
    range: ByteRun,
    header: Uint8Array,
    how: { readonly unchecked?: boolean } = {},
  ): Promise<Uint8Array> {
    const { api, release, signal } = this.#source;
    const { token, pauses } = api.http;
    const url = api.fileUrl(release, path);
    const request = { url, token, location: undefined, range, size, ...how };
    const connection = this.#idle.pop() ?? new RangeConnection();
    const attempt = async () => {
      const hash = createHash('sha256');
      let at = range.offset;
      await connection.read(request, (bytes) => {
        if (signal?.aborted) throw interruption(signal);
        this.received += bytes.length;
        hash.update(bytes);
        if (at < header.length) header.set(bytes.subarray(0, header.length - at), at);
        at += bytes.length;
      });
      return hash.digest();
    };
    try {
      return await withRetries(attempt, pauses, signal);
    } finally {
      this.#idle.push(connection);
    }
  }
}

function wrongChunk({ path }: WeightsFile, chunk: number): CodedError {
  return new CodedError(
    'digest-mismatch',
    `chunk ${chunk} of ${path} is not the one that was released; try another server`,
    { path, chunk },
  );
}
