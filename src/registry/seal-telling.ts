/** What one server writes down of a seal that it runs: see `seal-progress.ts`. */
import type { Digest } from '../core/digest.ts';
import type { Key } from '../store/keys.ts';
import type { Held } from './documents/form.ts';
import { type Sealing, sealingForm } from './documents/sealing.ts';
import type { RegistryParts } from './parts.ts';

/** Milliseconds between two notes of a seal. */
export const NOTE_MS = 3_000;

export interface TellingOptions {
  readonly server: string;
  readonly request: Digest;
  /** Looked at for each note. */
  readonly progress: { readonly bytes: number; readonly total: number };
  /** Called when another server has taken the seal over. */
  readonly lost: () => void;
  /** What is there, of an earlier seal. */
  readonly held: Held<Sealing> | undefined;
}

type State =
  | { readonly state: 'running'; readonly bytes: number; readonly total: number }
  | { readonly state: 'failed'; readonly code: string; readonly message: string };

export class Telling {
  readonly #store: RegistryParts['store'];
  readonly #key: Key;
  readonly #options: TellingOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #held: Held<Sealing> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isLost = false;

  /** Writes a note every few seconds, the first one after as long. */
  constructor(store: RegistryParts['store'], key: Key, options: TellingOptions) {
    this.#store = store;
    this.#key = key;
    this.#options = options;
    this.#held = options.held;
    this.#timer = setInterval(() => this.note(), NOTE_MS).unref();
  }

  /** Notes how far the seal is. A note that cannot be written is left out. */
  note(): Promise<void> {
    const { bytes, total } = this.#options.progress;
    return this.#write({ state: 'running', bytes, total });
  }

  /** The seal has failed: whoever asks any server hears why. False when that could not be written. */
  async failed(code: string, message: string): Promise<boolean> {
    clearInterval(this.#timer);
    await this.#write({ state: 'failed', code, message });
    return this.#held?.value.state === 'failed';
  }

  /** The seal is done, or stopped: nothing is said of it any more. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    if (this.#held === undefined || this.#isLost) return;
    await this.#store.delete(this.#key).catch(() => {});
  }

  #write(state: State): Promise<void> {
    this.#writing = this.#writing.then(() => this.#swap(state)).catch(() => {});
    return this.#writing;
  }

  async #swap(state: State): Promise<void> {
    if (this.#isLost) return;
    const { server, request, lost } = this.#options;
    const generation = (this.#held?.value.generation ?? 0) + 1;
    const value = { v: 1, generation, server, request, ...state } as const;
    const bytes = sealingForm.format(value);
    const version = await this.#store.swap(this.#key, this.#held?.version ?? null, bytes);
    if (version !== undefined) {
      this.#held = { value, version };
      return;
    }
    this.#isLost = true;
    clearInterval(this.#timer);
    lost();
  }
}
