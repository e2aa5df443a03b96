/**
 * A few workers that hash pieces of files, each one at a time, so that no more of a file is in
 * memory than there are workers. Whoever stops them rejects what was still asked of them.
 */
import { CodedError } from '../../core/error.ts';
import type { HashAnswer, HashJob, Piece } from './hash-job.ts';

/** Workers at most: disks are seldom faster than four of them. */
export const MAX_WORKERS = 4;

/** What is needed of a `Worker`. */
export interface HashingWorker {
  postMessage(job: HashJob): void;
  addEventListener(type: 'message', listener: (event: { data: HashAnswer }) => void): void;
  addEventListener(type: 'error', listener: (event: { message?: string }) => void): void;
  terminate(): void;
}

interface Waiting {
  readonly piece: Piece;
  readonly resolve: (sha256: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

export class HashingWorkers {
  readonly #idle: HashingWorker[];
  readonly #all: readonly HashingWorker[];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<HashingWorker, Waiting>();
  #stopped: CodedError | undefined;
  #ids = 0;

  constructor(make: () => HashingWorker, count: number) {
    // A browser that does not tell how many cores there are has at least one.
    this.#all = Array.from({ length: Math.max(1, Math.min(count || 1, MAX_WORKERS)) }, make);
    this.#idle = [...this.#all];
    for (const worker of this.#all) {
      worker.addEventListener('message', ({ data }) => this.#done(worker, data));
      worker.addEventListener('error', ({ message }) => this.#broken(message));
    }
  }

  /** SHA-256 of a piece. */
  hash(piece: Piece): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) return reject(this.#stopped);
      this.#queue.push({ piece, resolve, reject });
      this.#next();
    });
  }

  stop(reason = new CodedError('interrupted', 'stopped')): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    for (const worker of this.#all) worker.terminate();
    for (const { reject } of [...this.#running.values(), ...this.#queue]) reject(reason);
    this.#running.clear();
    this.#queue.length = 0;
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const worker = this.#idle.pop()!;
      const waiting = this.#queue.shift()!;
      this.#running.set(worker, waiting);
      worker.postMessage({ id: this.#ids++, piece: waiting.piece });
    }
  }

  #done(worker: HashingWorker, answer: HashAnswer): void {
    const waiting = this.#running.get(worker);
    this.#running.delete(worker);
    this.#idle.push(worker);
    if ('sha256' in answer) waiting?.resolve(answer.sha256);
    else waiting?.reject(new CodedError('file-changed', `it cannot be read: ${answer.error}`));
    this.#next();
  }

  #broken(message = 'the page could not start its workers'): void {
    this.stop(new CodedError('internal', `hashing failed: ${message}`));
  }
}
