/**
 * The scrub beside a server: one pass after another, at a rate that nobody notices. Servers over
 * one store share a pass; when it is done, the next one begins a day after it began.
 */
import type { Host } from '../core/host.ts';
import { HashingPool } from '../hashing/pool.ts';
import { pause } from './pace.ts';
import { Scrub, type ScrubParts } from './scrub.ts';

/** Milliseconds from the beginning of a pass to that of the next. */
const EVERY_MS = 24 * 3600 * 1000;
/** Milliseconds after the start of a server: it has other things to do first. */
const FIRST_MS = 60_000;
/** Milliseconds between two looks whether it is time, and after a failure. */
const LOOK_MS = 10 * 60_000;
const FAILURE_MS = 60_000;

export interface BackgroundParts
  extends Pick<ScrubParts, 'store' | 'damages' | 'holder' | 'clock' | 'onFound'> {
  readonly host: Host;
  /** Bytes a second. */
  readonly rate: number;
  /** Told how much was looked at and read since it was told last. */
  readonly onRead: (objects: number, bytes: number) => void;
  readonly onFailure: (cause: unknown) => void;
  /** Milliseconds before it begins; fewer only in tests. */
  readonly firstMs?: number;
}

export class BackgroundScrub {
  readonly #parts: BackgroundParts;
  readonly #abort = new AbortController();
  /** One thread: the others are for those who wait. */
  readonly #hashing = new HashingPool({ threads: 1 });
  readonly #running: Promise<void>;

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** Stops at a point from which it goes on, here or elsewhere. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#hashing.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    await pause(this.#parts.firstMs ?? FIRST_MS, signal).catch(() => {});
    while (!signal.aborted) {
      const wait = await this.#pass().catch((error: unknown) => {
        if (!signal.aborted) this.#parts.onFailure(error);
        return FAILURE_MS;
      });
      await pause(wait, signal).catch(() => {});
    }
  }

  /** Works on a pass if it is time; resolves to how long nothing is to be done. */
  async #pass(): Promise<number> {
    const { clock, onRead } = this.#parts;
    const { signal } = this.#abort;
    let told = { objects: 0, bytes: 0 };
    const scrub = new Scrub({
      ...this.#parts,
      hashing: this.#hashing,
      signal,
      onProgress: ({ objects, bytes }) => {
        onRead(objects - told.objects, bytes - told.bytes);
        told = { objects, bytes };
      },
    });
    const last = await scrub.state();
    const due = last?.ended === undefined ? 0 : Date.parse(last.begun) + EVERY_MS;
    const wait = due - clock();
    // A clock that was set back must not stop it for a year.
    if (wait > 0 && wait <= EVERY_MS) return Math.min(wait, LOOK_MS);
    await scrub.run();
    return LOOK_MS;
  }
}
