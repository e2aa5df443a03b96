/**
 * A thread that answers calls: what asks has a `CallingThread`, and the thread's own program
 * ends in `answerCalls`. `R` are the requests, each with its `kind`; `A` has the answer to each.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { parentPort, type ResourceLimits, type Transferable, Worker } from 'node:worker_threads';
import { CodedError, type ErrorCode, isCoded } from '../core/error.ts';

interface Call<R> {
  readonly id: number;
  readonly request: R;
}

/** A coded error crosses between threads as its parts. */
interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

type Reply<T> =
  | { readonly id: number; readonly answer: T }
  | { readonly id: number; readonly failure: Failure };

interface Caller<T> {
  resolve(answer: T): void;
  reject(error: CodedError): void;
}

/** Where a request is answered. A thread with nothing to do does not keep the process alive. */
export class CallingThread<R extends { readonly kind: keyof A }, A extends object> {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #callers = new Map<number, Caller<A[keyof A]>>();
  #calls = 0;
  #ended = false;

  /** `name` is what messages call it, as in “a hashing thread”. */
  constructor(program: URL, name: string, limits: ResourceLimits = {}) {
    this.#name = name;
    this.#worker = new Worker(program, {
      execArgv: [],
      env: threadEnvironment(),
      resourceLimits: limits,
    });
    this.#worker.on('message', (reply: Reply<A[keyof A]>) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end());
    // Last, since Node takes listening for messages as a wish to stay alive.
    this.#worker.unref();
  }

  /** True while a request waits for its answer. */
  get busy(): boolean {
    return this.#callers.size > 0;
  }

  /** True once the thread is gone; it answers nothing any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends `request`; `transfer` goes over to the thread for good. */
  call<Q extends R>(request: Q, transfer: Transferable[] = []): Promise<A[Q['kind']]> {
    if (this.#ended) return Promise.reject(this.#gone());
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      if (!this.busy) this.#worker.ref();
      this.#callers.set(id, { resolve: resolve as Caller<A[keyof A]>['resolve'], reject });
      this.#worker.postMessage({ id, request } satisfies Call<R>, transfer);
    });
  }

  /** Ends the thread at once; whoever still waits is told. */
  async close(): Promise<void> {
    await this.#worker.terminate();
    this.#end();
  }

  #settle(reply: Reply<A[keyof A]>): void {
    const caller = this.#callers.get(reply.id);
    this.#callers.delete(reply.id);
    if (!this.busy) this.#worker.unref();
    if ('failure' in reply) {
      const { code, message, details } = reply.failure;
      caller?.reject(new CodedError(code, message, details));
    } else {
      caller?.resolve(reply.answer);
    }
  }

  #end(cause?: unknown): void {
    this.#ended = true;
    const callers = [...this.#callers.values()];
    this.#callers.clear();
    for (const caller of callers) caller.reject(this.#gone(cause));
  }

  #gone(cause?: unknown): CodedError {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    const message = `${this.#name} ended before its work was done${reason}`;
    return new CodedError('internal', message, {}, { cause });
  }
}

/** Answers one call after another, until the thread is ended; memory that is an answer goes over. */
export function answerCalls<R extends { readonly kind: keyof A }, A extends object>(
  name: string,
  answerTo: (request: R) => A[keyof A],
): void {
  const port = parentPort!;
  const send = (reply: Reply<A[keyof A]>, transfer: Transferable[] = []) =>
    port.postMessage(reply, transfer);
  port.on('message', ({ id, request }: Call<R>) => {
    try {
      const answer = answerTo(request);
      send({ id, answer }, answer instanceof ArrayBuffer ? [answer] : []);
    } catch (error) {
      send({ id, failure: describe(name, error) });
    }
  });
}

function describe(name: string, error: unknown): Failure {
  if (isCoded(error)) return { code: error.code, message: error.message, details: error.details };
  const message = `${name} failed: ${error instanceof Error ? error.message : error}`;
  return { code: 'internal', message, details: {} };
}

/**
 * A thread needs nothing of the process's flags and environment but the compile cache, which
 * it does not inherit by itself: it saves each thread some 40 ms of reading TypeScript.
 */
export function threadEnvironment(): Record<string, string> {
  const cache = getCompileCacheDir();
  // The setting names the folder above the one for this version of Node.
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
}
