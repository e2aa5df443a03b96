/** What a part of the benchmarks reports: ours beside a peer or a limit, measured in the same run. */

/** A part, one file in `parts/`. It yields its figures as they are measured. */
export interface Part {
  /** One line for `--help`. */
  readonly about: string;
  measure(bench: Bench): AsyncIterable<Figure>;
}

/** What a part is given. */
export interface Bench {
  /** For made weights and whatever the part writes; all parts share it. */
  readonly folder: string;
  /** How many turns each contender takes; at least 3. */
  readonly rounds: number;
  /** Bytes of weights to measure with; 2 GiB unless told otherwise. */
  readonly size: number;
  /** For people: what is being done. */
  say(text: string): void;
}

/** One round: what each contender reached. */
export type Round = Readonly<Record<string, number>>;

export interface Figure {
  /** What is measured, in words. */
  readonly figure: string;
  /** Unit of `ours` and `peer`, such as MB/s. */
  readonly unit: string;
  /** Medians over the rounds. */
  readonly ours?: number;
  readonly peer?: number;
  /** Median over the rounds of ours ÷ peer, so that a machine that was busy for a while slows both. */
  readonly ratio?: number;
  /** What the ratio, or `ours` where there is no peer, has to reach (or stay under). */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The programs, as they may be run by hand. */
  readonly command: Readonly<Record<string, string>>;
  readonly runs: readonly Round[];
  /** A program that was not found; then nothing is said about it. */
  readonly missing?: string;
}

/** Has the figure reached what it must? Undefined when that was not measured, or nothing was asked of it. */
export function isMet({
  ours,
  peer,
  ratio,
  missing,
  atLeast,
  atMost,
}: Figure): boolean | undefined {
  const reached = ratio ?? (peer === undefined ? ours : undefined);
  if (missing !== undefined || reached === undefined) return undefined;
  if (atLeast === undefined && atMost === undefined) return undefined;
  return (
    (atLeast === undefined || reached >= atLeast) && (atMost === undefined || reached <= atMost)
  );
}

/** A figure out of rounds in which `ours` and `peer` both took their turn. */
export function compare(
  about: Omit<Figure, 'ours' | 'peer' | 'ratio' | 'runs' | 'missing'>,
  runs: readonly { readonly ours: number; readonly peer: number }[],
): Figure {
  return {
    ...about,
    ours: round(median(runs.map((run) => run.ours))),
    peer: round(median(runs.map((run) => run.peer))),
    ratio: round(median(runs.map((run) => run.ours / run.peer))),
    runs: runs.map(({ ours, peer }) => ({ ours: round(ours), peer: round(peer) })),
  };
}

/** The figure of a comparison whose peer `missing` is not on this machine. */
export function withoutPeer(
  about: Omit<Figure, 'ours' | 'peer' | 'ratio' | 'runs' | 'missing'>,
  missing: string,
): Figure {
  return { ...about, runs: [], missing };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that `share` of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Four digits are more than any run repeats. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** To a tenth of a millisecond. */
export function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
