/**
 * How the log grew: a few dozen entries, evenly spread, and when each was logged. They stand on
 * a grid that stays where it is while the log grows, so that nearly all of them are known
 * already when they are asked for again.
 */
import { BoundedMap } from '../../core/bounded-map.ts';
import { TILE_WIDTH } from '../../core/log/tile.ts';
import { inParallel } from '../../core/parallel.ts';
import type { LogReader } from '../../log/reader.ts';
import { parsedOrNot, timeOf } from './log-entries.ts';

/** Entries that a chart is drawn from, at most. */
export const MAX_SAMPLES = 48;
/** Bundles that are read at a time. */
const BUNDLES_AT_ONCE = 4;
/** Times that are kept: those of some former grids, too. */
const KEPT_TIMES = 1_024;

/** How many entries the log had at an instant. */
export interface GrowthPoint {
  readonly size: number;
  readonly time: string;
}

export class Growth {
  readonly #log: Pick<LogReader, 'entries'>;
  readonly #known = new BoundedMap<number, GrowthPoint | undefined>(KEPT_TIMES);
  #last: { readonly size: number; readonly points: Promise<readonly GrowthPoint[]> } | undefined;

  constructor(log: Pick<LogReader, 'entries'>) {
    this.#log = log;
  }

  /** How a log of `size` entries became so; oldest first. */
  points(size: number): Promise<readonly GrowthPoint[]> {
    if (this.#last?.size === size) return this.#last.points;
    const last = { size, points: this.#read(size) };
    this.#last = last;
    last.points.catch(() => {
      if (this.#last === last) this.#last = undefined;
    });
    return last.points;
  }

  async #read(size: number): Promise<readonly GrowthPoint[]> {
    const samples = samplesOf(size);
    const unknown = samples.filter((index) => !this.#known.has(index));
    const bundles = Map.groupBy(unknown, (index) => Math.floor(index / TILE_WIDTH));
    await inParallel([...bundles], BUNDLES_AT_ONCE, async ([bundle, indexes]) => {
      const first = bundle * TILE_WIDTH;
      const entries = await this.#log.entries(first, Math.min(first + TILE_WIDTH, size));
      for (const index of indexes) this.#known.set(index, pointAt(entries, first, index));
    });
    const points = samples.flatMap((index) => this.#known.get(index) ?? []);
    return points.filter((point, i) => point.size !== points[i - 1]?.size);
  }
}

/** Which entries of a log of `size` are looked at: the first, the last, and between them a grid. */
export function samplesOf(size: number): number[] {
  if (size === 0) return [];
  let step = 1;
  while (Math.ceil(size / step) >= MAX_SAMPLES) step *= 2;
  const grid = Array.from({ length: Math.ceil(size / step) }, (_, i) => i * step);
  return grid.at(-1) === size - 1 ? grid : [...grid, size - 1];
}

/** The entry at `index`, or the nearest before it, or else behind it, that says when it was logged. */
function pointAt(
  entries: readonly Uint8Array[],
  first: number,
  index: number,
): GrowthPoint | undefined {
  const slot = index - first;
  const before = Array.from({ length: slot + 1 }, (_, i) => slot - i);
  const behind = Array.from({ length: entries.length - slot - 1 }, (_, i) => slot + 1 + i);
  for (const each of [...before, ...behind]) {
    const time = timeOf({ parsed: parsedOrNot(entries[each]!) });
    if (time !== undefined) return { size: first + each + 1, time };
  }
  return undefined;
}
