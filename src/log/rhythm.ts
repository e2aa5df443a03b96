/** When the sequencer does something: its period, its rest, and what wakes it from that. */
import type { Pool } from './pool.ts';

/** How long the pool collects, in milliseconds. */
export const DEFAULT_PERIOD = 200;
/** How long the log may stand still before `closing` is asked: heads are due every 15 minutes. */
export const DEFAULT_MAX_IDLE = 10 * 60_000;
/** How often an idle log looks whether its lock still grows out of what it was, in milliseconds. */
export const DEFAULT_WATCH = 10_000;
/** How often a log that stalled looks whether the store takes writes again. */
const HEAL_MS = 1000;

/** Times are milliseconds; what is left out has the default above. */
export interface RhythmOptions {
  readonly period?: number;
  readonly maxIdle?: number;
  readonly watch?: number;
}

/** All times are by `performance.now()`. */
export class Rhythm {
  readonly period: number;
  readonly #maxIdle: number;
  readonly #watch: number;
  /** When the last commit was begun that changed something, or was asked to. */
  idleSince: number;
  #begun = Number.NEGATIVE_INFINITY;
  #watchedAt = performance.now();

  /** `idle`: for how long the log has stood still already. */
  constructor({ period, maxIdle, watch }: RhythmOptions, idle: number) {
    this.period = period ?? DEFAULT_PERIOD;
    this.#maxIdle = maxIdle ?? DEFAULT_MAX_IDLE;
    this.#watch = watch ?? DEFAULT_WATCH;
    this.idleSince = performance.now() - idle;
  }

  /** When the present commit was begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Until there is something to do. */
  untilDue(pool: Pool, isStalled: boolean): number {
    const now = performance.now();
    if (pool.isRipe) return 0;
    if (pool.length > 0) return this.#begun + this.period - now;
    if (isStalled) return this.#begun + HEAL_MS - now;
    return Math.min(this.#untilIdle(now), this.#watchedAt + this.#watch - now);
  }

  /** Begins a commit; false when it was only time to look. */
  begin(hasWork: boolean): boolean {
    const now = performance.now();
    this.#watchedAt = now;
    if (!hasWork && this.#untilIdle(now) > 0) return false;
    this.#begun = now;
    return true;
  }

  /** The next commit begins at once. */
  hurry(): void {
    this.#begun = Number.NEGATIVE_INFINITY;
  }

  #untilIdle(now: number): number {
    return this.idleSince + this.#maxIdle - now;
  }
}
