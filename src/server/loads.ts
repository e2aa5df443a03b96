/**
 * What a server does at once, and for how long. Each request is of one class; a class has so
 * many places, so many seats to wait in, and a time by which its answer must have begun.
 * Whatever is more is told at once to come again: a queue that grows without bound answers
 * nobody in the end. Health is asked by machines that must always hear something: it takes no
 * place.
 */
import { CodedError } from '../core/error.ts';

/** The classes of requests. */
export type Load = 'read' | 'content' | 'part' | 'write' | 'log' | 'exchange';

export interface LoadLimit {
  /** Requests that run at the same time. */
  readonly atOnce: number;
  /** Of these, those of one caller at most. */
  readonly each: number;
  /** Requests that wait for a place. */
  readonly waiting: number;
  /** Milliseconds that one waits at most. */
  readonly patience: number;
  /** Milliseconds from its place until its answer must have begun. */
  readonly deadline: number;
}

const SECOND = 1_000;

export const LOAD_LIMITS: Readonly<Record<Load, LoadLimit>> = {
  /** Documents, lists, checkpoints and tiles: milliseconds each. */
  read: { atOnce: 256, each: 256, waiting: 1_024, patience: 5 * SECOND, deadline: 30 * SECOND },
  /** Files on their way out, at their readers' pace; how many have a body, `content.ts` bounds. */
  content: { atOnce: 2_048, each: 2_048, waiting: 0, patience: 0, deadline: 60 * SECOND },
  /** Parts on their way in, at their senders' pace; each that waits holds a megabyte. */
  part: { atOnce: 256, each: 128, waiting: 128, patience: 10 * SECOND, deadline: 60 * SECOND },
  /** Drafts, declarations, seals that begin. */
  write: { atOnce: 256, each: 128, waiting: 1_024, patience: 10 * SECOND, deadline: 60 * SECOND },
  /** What waits for the log; the pool has its own limit. */
  log: { atOnce: 4_096, each: 4_096, waiting: 0, patience: 0, deadline: 120 * SECOND },
  /** An issuer of identities may take seconds to answer. */
  exchange: { atOnce: 64, each: 64, waiting: 0, patience: 0, deadline: 30 * SECOND },
};

/** The time by which a refused client may come again; drawn from a span, so that not all come together. */
const RETRY_AFTER_SECONDS = { least: 1, most: 4 } as const;
/** The part of the places that there are while the server is short of time or memory. */
const PRESSED_SHARE = 1 / 4;

interface Waiter {
  readonly caller: string;
  resolve(): void;
  reject(error: unknown): void;
}

/** The places of one class. */
export class Gate {
  readonly #load: Load;
  readonly #limit: LoadLimit;
  readonly #isPressed: () => boolean;
  readonly #byCaller = new Map<string, number>();
  readonly #waiting = new Set<Waiter>();
  #running = 0;
  #refused = 0;

  constructor(load: Load, limit: LoadLimit, isPressed: () => boolean) {
    this.#load = load;
    this.#limit = limit;
    this.#isPressed = isPressed;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Refused since the server began. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Resolves when there is a place; `leave` gives it back. Rejects with `overloaded` when too
   * many wait or this one has waited too long, with `interrupted` when its client is gone.
   */
  async enter(caller: string, gone: AbortSignal): Promise<void> {
    if (this.tryEnter(caller)) return;
    if (gone.aborted) throw clientGone();
    if (this.#isPressed() || this.#waiting.size >= this.#limit.waiting) throw this.#refuse();
    await this.#wait(caller, gone);
  }

  /** Takes a place if there is one, and nobody waits for it. */
  tryEnter(caller: string): boolean {
    if (this.#waiting.size > 0 || !this.#hasPlace(caller)) return false;
    this.#take(caller);
    return true;
  }

  leave(caller: string): void {
    this.#running -= 1;
    const mine = this.#byCaller.get(caller)! - 1;
    if (mine === 0) this.#byCaller.delete(caller);
    else this.#byCaller.set(caller, mine);
    this.#admit();
  }

  /** First come, first served, but for callers who have their share already. */
  #admit(): void {
    for (const waiter of this.#waiting) {
      if (this.#running >= this.#places()) return;
      if (!this.#hasPlace(waiter.caller)) continue;
      this.#take(waiter.caller);
      waiter.resolve();
    }
  }

  #wait(caller: string, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        gone.removeEventListener('abort', leave);
        this.#waiting.delete(waiter);
        settle();
      };
      const waiter: Waiter = {
        caller,
        resolve: () => end(resolve),
        reject: (e) => end(() => reject(e)),
      };
      const leave = () => waiter.reject(clientGone());
      const timer = setTimeout(() => waiter.reject(this.#refuse()), this.#limit.patience);
      gone.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #places(): number {
    const { atOnce } = this.#limit;
    return this.#isPressed() ? Math.max(1, Math.floor(atOnce * PRESSED_SHARE)) : atOnce;
  }

  #hasPlace(caller: string): boolean {
    const mine = this.#byCaller.get(caller) ?? 0;
    return this.#running < this.#places() && mine < this.#limit.each;
  }

  #take(caller: string): void {
    this.#running += 1;
    this.#byCaller.set(caller, (this.#byCaller.get(caller) ?? 0) + 1);
  }

  #refuse(): CodedError {
    this.#refused += 1;
    const { least, most } = RETRY_AFTER_SECONDS;
    return new CodedError(
      'overloaded',
      'the server has more to do than it can; try again in a moment',
      {
        load: this.#load,
        retryAfterSeconds: least + Math.random() * (most - least),
      },
    );
  }
}

function clientGone(): CodedError {
  return new CodedError('interrupted', 'the client went away');
}
