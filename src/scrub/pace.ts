/**
 * How fast the scrub may read: so many bytes a second on average, by one clock for all that
 * reads at the same time. What was not read for a while is not made up for.
 */
import { interrupted } from './stop.ts';

/** What each request costs beside its bytes: small documents are not for nothing. */
const REQUEST_BYTES = 4 * 1024;

export interface PaceOptions {
  /** Bytes a second; undefined for as fast as it goes. */
  readonly rate?: number | undefined;
  /** Milliseconds, from any start. */
  readonly clock?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

export class Pace {
  readonly isLimited: boolean;
  readonly #rate: number;
  readonly #clock: () => number;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #signal: AbortSignal;
  /** When what was let through so far is due. */
  #due = Number.NEGATIVE_INFINITY;
  /** Bytes so far. */
  bytes = 0;

  constructor({ rate, clock = () => performance.now(), sleep = pause, signal }: PaceOptions) {
    this.isLimited = rate !== undefined;
    this.#rate = rate ?? Number.POSITIVE_INFINITY;
    this.#clock = clock;
    this.#sleep = sleep;
    this.#signal = signal;
  }

  /** Waits until so many bytes may be read. Throws `interrupted`. */
  async take(bytes: number, requests = 0): Promise<void> {
    if (this.#signal.aborted) throw interrupted(this.#signal);
    this.bytes += bytes;
    if (!this.isLimited) return;
    const now = this.#clock();
    const begin = Math.max(now, this.#due);
    this.#due = begin + (1000 * (bytes + requests * REQUEST_BYTES)) / this.#rate;
    if (begin > now) await this.#sleep(begin - now, this.#signal);
  }

  /** One request for a small object. */
  request(bytes = 0): Promise<void> {
    return this.take(bytes, 1);
  }
}

/** Resolves after `ms`; rejects with `interrupted`. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(interrupted(signal));
    const stop = () => {
      clearTimeout(timer);
      reject(interrupted(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
