/**
 * Taking turns. Compare-and-swap makes any number of writers safe, not fast and not fair: of
 * several that try at once one wins, and the others have built a batch for nothing; some
 * stores let them wait for whole seconds on top. So that normally one process at a time tries,
 * the lock says who is next (`turns`, lock.ts):
 *
 *     turns      A commits           → B C A    it is busy, and asks for another turn
 *     A B C      B commits           → C A      A let its turn pass: left out, may wish again
 *                A commits           → B C      it has nothing more to commit
 *                A commits, D wishes → B C D A
 *
 * A newcomer just tries, which an idle log lets it win. Where it loses it leaves a *wish*,
 * `private/turns/<name>`; whoever commits next puts it into the order and removes the wish.
 * One that is next and does nothing, for it has died or is idle, costs the others a deadline,
 * by their own monotonic clocks. A process that is alone waits for nobody, and looks for wishes
 * twice a second while it is busy.
 *
 * None of this is trusted. Whoever lies or errs in it makes others wait or lose, nothing else.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../store/contract.ts';
import { keys, prefixes } from '../store/keys.ts';
import { type Lock, MAX_TURNS } from './lock.ts';

/** How long each process that is before another in turn is waited for, in milliseconds. */
export const TURN_MS = 500;
/** How often whoever waits looks at the lock, in milliseconds, for each process before it. */
const LOOK_EVERY_MS = 15;
/** A process that has committed so lately will do so again. */
const BUSY_MS = 1000;
/** How often a busy process that thinks it is alone looks for wishes, in milliseconds. */
const LISTEN_MS = 500;
/** For so long others that were seen are thought to be still there. */
const COMPANY_MS = 60_000;

/** Who goes when, as one process sees it. */
export interface TurnTaking {
  /** Milliseconds until it may try to replace `lock`, known for `age` milliseconds; 0 for now. */
  wait(lock: Lock, age: number): number;
  /** A turn begins. Is it worth a look whether `lock` is still the newest? */
  begin(lock: Lock): boolean;
  /** The turns after it will have committed upon `before`. `more`: will it have more to commit? */
  next(before: Lock, more: boolean | 'perhaps'): readonly string[];
  /** It has committed. */
  taken(): void;
  /** Another process was first. Nobody need wait for what is done about it; never rejects. */
  lost(): Promise<void>;
}

/** The turns of the process `name`. */
export class PoliteTurns implements TurnTaking {
  readonly #name: string;
  readonly #store: Store;
  #takenAt = Number.NEGATIVE_INFINITY;
  #companyAt = Number.NEGATIVE_INFINITY;
  #listedAt = Number.NEGATIVE_INFINITY;
  #hasWished = false;
  /** The wishes of others that were found last. */
  #wishes: readonly string[] = [];
  #listing: Promise<void> | undefined;

  constructor(name: string, store: Store) {
    this.#name = name;
    this.#store = store;
  }

  wait(lock: Lock, age: number): number {
    const place = lock.turns.indexOf(this.#name);
    if (place >= 0) return Math.max(0, place * TURN_MS - age);
    // Where nobody has a turn there is no use in waiting to be given one.
    return this.#hasWished ? Math.max(0, lock.turns.length * TURN_MS - age) : 0;
  }

  begin(lock: Lock): boolean {
    if (lock.by !== this.#name) this.#companyAt = performance.now();
    const mayHaveCompany = performance.now() - this.#companyAt < COMPANY_MS;
    if (mayHaveCompany || (this.#isBusy && performance.now() - this.#listedAt > LISTEN_MS)) {
      this.#listing ??= this.#list();
    }
    return mayHaveCompany;
  }

  next(before: Lock, more: boolean | 'perhaps'): readonly string[] {
    const place = before.turns.indexOf(this.#name);
    const others = before.turns.slice(place + 1);
    const guests = this.#wishes.filter((name) => !others.includes(name));
    const asks = more === 'perhaps' ? this.#isBusy : more;
    return [...others, ...guests, ...(asks ? [this.#name] : [])].slice(0, MAX_TURNS);
  }

  taken(): void {
    this.#takenAt = performance.now();
    this.#hasWished = false;
    const granted = this.#wishes;
    this.#wishes = [];
    // A wish that stays is granted once more: its process lets that turn pass.
    for (const name of granted) this.#store.delete(keys.turn(name)).catch(() => {});
  }

  async lost(): Promise<void> {
    this.#hasWished = true;
    await this.#store.create(keys.turn(this.#name), new Uint8Array(0)).catch(() => {});
  }

  /** Has it committed so lately that it will again? */
  get #isBusy(): boolean {
    return performance.now() - this.#takenAt < BUSY_MS;
  }

  /** Beside the commits: what is found too late for one is there for the next. */
  async #list(): Promise<void> {
    this.#listedAt = performance.now();
    try {
      const found: string[] = [];
      for await (const key of this.#store.list(prefixes.turns())) {
        const name = key.slice(prefixes.turns().length);
        if (name !== this.#name && found.length < MAX_TURNS) found.push(name);
      }
      this.#wishes = found;
    } catch {
      // Politeness stops no commit.
    } finally {
      this.#listing = undefined;
    }
  }
}

/** What a turn is taken upon: the newest lock that is known. */
export interface Seen {
  readonly seen: { readonly lock: Lock; readonly age: number };
  /** Is it the one that this process stands on? */
  readonly isUpToDate: boolean;
  look(): Promise<void>;
}

/** Resolves when it is the process's turn, or it is to stop. Throws what a look throws. */
export async function untilTurn(log: Seen, turns: TurnTaking, signal: AbortSignal): Promise<void> {
  const looks = turns.begin(log.seen.lock);
  // A lock that is not stood upon yet is the one that a race was just lost to.
  if (looks && log.isUpToDate) await log.look();
  for (;;) {
    const { lock, age } = log.seen;
    const wait = turns.wait(lock, age);
    if (!(wait > 0) || signal.aborted) return;
    const pause = Math.min(wait, Math.ceil(wait / TURN_MS) * LOOK_EVERY_MS);
    await sleep(pause, undefined, { signal }).catch(() => {});
    await log.look();
  }
}
