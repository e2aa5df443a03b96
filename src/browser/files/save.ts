/**
 * Downloading with the File System Access API: each chunk is fetched, hashed and compared before a
 * byte of it is written. Browsers write beside the file until it is closed, and it is closed only
 * once it is whole; what was begun and does not fit is thrown away.
 */
import { equal } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { chunkRange } from '../../core/release/chunks.ts';
import type { Piece } from './hash-job.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';

/** Chunks are held in memory until they are checked; larger ones are for the command line. */
export const MAX_CHUNK_IN_MEMORY = 64 * 2 ** 20;

/** What is needed of `FileSystemWritableFileStream`. */
export interface Writing {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

export interface Saving {
  readonly release: ReleaseFiles;
  readonly hash: (piece: Piece) => Promise<Uint8Array>;
  readonly fetch: typeof fetch;
  readonly onSaved?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Writes one file. Throws `digest-mismatch`, `network`, `interrupted`; then nothing of it is kept. */
export async function save(saving: Saving, file: ReleaseFile, writing: Writing): Promise<void> {
  try {
    await writeChunks(saving, file, writing);
    await writing.close();
  } catch (error) {
    await writing.abort().catch(() => {});
    throw error;
  }
}

async function writeChunks(saving: Saving, file: ReleaseFile, writing: Writing): Promise<void> {
  const { release, hash, onSaved, signal } = saving;
  const list = await release.chunksOf(file);
  if (list.chunkSize > MAX_CHUNK_IN_MEMORY) {
    throw new CodedError(
      'too-large',
      `${file.path} is too large for a page to check before it is written; run: weighhouse pull ${release.reference}`,
    );
  }
  for (let i = 0; i < list.count; i++) {
    signal?.throwIfAborted();
    const { offset, length } = chunkRange(file.size, list.chunkSize, i);
    const bytes = await readRange(saving, file, offset, length);
    if (!equal(await hash(new Blob([bytes])), list.at(i))) {
      throw new CodedError(
        'digest-mismatch',
        `bytes ${offset} to ${offset + length} of ${file.path} are not those of the manifest; nothing of the file was kept`,
      );
    }
    await writing.write(bytes);
    onSaved?.(length);
  }
}

/** Exactly these bytes: an answer that is longer or shorter is refused. */
async function readRange(
  { release, fetch: request, signal }: Saving,
  file: ReleaseFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = release.urlOf(file);
  const headers = { range: `bytes=${offset}-${offset + length - 1}` };
  const response = await request(url, { headers, signal: signal ?? null }).catch(
    (cause: unknown) => {
      signal?.throwIfAborted();
      // A registry that sends readers on to its bucket is beyond what this page may ask.
      const message = `${file.path} cannot be fetched by this page; run: weighhouse pull ${release.reference}`;
      throw new CodedError('network', message, {}, { cause });
    },
  );
  const isWhole = response.status === 200 && offset === 0 && length === file.size;
  if (response.status !== 206 && !isWhole) {
    throw new CodedError('network', `${url} answers ${response.status}; try again`);
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const part of partsOf(response)) {
    if (filled + part.length > length) throw new CodedError('too-large', `${url} sends too much`);
    bytes.set(part, filled);
    filled += part.length;
  }
  if (filled < length) throw new CodedError('network', `${url} ended early; try again`);
  return bytes;
}

async function* partsOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (done || value === undefined) return;
    yield value;
  }
}
