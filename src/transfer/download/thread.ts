/** The download threads, as seen by the downloader. */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../../core/error.ts';
import { threadEnvironment } from '../../hashing/calls.ts';
import type { FetchCall, FetchReport, FetchRequest, ThreadData } from './protocol.ts';

/** The thread's program lies beside this file: `.ts` in a checkout, `.js` in `dist`. */
const PROGRAM = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

interface Caller {
  onChunk(index: number, fits: boolean): void;
  resolve(location: string | undefined): void;
  reject(error: CodedError): void;
}

/** Connections at once: enough for a long way, and what a server lets one address have. */
export const CONNECTIONS = 8;

/** Threads for so many connections. They begin to start when this is made: that takes some 50 ms. */
export class DownloadThreads {
  readonly connections: number;
  readonly #threads: readonly DownloadThread[];

  constructor(connections = CONNECTIONS) {
    const count = Math.min(availableParallelism(), connections);
    this.connections = connections;
    this.#threads = Array.from({ length: count }, () => new DownloadThread());
  }

  /** Bytes that came off the network, whether they fitted or not. */
  get received(): number {
    return this.#threads.reduce((sum, { received }) => sum + received, 0);
  }

  /** The thread that a connection belongs to. */
  of(connection: number): DownloadThread {
    return this.#threads[connection % this.#threads.length]!;
  }

  /** Ends them at once. Once this resolves, nothing writes to any file any more. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

export class DownloadThread {
  readonly #worker: Worker;
  readonly #received = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  readonly #callers = new Map<number, Caller>();
  #calls = 0;
  #ended = false;

  constructor() {
    const workerData: ThreadData = { received: this.#received.buffer as SharedArrayBuffer };
    // The flags of the process (`--inspect`, `--import`) are nothing to a thread that downloads.
    this.#worker = new Worker(PROGRAM, { execArgv: [], env: threadEnvironment(), workerData });
    this.#worker.on('message', (report: FetchReport) => this.#settle(report));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end());
  }

  get received(): number {
    return Number(Atomics.load(this.#received, 0));
  }

  /**
   * Fetches a stretch; `onChunk` hears of each chunk as it is complete. Resolves to where the
   * bytes came from, if not from the registry itself.
   */
  fetch(
    connection: number,
    request: FetchRequest,
    onChunk: (index: number, fits: boolean) => void,
  ): Promise<string | undefined> {
    if (this.#ended) return Promise.reject(gone());
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#callers.set(id, { onChunk, resolve, reject });
      this.#worker.postMessage({ id, connection, request } satisfies FetchCall);
    });
  }

  /** Ends the thread at once. Once this resolves, nothing writes to its files any more. */
  async close(): Promise<void> {
    await this.#worker.terminate();
    this.#end();
  }

  #settle(report: FetchReport): void {
    const caller = this.#callers.get(report.id);
    if ('chunk' in report) {
      caller?.onChunk(report.chunk, report.fits);
      return;
    }
    this.#callers.delete(report.id);
    if (report.done) {
      caller?.resolve(report.location);
    } else {
      const { code, message, details } = report.failure;
      caller?.reject(new CodedError(code, message, details));
    }
  }

  #end(cause?: unknown): void {
    this.#ended = true;
    const callers = [...this.#callers.values()];
    this.#callers.clear();
    for (const caller of callers) caller.reject(gone(cause));
  }
}

function gone(cause?: unknown): CodedError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  const message = `a download thread ended before its work was done${reason}`;
  return new CodedError('internal', message, {}, { cause });
}
