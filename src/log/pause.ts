/**
 * Patience with a store that fails for a while: a full disk, a dropped connection. The same
 * step is tried again after a pause that grows. What no waiting can cure is thrown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, type ErrorCode, isCoded, messageOf } from '../core/error.ts';

/** Waits before another try, or throws when there is no use in one. */
export type Pause = (cause: unknown) => Promise<void>;

const FIRST_MS = 20;
const LONGEST_MS = 2000;

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'storage',
  'disk-full',
  'unknown-outcome',
  'network',
  'overloaded',
]);

const ENDING: ReadonlySet<ErrorCode> = new Set(['fork', 'rolled-back']);

/** Must the log stop for good? Damage, a fork, and what a store marks as `fatal` (a failed fsync). */
export function isFatal(error: unknown): boolean {
  return isCoded(error) && (ENDING.has(error.code) || error.details.fatal === true);
}

/** Can `error` go away by itself? */
export function isPassing(error: unknown): boolean {
  return isCoded(error) && PASSING.has(error.code) && !isFatal(error);
}

/** The pauses of one step: 20 ms, doubled up to 2 s. `onPause` is told of each cause. */
export function pauses(signal: AbortSignal, onPause?: (cause: unknown) => void): Pause {
  let milliseconds = FIRST_MS;
  return async (cause) => {
    if (!isPassing(cause)) throw cause;
    onPause?.(cause);
    try {
      await sleep(milliseconds, undefined, { signal });
    } catch {
      throw new CodedError(
        'interrupted',
        `stopped while it was tried again: ${messageOf(cause)}`,
        {},
        { cause },
      );
    }
    milliseconds = Math.min(2 * milliseconds, LONGEST_MS);
  };
}

/** Runs `step` until it goes through. */
export async function persist<T>(pause: Pause, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      await pause(error);
    }
  }
}

/**
 * Runs `step` until it goes through, for at most `patience` milliseconds; then what it threw
 * last is thrown. `onPause` is told of each cause.
 */
export async function persistFor<T>(
  { patience, signal, onPause }: Patience,
  step: () => Promise<T>,
): Promise<T> {
  const end = AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])]);
  try {
    return await persist(pauses(end, onPause), step);
  } catch (error) {
    const isOver = isCoded(error, 'interrupted') && end.aborted && !signal?.aborted;
    throw isOver ? error.cause : error;
  }
}

export interface Patience {
  /** Milliseconds. */
  readonly patience: number;
  /** Aborted when the person does not want to wait any longer. */
  readonly signal?: AbortSignal | undefined;
  readonly onPause?: (cause: unknown) => void;
}
