/** One hashing thread, as seen by those who call it. */
import { getCompileCacheDir } from 'node:module';
import { dirname, extname } from 'node:path';
import { type ResourceLimits, type Transferable, Worker } from 'node:worker_threads';
import { CodedError } from '../core/error.ts';
import type { Answers, Call, Reply, Request } from './protocol.ts';

/** The thread's program lies beside this file: `.ts` in a checkout, `.js` in `dist`. */
const PROGRAM = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

interface Caller {
  resolve(answer: Answers[keyof Answers]): void;
  reject(error: CodedError): void;
}

/** Where a request is answered. A thread with nothing to do does not keep the process alive. */
export class HashingThread {
  readonly #worker: Worker;
  readonly #callers = new Map<number, Caller>();
  #calls = 0;
  #ended = false;

  /** `limits` for a thread that makes much garbage and needs little memory. */
  constructor(program: URL = PROGRAM, limits: ResourceLimits = {}) {
    this.#worker = new Worker(program, {
      execArgv: [],
      env: threadEnvironment(),
      resourceLimits: limits,
    });
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
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
  call<R extends Request>(request: R, transfer: Transferable[] = []): Promise<Answers[R['kind']]> {
    if (this.#ended) return Promise.reject(gone());
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      if (!this.busy) this.#worker.ref();
      this.#callers.set(id, { resolve: resolve as Caller['resolve'], reject });
      this.#worker.postMessage({ id, request } satisfies Call, transfer);
    });
  }

  /** Ends the thread at once; whoever still waits is told. */
  async close(): Promise<void> {
    await this.#worker.terminate();
    this.#end();
  }

  #settle(reply: Reply): void {
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
    for (const caller of callers) caller.reject(gone(cause));
  }
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

function gone(cause?: unknown): CodedError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  const message = `a hashing thread ended before its work was done${reason}`;
  return new CodedError('internal', message, {}, { cause });
}
