/**
 * Is the server about to be more than busy? It looks at itself twice a second: how late its
 * timers are, how full its memory is, and whether anybody was refused a place. It calls itself
 * pressed after some bad looks in a row, and well again only after more good ones, so that
 * readiness does not flicker.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** One look. */
export interface Look {
  /** Milliseconds by which timers are late (99 of 100 are less so). */
  readonly lag: number;
  /** The part of the heap's, or the machine's, memory that is in use. */
  readonly memory: number;
  /** Requests that were refused a place since the last look. */
  readonly refused: number;
}

/** Milliseconds between two looks. */
export const LOOK_MS = 500;
/** From here on a look is bad … */
export const BAD: Omit<Look, 'refused'> = { lag: 500, memory: 0.9 };
/** … and up to here it is good. Between the two everything stays as it is. */
export const GOOD: Omit<Look, 'refused'> = { lag: 150, memory: 0.8 };
/** Bad looks in a row that turn readiness red, and good ones that turn it green. */
export const LOOKS_TO_RED = 3;
export const LOOKS_TO_GREEN = 6;

type State = 'well' | 'pressed' | 'full';

const REASONS: Readonly<Record<Exclude<State, 'well'>, string>> = {
  pressed: 'the server is short of processor time or memory and refuses what it can',
  full: 'more is asked of the server than it has places for',
};

/** Tells the state from looks; has no clock of its own. */
export class Pressure {
  #state: State = 'well';
  #bad = 0;
  #good = 0;

  /** True while there is not enough processor time or memory for all places. */
  readonly isPressed = (): boolean => this.#state === 'pressed';

  /** Why nobody should send more, in one sentence; undefined when all is well. */
  reason(): string | undefined {
    return this.#state === 'well' ? undefined : REASONS[this.#state];
  }

  take(look: Look): void {
    const isShort = look.lag >= BAD.lag || look.memory >= BAD.memory;
    const isEasy = look.lag <= GOOD.lag && look.memory <= GOOD.memory && look.refused === 0;
    this.#bad = isShort || look.refused > 0 ? this.#bad + 1 : 0;
    this.#good = isEasy ? this.#good + 1 : 0;
    if (this.#bad >= LOOKS_TO_RED) this.#state = isShort ? 'pressed' : 'full';
    else if (this.#good >= LOOKS_TO_GREEN) this.#state = 'well';
  }
}

/** Looks at this process from now on; `refused` counts since it began. Ends when the result is called. */
export function watchPressure(pressure: Pressure, refused: () => number): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let before = refused();
  const timer = setInterval(() => {
    const now = refused();
    const lag = delay.count > 0 ? delay.percentile(99) / 1e6 : 0;
    pressure.take({ lag, memory: memoryInUse(), refused: now - before });
    before = now;
    delay.reset();
  }, LOOK_MS).unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}

/** The fuller of the two: JavaScript's own heap, or what the system grants the process. */
function memoryInUse(): number {
  const { used_heap_size: heap, heap_size_limit: most } = getHeapStatistics();
  const granted = process.constrainedMemory();
  // Without a limit the system says 0, or more than any machine has.
  const isGranted = granted > 0 && granted < Number.MAX_SAFE_INTEGER;
  return Math.max(heap / most, isGranted ? process.memoryUsage.rss() / granted : 0);
}
