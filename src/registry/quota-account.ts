/**
 * What one server knows of one namespace's quota: its grants, and what it has done with them.
 * Declarations take from the grants without asking anybody; when there is not enough, all that
 * wait are taken to the store together, in one compare-and-swap. What is not needed any more
 * goes back a moment after the last declaration has ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '../core/error.ts';
import type { Namespace } from '../core/release/name.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { type Held, load } from './documents/form.ts';
import {
  type Amount,
  type Limits,
  minus,
  NOTHING,
  plus,
  type QuotaRecord,
  quotaForm,
} from './documents/quota.ts';
import { countNamespace } from './quota-count.ts';
import { type Folded, judge, type Refusal, type Want } from './quota-judge.ts';
import { repairQuota } from './quota-repair.ts';

/** Milliseconds for which a namespace that has no quota is taken to have none. */
export const LOOK_MS = 10_000;
/** Milliseconds for which a grant is used before the limits are looked at again. */
export const GRANT_MS = 30_000;
/** Milliseconds after the last declaration at which unused grants go back. */
const FLUSH_MS = 1_000;
/** Milliseconds between two repairs because somebody would be refused. */
const REPAIR_EVERY_MS = 10_000;
/** Seconds after which what another server has set aside may be free. */
const RETRY_AFTER_SECONDS = 2;
/** Milliseconds waited at most after another server was first; doubled each time, up to a bound. */
const LOST_MS = 10;
const MAX_LOST_MS = 500;

/** What a declaration has taken of a quota. Ended exactly once. */
export interface Reservation {
  /** `change` is what counts for good; `unsure` when nobody knows whether the file was written. */
  end(how: 'done' | 'void' | 'unsure', change: Amount): void;
}

const FREE: Reservation = { end: () => {} };

export interface AccountOptions {
  readonly store: Store;
  readonly namespace: Namespace;
  /** Draws it at random when it starts. */
  readonly server: string;
  readonly defaults: Limits | undefined;
  readonly clock: () => number;
}

interface Share {
  granted: Amount | undefined;
  /** When it was granted. */
  at: number;
  spent: Amount;
  inFlight: Amount;
  running: number;
  isUnsure: boolean;
}

interface Waiter {
  readonly want: Want;
  resolve(reservation: Reservation): void;
  reject(error: unknown): void;
}

export class QuotaAccount {
  readonly #options: AccountOptions;
  readonly #shares = new Map<string, Share>();
  #waiting: Waiter[] = [];
  #committing: Promise<void> | undefined;
  #flush: NodeJS.Timeout | undefined;
  #unlimitedUntil = Number.NEGATIVE_INFINITY;
  #repairedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  /** Nothing is lost when the account is forgotten. */
  get isIdle(): boolean {
    return this.#shares.size === 0 && this.#committing === undefined && this.#waiting.length === 0;
  }

  /** Takes what is wanted. Rejects with `quota-exceeded`, or `overloaded` while others may give something back. */
  async reserve(want: Want): Promise<Reservation> {
    const now = this.#options.clock();
    if (now < this.#unlimitedUntil) return FREE;
    const share = this.#shares.get(want.draft);
    const isAtHand = this.#committing === undefined && want.for === 'file';
    if (isAtHand && share !== undefined && covers(share, want.amount, now)) {
      return this.#take(share, want.amount);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ want, resolve, reject });
      this.#begin();
    });
  }

  /** Gives back all that is not used. */
  async close(): Promise<void> {
    clearTimeout(this.#flush);
    while (this.#committing !== undefined) await this.#committing;
    if (this.#shares.size > 0) this.#begin();
    await this.#committing;
  }

  #begin(): void {
    this.#committing ??= this.#commitAll().finally(() => {
      this.#committing = undefined;
      this.#serve();
    });
  }

  /** Who came meanwhile takes of what was just granted; the store is asked for the others alone. */
  #serve(): void {
    const now = this.#options.clock();
    this.#waiting = this.#waiting.filter(({ want, resolve }) => {
      const share = want.for === 'file' ? this.#shares.get(want.draft) : undefined;
      if (share === undefined || !covers(share, want.amount, now)) return true;
      resolve(this.#take(share, want.amount));
      return false;
    });
    if (this.#waiting.length > 0) this.#begin();
  }

  async #commitAll(): Promise<void> {
    clearTimeout(this.#flush);
    const waiters = this.#waiting;
    this.#waiting = [];
    try {
      const refusals = await this.#commit(waiters.map(({ want }) => want));
      for (const [i, { want, resolve, reject }] of waiters.entries()) {
        const refusal = refusals?.[i];
        if (refusals === undefined) resolve(FREE);
        else if (refusal === undefined) resolve(this.#takeGranted(want));
        else reject(this.#refused(refusal));
      }
    } catch (error) {
      for (const share of this.#shares.values()) share.isUnsure = true;
      for (const { reject } of waiters) reject(error);
    }
    this.#flushLater();
  }

  /** What is refused of the wants; undefined when nothing is limited. */
  async #commit(wants: readonly Want[]): Promise<readonly (Refusal | undefined)[] | undefined> {
    const { store, namespace, server, clock, defaults } = this.#options;
    for (let tries = 0; ; tries++) {
      const held = await this.#load();
      if (held === undefined) {
        this.#shares.clear();
        this.#unlimitedUntil = clock() + LOOK_MS;
        return undefined;
      }
      const now = clock();
      const folded = new Map([...this.#shares].map(([name, share]) => [name, foldedOf(share)]));
      const limits = held.value.limits ?? defaults ?? {};
      const judged = judge(held.value, { server, now, limits }, folded, wants);
      if (judged.refusals.some((it) => it !== undefined) && (await this.#repairs(now))) continue;
      if (!judged.isChanged) return judged.refusals;
      const next = { ...judged.record, generation: held.value.generation + 1 };
      const bytes = quotaForm.format(next);
      if ((await store.swap(keys.quota(namespace), held.version, bytes)) === undefined) {
        await pause(Math.random() * Math.min(MAX_LOST_MS, LOST_MS * 2 ** tries));
        continue;
      }
      this.#settle(folded, next, now);
      return judged.refusals;
    }
  }

  /** The quota; one that is not there yet is counted, where the server has limits for all. */
  async #load(): Promise<Held<QuotaRecord> | { value: QuotaRecord; version: null } | undefined> {
    const { store, namespace, defaults } = this.#options;
    const held = await load(store, keys.quota(namespace), quotaForm);
    if (held !== undefined || defaults === undefined) return held;
    const counted = await countNamespace(store, namespace);
    return { value: { v: 1, generation: 0, ...counted }, version: null };
  }

  /** Before anybody is refused what is wrong is set right, if it was not a moment ago. */
  async #repairs(now: number): Promise<boolean> {
    const { store, namespace } = this.#options;
    if (Math.abs(now - this.#repairedAt) < REPAIR_EVERY_MS) return false;
    this.#repairedAt = now;
    await repairQuota({ store, namespace, now }).catch(() => {});
    return true;
  }

  /** What was folded into the document is told no more. */
  #settle(folded: ReadonlyMap<string, Folded>, { drafts }: QuotaRecord, now: number): void {
    for (const [name, { spent }] of folded) {
      const share = this.#shares.get(name)!;
      share.spent = minus(share.spent, spent);
      share.isUnsure = false;
    }
    const { server } = this.#options;
    for (const name of new Set([...this.#shares.keys(), ...Object.keys(drafts)])) {
      const granted = drafts[name]?.grants[server];
      const share = this.#shares.get(name);
      if (granted !== undefined) {
        const mine = share ?? newShare();
        mine.granted = { files: granted.files, bytes: granted.bytes };
        mine.at = now;
        this.#shares.set(name, mine);
      } else if (share !== undefined) this.#shares.delete(name);
    }
  }

  #takeGranted({ draft, amount, for: purpose }: Want): Reservation {
    const share = purpose === 'file' ? this.#shares.get(draft) : undefined;
    return share === undefined ? FREE : this.#take(share, amount);
  }

  #take(share: Share, amount: Amount): Reservation {
    share.inFlight = plus(share.inFlight, amount);
    share.running += 1;
    return {
      end: (how, change) => {
        share.inFlight = minus(share.inFlight, amount);
        share.running -= 1;
        if (how === 'done') share.spent = plus(share.spent, change);
        if (how === 'unsure') {
          // Rather too much than too little, until it is counted.
          share.spent = plus(share.spent, amount);
          share.isUnsure = true;
        }
        this.#flushLater();
      },
    };
  }

  #flushLater(): void {
    const { size } = this.#shares;
    const isBusy = [...this.#shares.values()].some(({ running }) => running > 0);
    if (size === 0 || isBusy || this.#committing !== undefined) return;
    clearTimeout(this.#flush);
    this.#flush = setTimeout(() => this.#begin(), FLUSH_MS).unref();
  }

  #refused(refusal: Refusal): CodedError {
    const { namespace } = this.#options;
    const { what, used, asked, limit, setAside } = refusal;
    if (used - setAside + asked <= limit) {
      const message = `other uploads to ${namespace} have set aside what is left of its quota; try again in a moment`;
      return new CodedError('overloaded', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    return new CodedError('quota-exceeded', sentenceOf(namespace, refusal), {
      namespace,
      what,
      used,
      asked,
      limit,
    });
  }
}

function sentenceOf(namespace: Namespace, { what, used, asked, limit }: Refusal): string {
  const cure = 'withdraw drafts, or have the operator raise it';
  if (what === 'drafts') {
    return `${namespace} has ${used} open drafts, and its quota is ${limit}; ${cure}`;
  }
  return `${namespace} uses ${used} of ${limit} ${what}, and this asks for ${asked} more; ${cure}`;
}

function newShare(): Share {
  const [spent, inFlight] = [NOTHING, NOTHING];
  return { granted: undefined, at: 0, spent, inFlight, running: 0, isUnsure: false };
}

/** Is there enough of a grant that is still good? */
function covers(share: Share, amount: Amount, now: number): boolean {
  if (share.granted === undefined || share.isUnsure || now - share.at >= GRANT_MS) return false;
  const left = minus(minus(share.granted, share.spent), share.inFlight);
  return left.files >= amount.files && left.bytes >= amount.bytes;
}

function foldedOf(share: Share): Folded {
  const { spent, inFlight, running, granted, isUnsure } = share;
  return { spent, inFlight, isBusy: running > 0, isGranted: granted !== undefined, isUnsure };
}
