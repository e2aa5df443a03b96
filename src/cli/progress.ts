/**
 * How far a long command is. On a terminal one line is drawn over and over:
 *
 *     upload  3.2 GiB of 8.0 GiB  40%  512 MiB/s  10 s left  model-00002-of-00008.safetensors
 *
 * Elsewhere, as in a log of CI, the same line is written every ten seconds.
 */

import { formatBytes, formatSeconds } from '../core/amounts.ts';
import type { OnProgress } from '../transfer/progress.ts';
import { plainText } from './output.ts';
import type { Screen } from './world.ts';

/** Milliseconds between two lines, on a terminal and elsewhere. */
export const REDRAW_MS = 100;
export const LINE_MS = 10_000;
/** Milliseconds over which the rate is taken: long enough to be calm, short enough to be true. */
const RATE_WINDOW_MS = 5_000;

/** How far one phase of a command is, in units that `format` writes. */
export interface Step {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly file?: string;
  readonly format: (amount: number) => string;
}

/** Calls `act` every `ms` until the returned function is called. */
export type Ticker = (ms: number, act: () => void) => () => void;

export interface ProgressOptions {
  readonly screen: Screen;
  /** Milliseconds, from any start. */
  readonly clock?: () => number;
  readonly ticker?: Ticker;
}

/** Reports how many entries of the log are done, of how many. */
export type OnEntries = (done: number, total: number) => void;

/** Reports a step of any other kind. */
export type OnStep = (step: Step) => void;

/** Runs `act` and shows the progress that it reports: in bytes, in entries of the log, or otherwise. */
export async function showing<T>(
  options: ProgressOptions,
  act: (report: OnProgress, reportEntries: OnEntries, reportStep: OnStep) => Promise<T>,
): Promise<T> {
  const shown = new ShownProgress(options);
  try {
    return await act(
      ({ bytes, ...step }) => shown.report({ ...step, done: bytes, format: formatBytes }),
      (done, total) => shown.report({ phase: 'audit', done, total, format: formatEntries }),
      (step) => shown.report(step),
    );
  } finally {
    shown.end();
  }
}

class ShownProgress {
  readonly #screen: Screen;
  readonly #clock: () => number;
  readonly #stopTicking: () => void;
  readonly #rates = new Map<string, Rate>();
  #latest: Step | undefined;
  #drawn = false;

  constructor({ screen, clock = () => performance.now(), ticker = realTicker }: ProgressOptions) {
    this.#screen = screen;
    this.#clock = clock;
    this.#stopTicking = ticker(this.#isTerminal ? REDRAW_MS : LINE_MS, () => this.#show());
  }

  report(step: Step): void {
    this.#latest = step;
    const rate = this.#rates.get(step.phase) ?? new Rate();
    this.#rates.set(step.phase, rate);
    rate.add(this.#clock(), step.done);
  }

  end(): void {
    this.#stopTicking();
    if (this.#drawn) this.#screen.write('\r\x1b[2K');
  }

  get #isTerminal(): boolean {
    return this.#screen.isTTY === true;
  }

  #show(): void {
    if (this.#latest === undefined) return;
    const rate = this.#rates.get(this.#latest.phase)!.at(this.#clock());
    const line = describeStep(this.#latest, rate);
    if (!this.#isTerminal) {
      this.#screen.write(`${line}\n`);
      return;
    }
    // One column less: a full line makes some terminals wrap.
    this.#screen.write(`\r\x1b[2K${line.slice(0, (this.#screen.columns ?? 80) - 1)}`);
    this.#drawn = true;
  }
}

/** One line for people; `rate` in units a second. */
export function describeStep({ phase, done, total, file, format }: Step, rate: number): string {
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  const words = [
    phase.padEnd(8),
    `${format(done)} of ${format(total)}`,
    `${String(percent).padStart(3)}%`,
    `${format(rate)}/s`,
  ];
  if (rate > 0 && done < total) words.push(`${formatSeconds((total - done) / rate)} left`);
  if (file !== undefined) words.push(plainText(file));
  return words.join('  ');
}

function formatEntries(count: number): string {
  return `${Math.round(count)} entries`;
}

/** Units a second over the last few seconds. */
class Rate {
  /** Oldest first; the first may be older than the window, to measure from. */
  readonly #samples: { readonly at: number; readonly done: number }[] = [];

  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    // The same phase begins again, with something else.
    if (last !== undefined && done < last.done) this.#samples.length = 0;
    // Many reports come in one millisecond: one sample a redraw is enough.
    if (last !== undefined && at - last.at < REDRAW_MS && this.#samples.length > 1) {
      this.#samples.pop();
    }
    this.#samples.push({ at, done });
    this.#forget(at);
  }

  at(now: number): number {
    this.#forget(now);
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || now <= first.at) return 0;
    return Math.max(0, (1000 * (last.done - first.done)) / (now - first.at));
  }

  #forget(now: number): void {
    while (this.#samples.length > 1 && this.#samples[1]!.at <= now - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
  }
}

function realTicker(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms);
  timer.unref();
  return () => clearInterval(timer);
}
