/**
 * One commit, and what it stands on: the locked tree as this process knows it. An attempt is
 * prepared without a trace, and becomes part of the log by one compare-and-swap; or it loses
 * to another process's, whose tree is then the one to stand on.
 */
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { signCheckpoint, type TreeHead } from '../core/log/checkpoint.ts';
import { checkGrowth } from '../core/log/recompute.ts';
import { openTileTree, type TileTree } from '../core/log/tile-tree.ts';
import { type Growth, grow, type TreeEdge } from '../core/log/tree.ts';
import { keys } from '../store/keys.ts';
import { Batch, type Ground, type Refused } from './batch.ts';
import { follow } from './follow.ts';
import type { Closing, StagedDocument } from './item.ts';
import { formatNonce, formerOf, type HeldLock, type Lock, type Swapped, swapLock } from './lock.ts';
import { type Pause, persist } from './pause.ts';
import type { Waiter } from './pool.ts';
import type { SignedTree } from './publisher.ts';
import { beginsWith, storedTiles } from './reader.ts';
import {
  type Committed,
  headOf,
  type LogOptions,
  requireLock,
  signersOf,
  stagingKey,
} from './recover.ts';
import { applyStaged, formatStaging } from './staging.ts';

export interface CommitOptions extends LogOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** At least 16 fresh random bytes. */
  readonly random: () => Uint8Array;
  /** May add one item to each commit, and is asked after `maxIdle` without one. */
  readonly closing?: Closing;
}

/** Everything that is ready to be committed. */
export interface Attempt {
  readonly base: Committed;
  readonly batch: Batch;
  readonly growth: Growth;
  readonly staged: readonly StagedDocument[];
  readonly lock: Lock;
  /** By `performance.now()`. */
  readonly begun: number;
}

export class Committer {
  /** As it was given: of a copy the keys would never change. */
  readonly #options: CommitOptions;
  /** Of this process, in the lock (`formatProcessName`). */
  readonly #name: string;
  /** The pauses of a step that must go through once the commit may have happened. */
  readonly #pauses: () => Pause;
  #committed: Committed;
  /** The newest lock that was seen, and when; the tree behind it may not be taken over yet. */
  #seen: HeldLock;
  #seenAt = performance.now();
  #tree: Promise<TileTree> | undefined;
  #cleaning: Promise<unknown> = Promise.resolve();

  constructor(options: CommitOptions, name: string, committed: Committed, pauses: () => Pause) {
    this.#options = options;
    this.#name = name;
    this.#committed = committed;
    this.#seen = committed.lock;
    this.#pauses = pauses;
    options.lastSeen?.save(committed.lock.checkpoint);
  }

  /** The newest committed tree. */
  get newest(): SignedTree {
    const { edge, lock } = this.#committed;
    return { ...headOf(edge), note: lock.checkpoint };
  }

  /**
   * Everything before the commit; or, when no entry is left to be committed, what was refused.
   * Throws `overloaded` while the clock is behind the last commit, and what the store throws.
   */
  async prepare(
    waiters: readonly Waiter[],
    turns: (before: Lock) => readonly string[],
  ): Promise<{ readonly attempt: Attempt } | { readonly refused: readonly Refused[] }> {
    const { store, host, origin, random, closing } = this.#options;
    const base = this.#committed;
    const begun = performance.now();
    const time = this.#requireTime();
    const batch = await Batch.assemble(this.#ground(base, time), waiters, closing);
    if (batch.entries.length === 0) return { refused: batch.refused };
    const growth = grow(host, base.edge, batch.entries);
    requireSameTree(host, base.edge, growth);

    const nonce = formatNonce(random());
    const staged = [...growth.files.map(stageTile), ...batch.documents];
    await store.create(stagingKey(growth.edge, nonce), formatStaging(host, staged));
    const checkpoint = signCheckpoint({ origin, ...headOf(growth.edge) }, signersOf(this.#options));
    const order = { former: formerOf(base.lock), by: this.#name, turns: turns(base.lock) };
    return {
      attempt: { base, batch, growth, staged, lock: { checkpoint, time, nonce, ...order }, begun },
    };
  }

  /**
   * Puts the attempt into the log and applies it; false when another process was first, whose
   * lock is then `seen`. Throws only when it is not known, or not yet true, what the lock says.
   */
  async commit(attempt: Attempt): Promise<boolean> {
    const { store } = this.#options;
    const { base, lock, growth, staged } = attempt;

    // THE COMMIT POINT. Once this swap takes effect the batch is in the log for ever, and
    // nothing else in this room makes anything true.
    const swapped = await swapLock(store, base.lock, lock, this.#pauses());

    if (swapped.outcome === 'held') {
      this.#adopt({ lock: { ...lock, version: swapped.version }, edge: growth.edge });
      await applyStaged(store, staged, this.#pauses);
    }
    const isLogged = swapped.outcome === 'held' || (await this.#isLogged(attempt, swapped));
    this.#clean(attempt);
    return isLogged;
  }

  /** The newest lock that is known, and for how many milliseconds. */
  get seen(): { readonly lock: HeldLock; readonly age: number } {
    return { lock: this.#seen, age: performance.now() - this.#seenAt };
  }

  /** Looks at the lock. */
  async look(): Promise<void> {
    this.#see(await requireLock(this.#options.store));
  }

  /** Is the tree that we stand on the newest that was seen? */
  get isUpToDate(): boolean {
    return this.#seen.version === this.#committed.lock.version;
  }

  /** Stands on the tree of the lock that was seen. Throws `fork` if ours is no part of it. */
  async catchUp(): Promise<void> {
    if (this.isUpToDate) return;
    this.#adopt(await follow(this.#options, this.#committed.edge, this.#seen));
  }

  /** Why nothing can be committed at this time: the clock is behind the last commit. */
  late(): CodedError | undefined {
    const lag = this.#committed.lock.time - this.#options.clock();
    return lag > 0 ? behind(lag) : undefined;
  }

  /** Resolves when what is done beside the commits has ended, or could not be done. */
  async finish(): Promise<void> {
    await this.#cleaning;
    await this.#options.lastSeen?.settle();
  }

  /**
   * Another lock stands where ours should. Is our batch in its tree all the same? Our swap may
   * have gone through unanswered and been built upon, so long ago that only the tree tells.
   */
  async #isLogged(attempt: Attempt, swapped: Exclude<Swapped, { outcome: 'held' }>) {
    const { store, host } = this.#options;
    this.#see(swapped.found);
    if (swapped.outcome === 'lost') return false;
    await persist(this.#pauses(), () => this.catchUp());
    if (swapped.outcome === 'committed') return true;
    return persist(this.#pauses(), () =>
      beginsWith(host, storedTiles(store), this.#committed.edge, attempt.growth.edge),
    );
  }

  #see(lock: HeldLock): void {
    if (lock.version === this.#seen.version) return;
    this.#seen = lock;
    this.#seenAt = performance.now();
  }

  /** Takes `committed` for the state of the log. Sizes only grow: `requireGrowth` saw to it. */
  #adopt(committed: Committed): void {
    this.#committed = committed;
    this.#see(committed.lock);
    this.#tree = undefined;
    this.#options.lastSeen?.save(committed.lock.checkpoint);
  }

  /** Removes the bundle, which is carried out or was never committed. A leftover does no harm. */
  #clean({ growth, lock }: Attempt): void {
    const removal = this.#options.store.delete(stagingKey(growth.edge, lock.nonce));
    this.#cleaning = Promise.all([this.#cleaning, removal.catch(() => {})]);
  }

  #ground(base: Committed, time: number): Ground {
    const { store } = this.#options;
    return {
      size: base.edge.size,
      time,
      document: async (key) => (await store.get(key))?.bytes,
      entry: async (index) => {
        if (!(index >= 0 && index < base.edge.size)) {
          throw new CodedError('not-found', `the log has no entry ${index}`, { index });
        }
        return (await this.#openTree(base.edge)).entry(index);
      },
    };
  }

  /** The locked tree, opened when a guard first asks for an entry of it. */
  #openTree(head: TreeHead): Promise<TileTree> {
    const { store, host } = this.#options;
    this.#tree ??= openTileTree(host, head, storedTiles(store)).catch((error) => {
      this.#tree = undefined;
      throw error;
    });
    return this.#tree;
  }

  /** The time of this attempt, which is never before that of the last commit. */
  #requireTime(): number {
    const now = this.#options.clock();
    const last = this.#committed.lock.time;
    if (now < last) throw behind(last - now);
    return now;
  }
}

function stageTile({ path, bytes }: Growth['files'][number]): StagedDocument {
  return { kind: 'immutable', key: keys.tile(path), bytes };
}

/** A bit that flips between hashing and signing must not be signed. */
function requireSameTree(host: Host, before: TreeEdge, growth: Growth): void {
  const agreed = checkGrowth(host, before, growth);
  if (agreed.ok) return;
  throw new CodedError(agreed.code, agreed.message, { ...agreed.evidence, fatal: true });
}

function behind(lag: number): CodedError {
  return new CodedError(
    'overloaded',
    `this machine's clock is ${lag} ms behind the last commit; nothing is logged until it has caught up`,
    { retryAfterSeconds: Math.min(60, Math.ceil(lag / 1000)) },
  );
}
