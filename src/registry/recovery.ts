/**
 * What a process left in the middle: publishes, and the registry's seals of gated drafts. Each
 * has a marker in the store; a start goes through all of them. One that cannot be finished (its
 * draft is damaged, the clock is behind the log) is told and stays: it keeps no other from being
 * finished and no server from starting, and it is tried again.
 */
import type { Store } from '../store/contract.ts';
import type { Key, KeyPrefix } from '../store/keys.ts';

/** Milliseconds between two tries of what could not be finished. */
export const RETRY_MS = 60_000;

/** One kind of work that is begun with a marker. */
export interface Begun {
  /** Where its markers are. */
  readonly markers: KeyPrefix;
  /** Finishes what a marker speaks of, or gives it up for good. */
  readonly resume: (marker: Key) => Promise<void>;
}

export interface RecoveryOptions {
  readonly store: Store;
  readonly begun: readonly Begun[];
  /** Told of each that stays, at every try. */
  readonly onUnfinished?: ((marker: Key, cause: unknown) => void) | undefined;
  readonly every?: number;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Tries every marker once, and those that stay again later. Throws when the store cannot list them. */
  async run(): Promise<void> {
    let isDone = true;
    for (const kind of this.#options.begun) isDone = (await this.#resume(kind)) && isDone;
    if (!isDone) this.#later();
  }

  /** Begins no more tries. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Did nothing of that kind stay? */
  async #resume({ markers, resume }: Begun): Promise<boolean> {
    const { store, onUnfinished } = this.#options;
    let isDone = true;
    for await (const marker of store.list(markers)) {
      if (this.#isClosed) return true;
      try {
        await resume(marker);
      } catch (cause) {
        isDone = false;
        onUnfinished?.(marker, cause);
      }
    }
    return isDone;
  }

  #later(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.run().catch(() => this.#later());
    }, this.#options.every ?? RETRY_MS);
    this.#timer.unref();
  }
}
