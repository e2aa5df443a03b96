/**
 * When a request is made again, and how long is waited before. Only what may be repeated is:
 * the caller says so for each request.
 *
 * The wait is drawn evenly from nothing up to a bound that doubles ("full jitter"), so that a
 * thousand clients of a server that came back do not come back together. A server that says
 * `Retry-After` is obeyed, up to a bound; beyond it the failure is passed on.
 */
import { CodedError, isCoded } from '../core/error.ts';

/** Times a request is made before its failure is the caller's. */
export const MAX_ATTEMPTS = 6;
/** Milliseconds: the bound of the first wait, and of any. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
/** Seconds of a `Retry-After` that are waited for. */
export const MAX_RETRY_AFTER_SECONDS = 60;

/** The part of a `Retry-After` over which those who obey it come back. */
const SPREAD = 1 / 4;

/** What waiting needs; replaced in tests, so that nothing sleeps. */
export interface Pauses {
  /** Resolves after `ms`; rejects with `interrupted` when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** 0 to 1. */
  random(): number;
}

export const realPauses: Pauses = { sleep, random: Math.random };

/** Milliseconds to wait before attempt number `next` (2, 3 …); undefined when it is not worth trying. */
export function waitBefore(next: number, error: unknown, pauses: Pauses): number | undefined {
  if (next > MAX_ATTEMPTS || !isTransient(error)) return undefined;
  const bound = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (next - 2));
  const asked = error.details.retryAfterSeconds;
  if (typeof asked !== 'number') return Math.round(pauses.random() * bound);
  if (asked > MAX_RETRY_AFTER_SECONDS) return undefined;
  // All that were refused at once were told the same: they come back over a span of time.
  const spread = Math.max(bound, asked * 1000 * SPREAD);
  return asked * 1000 + Math.round(pauses.random() * spread);
}

/** Runs `act` until it succeeds, fails for good, or has failed too often. */
export async function withRetries<T>(
  act: (attempt: number) => Promise<T>,
  pauses: Pauses,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act(attempt);
    } catch (error) {
      const wait = signal?.aborted ? undefined : waitBefore(attempt + 1, error, pauses);
      if (wait === undefined) throw error;
      await pauses.sleep(wait, signal);
    }
  }
}

/** The seconds in a `Retry-After` header (RFC 9110, section 10.2.3), whichever form it has. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header);
  const until = Date.parse(header);
  return Number.isNaN(until) ? undefined : Math.max(0, Math.ceil((until - now) / 1000));
}

/** Asked to stop: by a signal, that is by the person. */
export function interruption(signal: AbortSignal): CodedError {
  return new CodedError(
    'interrupted',
    'stopped; the same command goes on from here',
    {},
    {
      cause: signal.reason,
    },
  );
}

function isTransient(error: unknown): error is CodedError {
  return isCoded(error) && error.details.transient === true;
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(interruption(signal));
    const stop = () => {
      clearTimeout(timer);
      reject(interruption(signal!));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
