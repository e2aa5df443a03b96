/**
 * The scrub: reads every object of the store against what it must be, again and again, so that
 * rot is found while there is still something to repair it from.
 *
 *     await new Scrub(parts).run({ fresh: true })
 *
 * What must be there follows from the log (`walk/`), what it must be from digests, signatures
 * and entries (`check/`). What is wrong is looked at twice before it is written down, for the
 * store is in use meanwhile. Where the scrub is lies in the store too (`pass.ts`).
 */
import type { Host } from '../core/host.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { Damages } from '../registry/damages.ts';
import type { DamageRecord } from '../registry/documents/damage.ts';
import type { Store } from '../store/contract.ts';
import type { Key } from '../store/keys.ts';
import { readBasis } from './basis.ts';
import { Pace, pause } from './pace.ts';
import { Passes, type Unit } from './pass.ts';
import type { PassRecord } from './pass-form.ts';
import { interrupted } from './stop.ts';
import { type UnitParts, UnitRun } from './unit-run.ts';

/** Milliseconds between two looks whether others are done with the last units. */
const WAIT_MS = 2_000;

export interface ScrubParts {
  readonly store: Store;
  readonly host: Host;
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  readonly damages: Damages;
  /** 32 hex digits, this process's own. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Bytes a second; as fast as it goes where there is none. */
  readonly rate?: number | undefined;
  readonly signal: AbortSignal;
  /** Waits; replaced in tests, so that nothing sleeps. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProgress?: ((progress: ScrubProgress) => void) | undefined;
  /** Told of each object that was found damaged, and of each that is whole again. */
  readonly onFound?: ((object: Key, record: DamageRecord | undefined) => void) | undefined;
}

export interface ScrubProgress {
  readonly unit: Unit;
  /** Units of the pass that are taken, of how many. */
  readonly units: number;
  readonly total: number;
  /** By this process, since it began. */
  readonly objects: number;
  readonly bytes: number;
}

/** What a run of this process did, and how the pass stands. */
export interface ScrubReport {
  readonly pass: PassRecord;
  readonly objects: number;
  readonly bytes: number;
  /** Objects that were found whole again. */
  readonly healed: readonly Key[];
}

export class Scrub {
  readonly #parts: ScrubParts;
  readonly #passes: Passes;
  readonly #pace: Pace;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #healed: Key[] = [];
  #objects = 0;

  constructor(parts: ScrubParts) {
    this.#parts = parts;
    this.#sleep = parts.sleep ?? pause;
    this.#passes = new Passes(parts);
    const { rate, signal } = parts;
    this.#pace = new Pace({
      rate,
      signal,
      ...(parts.sleep && { sleep: parts.sleep, clock: parts.clock }),
    });
  }

  /** The pass that runs, or ran last. */
  state(): Promise<PassRecord | undefined> {
    return this.#passes.read();
  }

  /**
   * Works on the pass that is under way until it ends, or on a new one. With `fresh` what was
   * done of the one under way counts for nothing. Throws `interrupted`, and what the store
   * throws when it does not answer; the next run goes on from there.
   */
  async run({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<ScrubReport> {
    const { store, host, signal } = this.#parts;
    const { log } = await readBasis(store, host);
    const { pass } = await this.#passes.begin(log?.head.size ?? 0, fresh);
    for (;;) {
      if (signal.aborted) throw interrupted(signal);
      const claimed = await this.#passes.claim(pass);
      if (claimed === 'ended') break;
      if (claimed === 'wait') await this.#sleep(WAIT_MS, signal);
      else await new UnitRun(this.#unitParts(), claimed).run(await readBasis(store, host));
    }
    await this.#parts.damages.refresh();
    const ended = await this.#passes.read();
    return {
      pass: ended!,
      objects: this.#objects,
      bytes: this.#pace.bytes,
      healed: this.#healed,
    };
  }

  #unitParts(): UnitParts {
    const { onFound } = this.#parts;
    return {
      ...this.#parts,
      pace: this.#pace,
      passes: this.#passes,
      sleep: this.#sleep,
      onObject: (unit: Unit, number: number, total: number) => {
        this.#objects++;
        const progress = { unit, units: number + 1, total, objects: this.#objects };
        this.#parts.onProgress?.({ ...progress, bytes: this.#pace.bytes });
      },
      onFound: (object, record) => {
        if (record === undefined) this.#healed.push(object);
        onFound?.(object, record);
      },
    };
  }
}
