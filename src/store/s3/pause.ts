/**
 * How a request is repeated that nothing was decided by: after a wait that doubles and is
 * drawn by lot, so that many writers do not come back in step; not for longer than a minute;
 * and never more than a tenth of what succeeds, once the first hundred repeats are used up.
 * A bucket that fails as a whole is not asked twice as much because it fails.
 */

/** Requests that are made until one decides. */
export const MAX_UNDECIDED = 5;
/** Milliseconds after which nothing is repeated any more. */
export const UNDECIDED_MS = 60_000;
const FIRST_PAUSE_MS = 50;

/** Repeats that one client may make beside what it earns. */
export const REPEATS = 100;
/** What a request that succeeded adds. */
const EARNED = 0.1;

/** The repeats that all requests of one client share. */
export class RepeatBudget {
  #left = REPEATS;

  /** To be told of each request that succeeded. */
  earn(): void {
    this.#left = Math.min(REPEATS, this.#left + EARNED);
  }

  /** Takes one repeat; false when there is none. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** The attempts at one step: `while (await attempts.next())`. */
export class Attempts {
  readonly #budget: RepeatBudget;
  readonly #max: number;
  readonly #begun = performance.now();
  #made = 0;

  constructor(budget: RepeatBudget, max = MAX_UNDECIDED) {
    this.#budget = budget;
    this.#max = max;
  }

  /** True, after a pause, when there is to be an attempt (the first costs nothing, nor do those after a conflict). */
  async next(after: 'failure' | 'conflict' = 'failure'): Promise<boolean> {
    const attempt = this.#made++;
    if (attempt === 0) return true;
    if (attempt >= this.#max || performance.now() - this.#begun > UNDECIDED_MS) return false;
    if (after === 'failure' && !this.#budget.spend()) return false;
    const longest = FIRST_PAUSE_MS * 2 ** attempt;
    await new Promise((done) => setTimeout(done, longest * (0.5 + Math.random() / 2)));
    return true;
  }
}
