/**
 * Many connections over a few threads, all busy until the last byte: stretches of every file
 * are handed out in order, so that many files and one huge file go equally fast. Each chunk
 * is checked while it arrives. What did not come, or came wrong, is asked for again: a broken
 * network as long as anything still comes through, wrong bytes a bounded number of times.
 */
import { interruption, type Pauses, realPauses, waitBefore } from '../../client/retry.ts';
import { CodedError } from '../../core/error.ts';
import { type ChunkList, chunkRange } from '../../core/release/chunks.ts';
import { type ChunkRun, cutRuns } from './stretch.ts';
import type { DownloadThread, DownloadThreads } from './thread.ts';

/** Times that wrong bytes are taken for an accident. */
export const MAX_WRONG = 3;
/** Milliseconds between two reports of progress. */
const REPORT_INTERVAL = 100;

/** One file that is to be fetched, as far as it is missing. */
export interface DownloadFile {
  /** For messages. */
  readonly path: string;
  readonly url: string;
  readonly size: number;
  readonly list: ChunkList;
  /** Chunks that are not there yet, in rising order; at least one. */
  readonly missing: readonly number[];
  /** Opens the partial file for writing; called when its first stretch begins. */
  open(): number;
  /** A chunk fits and is written. What it throws ends the download. */
  arrived(chunk: number): void;
  /** Every chunk is there. */
  complete(): Promise<void>;
}

export interface DownloadOptions {
  readonly token?: string | undefined;
  readonly pauses?: Pauses | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many bytes came in this download. */
  readonly onProgress?: ((bytes: number, path: string) => void) | undefined;
}

/** Fetches `files` over `threads`, which a failure ends. Throws `digest-mismatch`, `network`, `not-found`, `disk-full`, `interrupted` … */
export async function download(
  files: Iterable<DownloadFile>,
  threads: DownloadThreads,
  options: DownloadOptions = {},
): Promise<void> {
  await new Download(files, threads, options).run();
}

/** A file on its way. */
interface Fetching {
  readonly file: DownloadFile;
  readonly handle: number;
  left: number;
  /** Where the registry sends readers of this file, as long as that leads anywhere. */
  location: string | undefined;
}

interface Stretch {
  readonly fetching: Fetching;
  readonly run: ChunkRun;
}

class Download {
  readonly #options: DownloadOptions;
  readonly #pauses: Pauses;
  readonly #stretches: Iterator<Stretch, undefined>;
  readonly #threads: DownloadThreads;
  readonly #completing = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #path = '';

  constructor(files: Iterable<DownloadFile>, threads: DownloadThreads, options: DownloadOptions) {
    this.#options = options;
    this.#pauses = options.pauses ?? realPauses;
    this.#threads = threads;
    this.#stretches = stretchesOf(files);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const abort = () => this.#fail(interruption(signal!));
    signal?.addEventListener('abort', abort, { once: true });
    const timer = setInterval(() => this.#report(), REPORT_INTERVAL);
    try {
      if (signal?.aborted) abort();
      const { connections } = this.#threads;
      await Promise.all(Array.from({ length: connections }, (_, lane) => this.#lane(lane)));
      await Promise.all(this.#completing);
    } catch (error) {
      this.#fail(error);
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
      if (this.#stop.signal.aborted) await this.#threads.close();
      await Promise.allSettled(this.#completing);
    }
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
    this.#report();
  }

  /** One connection: takes stretch after stretch until there are none. */
  async #lane(lane: number): Promise<void> {
    const thread = this.#threads.of(lane);
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#path = next.fetching.file.path;
      await this.#fetch(thread, lane, next);
      this.#completeIfThere(next.fetching);
    }
  }

  #next(): Stretch | undefined {
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
    return this.#stretches.next().value;
  }

  /** Fetches what is missing of a stretch, again and again while that leads anywhere. */
  async #fetch(thread: DownloadThread, lane: number, { fetching, run }: Stretch): Promise<void> {
    const { file } = fetching;
    const missing = new Set(Array.from({ length: run.count }, (_, i) => run.first + i));
    let wrong = 0;
    let failures = 0;
    while (missing.size > 0) {
      const before = missing.size;
      const [part] = cutRuns([...missing], file.list.chunkSize);
      const outcome = await this.#attempt(thread, lane, fetching, part!, missing);
      if (missing.size < before) failures = 0;
      if (outcome.wrongChunk !== undefined && ++wrong >= MAX_WRONG) {
        throw wrongBytes(file, outcome.wrongChunk);
      }
      if (outcome.error !== undefined) await this.#pause(++failures, outcome.error);
    }
  }

  async #attempt(
    thread: DownloadThread,
    lane: number,
    fetching: Fetching,
    run: ChunkRun,
    missing: Set<number>,
  ): Promise<{ readonly wrongChunk?: number; readonly error?: unknown }> {
    const { file, handle, location } = fetching;
    const { url, size, list } = file;
    const { chunkSize } = list;
    const digests = digestsOf(list, run);
    const request = {
      url,
      token: this.#options.token,
      location,
      file: handle,
      size,
      chunkSize,
      run,
      digests,
    };
    let wrong: { wrongChunk?: number } = {};
    try {
      fetching.location = await thread.fetch(lane, request, (chunk, fits) => {
        if (!fits) wrong = { wrongChunk: chunk };
        else if (missing.delete(chunk)) this.#note(file, chunk);
      });
      return wrong;
    } catch (error) {
      // Whoever else goes there by now finds out by itself.
      if (fetching.location === location) fetching.location = undefined;
      return { ...wrong, error };
    }
  }

  /** This is called by a thread's message: nobody above would catch what it throws. */
  #note(file: DownloadFile, chunk: number): void {
    try {
      file.arrived(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #pause(failures: number, error: unknown): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) throw signal.reason;
    const wait = waitBefore(failures + 1, error, this.#pauses);
    if (wait === undefined) throw error;
    await this.#pauses.sleep(wait, signal);
  }

  /** Completing waits for the disk; the connection goes on meanwhile. */
  #completeIfThere(fetching: Fetching): void {
    if (--fetching.left > 0) return;
    const completing = fetching.file.complete().catch((error) => this.#fail(error));
    this.#completing.add(completing);
    void completing.finally(() => this.#completing.delete(completing));
  }

  /** The first failure is the one that is told; it ends every connection at once. */
  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(error);
    void this.#threads.close();
  }

  #report(): void {
    this.#options.onProgress?.(this.#threads.received, this.#path);
  }
}

/** Opens a file only when its turn has come: there may be a hundred thousand. */
function* stretchesOf(files: Iterable<DownloadFile>): Generator<Stretch, undefined> {
  for (const file of files) {
    const runs = cutRuns(file.missing, file.list.chunkSize);
    const fetching: Fetching = {
      file,
      handle: file.open(),
      left: runs.length,
      location: undefined,
    };
    for (const run of runs) yield { fetching, run };
  }
}

function digestsOf(list: ChunkList, run: ChunkRun): Uint8Array {
  const digests = new Uint8Array(run.count * 32);
  for (let i = 0; i < run.count; i++) digests.set(list.at(run.first + i), i * 32);
  return digests;
}

function wrongBytes(file: DownloadFile, chunk: number): CodedError {
  const { offset, length } = chunkRange(file.size, file.list.chunkSize, chunk);
  return new CodedError(
    'digest-mismatch',
    `${file.path}: chunk ${chunk} (bytes ${offset} to ${offset + length}) came wrong ${MAX_WRONG} times; pull from another server`,
    { path: file.path, chunk, offset, length, url: file.url },
  );
}
