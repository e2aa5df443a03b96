/**
 * The sequencer: the one writer of the log in this process. Items wait in a pool; once a
 * period the pool is committed as one batch:
 *
 *     pool     items wait at most a period, or until the pool is ripe
 *     turn     with other writers: wait until it is this one's, on top of what they did (turns.ts)
 *     prepare  judge each item on top of the locked tree, build the tiles in memory,
 *              derive the root a second time, store the staging bundle, sign
 *     commit   compare-and-swap private/lock: from here on the batch is in the log
 *     apply    write tiles and documents where they belong (these three: commit.ts)
 *     publish  collect cosignatures, move log/checkpoint forwards (publisher.ts, beside this)
 *     answer   tell the waiters
 *
 * What `prepare` does can be forgotten without a trace. What `commit` did is never taken
 * back: a crash after it is finished by the next start (recover.ts), and an answer that was
 * lost is settled before anything else is tried. Any number of processes may do this on one
 * store: exactly one swap wins, and the others take over its tree and try again on top.
 *
 * The sequencer stops for good, and says why, when it meets what waiting cannot cure: two
 * computations of a root that differ, a tree that does not grow out of the one it has seen,
 * an object with other bytes than were committed, a failed fsync.
 */
import { utf8 } from '../core/bytes.ts';
import { CodedError, isCoded, messageOf } from '../core/error.ts';
import { keys } from '../store/keys.ts';
import type { Refused } from './batch.ts';
import { type Attempt, type CommitOptions, Committer } from './commit.ts';
import type { Appended, Item } from './item.ts';
import { formatNonce, formatProcessName, type Lock } from './lock.ts';
import { isFatal, isPassing, type Pause, pauses } from './pause.ts';
import { DEFAULT_POOL_LIMIT, Pool, type PoolLimit, type Waiter } from './pool.ts';
import { type Cosign, Publisher, type SignedTree } from './publisher.ts';
import { type Committed, openOwn, recover } from './recover.ts';
import { Rhythm, type RhythmOptions } from './rhythm.ts';
import { PoliteTurns, type TurnTaking, untilTurn } from './turns.ts';

/** How long an append waits for the witnesses before it is answered with `published: false`. */
export const DEFAULT_PATIENCE = 5_000;
/** Tries of one batch before its waiters are told that the store fails. */
const MAX_TRIES = 3;
/** What a timer takes; longer ones would ring at once. */
const LONGEST_SLEEP = 2 ** 31 - 1;

/** Times are milliseconds; what is left out has the default above. */
export interface SequencerOptions extends CommitOptions, RhythmOptions {
  /** When this process may try to commit; by default it takes turns with the others. */
  readonly turns?: TurnTaking;
  /** Collects cosignatures; without it the log's own signature is enough to publish. */
  readonly cosign?: Cosign;
  readonly poolLimit?: PoolLimit;
  readonly patience?: number;
  readonly observer?: Observer;
}

/** Told what happens, for metrics and logs. Must not throw. */
export interface Observer {
  committed?(commit: {
    readonly entries: number;
    readonly size: number;
    readonly milliseconds: number;
  }): void;
  /** Another process was first. */
  lost?(): void;
  published?(tree: SignedTree): void;
  /** Something failed and is tried again. */
  failed?(cause: unknown): void;
  /** The sequencer has stopped for good. */
  stopped?(cause: unknown): void;
}

export interface Sequencer {
  /**
   * Appends the item's leaves, together or not at all. Resolves once they are committed and
   * public (or the witnesses let wait). Rejects with what the item's guard threw, `overloaded`
   * (with `retryAfterSeconds`), `too-large`, `bad-entry`, `storage`, `disk-full`, or
   * `unknown-outcome` when the process stops between commit and answer.
   */
  append(item: Item): Promise<Appended>;
  /** The newest committed tree. */
  committed(): SignedTree;
  /** The newest tree that is known to be public, with its cosignatures. */
  published(): SignedTree | undefined;
  /** Why no entries can be committed at the moment, in one sentence; undefined when they can. */
  unready(): string | undefined;
  /** Commits what is pooled, publishes it and stops; gives up after `deadline` milliseconds. */
  close(deadline?: number): Promise<void>;
}

/** Recovers the log in the store and begins to take entries. Throws what `recover` throws. */
export async function openSequencer(options: SequencerOptions): Promise<Sequencer> {
  const committed = await recover(options);
  // What the recovery has carried out may have brought a newer trust root.
  await options.renewKeys?.();
  return new StoreSequencer(options, committed);
}

class StoreSequencer implements Sequencer {
  readonly #options: SequencerOptions;
  readonly #rhythm: Rhythm;
  readonly #pool: Pool;
  readonly #committer: Committer;
  readonly #turns: TurnTaking;
  readonly #publisher: Publisher;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #closing = false;
  #stopped: CodedError | undefined;
  #stalled: unknown;
  #tries = 0;
  #lastMilliseconds = 0;
  #wake: () => void = () => {};

  constructor(options: SequencerOptions, committed: Committed) {
    this.#options = options;
    const name = formatProcessName(options.random());
    this.#committer = new Committer(options, name, committed, () => this.#pauses());
    this.#turns = options.turns ?? new PoliteTurns(name, options.store);
    this.#rhythm = new Rhythm(options, Math.max(0, options.clock() - committed.lock.time));
    this.#pool = new Pool(
      options.poolLimit ?? DEFAULT_POOL_LIMIT,
      () => Math.ceil((this.#rhythm.period + this.#lastMilliseconds) / 1000),
      () => this.#wake(),
    );
    this.#publisher = this.#openPublisher();
    this.#publisher.offer(this.committed());
    this.#done = this.#run();
  }

  async append(item: Item): Promise<Appended> {
    if (this.#stopped !== undefined) throw this.#stopped;
    if (this.#closing) {
      throw new CodedError('overloaded', 'the log is being closed; try again shortly', {
        retryAfterSeconds: 5,
      });
    }
    return this.#pool.add(item);
  }

  committed(): SignedTree {
    return this.#committer.newest;
  }

  published(): SignedTree | undefined {
    return this.#publisher.published;
  }

  unready(): string | undefined {
    if (this.#stopped !== undefined) return this.#stopped.message;
    if (this.#closing) return 'the log is being closed';
    if (this.#stalled !== undefined) return messageOf(this.#stalled);
    return this.#committer.late()?.message;
  }

  async close(deadline = 10_000): Promise<void> {
    this.#closing = true;
    this.#wake();
    const timer = setTimeout(() => this.#abort.abort(), deadline).unref();
    await this.#done;
    await this.#publisher.finish();
    await this.#committer.finish();
    clearTimeout(timer);
    this.#abort.abort();
  }

  // ------------------------------------------------------------------ when

  async #run(): Promise<void> {
    while (await this.#due()) await this.#cycle();
  }

  /** Waits until there is something to do; false when there never will be. */
  async #due(): Promise<boolean> {
    for (;;) {
      if (this.#stopped !== undefined || this.#abort.signal.aborted) return this.#leave();
      if (this.#closing) return this.#pool.length > 0;
      const wait = this.#rhythm.untilDue(this.#pool, this.#stalled !== undefined);
      if (wait <= 0) return true;
      await this.#sleep(wait);
    }
  }

  /** At most `milliseconds`; less when something arrives in an empty pool, or makes it ripe. */
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_SLEEP));
      // An idle log keeps no process alive.
      if (this.#pool.length === 0) timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Nobody will commit what still waits: it is not in the log. */
  #leave(): false {
    const error =
      this.#stopped ??
      new CodedError('interrupted', 'the log was closed before this was committed');
    for (const waiter of this.#pool.take()) waiter.reject(error);
    return false;
  }

  // ------------------------------------------------------------------ one commit

  async #cycle(): Promise<void> {
    const hasWork = this.#pool.length > 0 || this.#stalled !== undefined;
    if (!this.#rhythm.begin(hasWork)) return this.#watch();
    const waiters: Waiter[] = [];
    let attempt: Attempt | undefined;
    try {
      await this.#awaitTurn();
      waiters.push(...this.#pool.take());
      if (waiters.length === 0 && this.#stalled !== undefined) await this.#probe();
      else attempt = await this.#prepare(waiters);
    } catch (error) {
      await this.#notPrepared(waiters.length > 0 ? waiters : this.#pool.take(), error);
      return;
    }
    try {
      if (attempt !== undefined) await this.#commit(attempt, waiters);
    } catch (error) {
      this.#stop(error);
      for (const waiter of waiters) waiter.reject(unknownOutcome(error));
      return;
    }
    this.#tries = 0;
    this.#stalled = undefined;
  }

  /**
   * Sees what the others commit: to remember it, and to notice by itself that the store was
   * put back under a server that runs.
   */
  async #watch(): Promise<void> {
    try {
      await this.#committer.look();
      await this.#catchUp();
    } catch (error) {
      this.#setBack([], error);
    }
  }

  /** Returns when it is this process's turn, on top of what the others have committed. */
  async #awaitTurn(): Promise<void> {
    await untilTurn(this.#committer, this.#turns, this.#abort.signal);
    await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    if (this.#committer.isUpToDate) return;
    await this.#committer.catchUp();
    this.#publisher.offer(this.committed(), 'theirs');
  }

  /** Everything before the commit. Undefined when nothing is left to be committed. */
  async #prepare(waiters: readonly Waiter[]): Promise<Attempt | undefined> {
    const { begun } = this.#rhythm;
    const more = () => !this.#closing && (this.#pool.length > 0 || 'perhaps');
    const next = (before: Lock) => this.#turns.next(before, more());
    const prepared = await this.#committer.prepare(waiters, next);
    if ('attempt' in prepared) return prepared.attempt;
    await this.#refuse(prepared.refused);
    this.#rhythm.idleSince = begun;
    return undefined;
  }

  async #commit(attempt: Attempt, waiters: readonly Waiter[]): Promise<void> {
    const isLogged = await this.#committer.commit(attempt);
    if (!isLogged) return this.#tryAgain(waiters);
    this.#turns.taken();
    this.#publisher.offer(this.committed());
    this.#pool.putBack(attempt.batch.left);
    this.#rhythm.idleSince = attempt.begun;
    this.#answer(attempt);
  }

  #tryAgain(waiters: readonly Waiter[]): void {
    this.#options.observer?.lost?.();
    this.#pool.putBack(waiters);
    this.#rhythm.hurry();
    void this.#turns.lost();
  }

  #answer({ batch, growth, begun }: Attempt): void {
    const { size } = growth.edge;
    for (const { waiter, error } of batch.refused) waiter.reject(error);
    this.#lastMilliseconds = performance.now() - begun;
    this.#options.observer?.committed?.({
      entries: batch.entries.length,
      size,
      milliseconds: this.#lastMilliseconds,
    });
    void this.#publisher.covers(size).then((published) => {
      for (const { waiter, index } of batch.placed) waiter.resolve({ index, size, published });
    });
  }

  /** Nothing to commit: the refusals hold only if the lock is still the one they were judged on. */
  async #refuse(refused: readonly Refused[]): Promise<void> {
    if (refused.length === 0) return;
    await this.#committer.look();
    if (this.#committer.isUpToDate) {
      for (const { waiter, error } of refused) waiter.reject(error);
      return;
    }
    this.#tryAgain(refused.map(({ waiter }) => waiter));
  }

  // ------------------------------------------------------------------ what goes wrong

  /**
   * What another process has committed since may be in the store already, ahead of the tree that
   * this try stood on: then its failure says nothing, and the same is tried on top of that.
   */
  async #notPrepared(waiters: readonly Waiter[], error: unknown): Promise<void> {
    if (isPassing(error) || isFatal(error)) return this.#setBack(waiters, error);
    try {
      await this.#committer.look();
      if (this.#committer.isUpToDate) return this.#setBack(waiters, error);
      await this.#catchUp();
    } catch (cause) {
      return this.#setBack(waiters, cause);
    }
    this.#tryAgain(waiters);
  }

  /** A try failed before its commit: nothing happened, so it may be repeated. */
  #setBack(waiters: readonly Waiter[], error: unknown): void {
    if (isFatal(error)) this.#stop(error);
    this.#options.observer?.failed?.(error);
    this.#stalled = error;
    this.#tries += 1;
    const isWorthWaiting = isPassing(error) && !isCoded(error, 'disk-full');
    if (isWorthWaiting && this.#tries < MAX_TRIES) {
      this.#pool.putBack(waiters);
      return;
    }
    this.#tries = 0;
    for (const waiter of waiters) waiter.reject(error);
  }

  #stop(cause: unknown): void {
    if (this.#stopped !== undefined) return;
    const [code, details] = isCoded(cause)
      ? [cause.code, cause.details]
      : ['internal' as const, {}];
    const message = `the log takes no more entries: ${messageOf(cause)}`;
    this.#stopped = new CodedError(code, message, details, { cause });
    this.#options.observer?.stopped?.(cause);
    this.#abort.abort();
    this.#wake();
  }

  /** Does a store that failed take writes again? */
  async #probe(): Promise<void> {
    const { store, random } = this.#options;
    const key = keys.probe(formatNonce(random()));
    await store.create(key, utf8('probe'));
    await store.delete(key);
  }

  #pauses(): Pause {
    return pauses(this.#abort.signal, (cause) => {
      this.#stalled = cause;
      this.#options.observer?.failed?.(cause);
    });
  }

  #openPublisher(): Publisher {
    const { store, cosign, patience, observer } = this.#options;
    return new Publisher({
      store,
      cosign: cosign ?? (async (tree) => tree.note),
      open: (note) => openOwn(this.#options, keys.checkpoint(), note),
      patience: patience ?? DEFAULT_PATIENCE,
      pauses: () => pauses(this.#abort.signal, (cause) => observer?.failed?.(cause)),
      onPublished: (tree) => observer?.published?.(tree),
      onStop: (cause) => this.#stop(cause),
    });
  }
}

/** What waiters are told when the process gives up between the commit point and their answer. */
function unknownOutcome(cause: unknown): CodedError {
  return new CodedError(
    'unknown-outcome',
    `whether this was logged is not known, for the log stopped in the middle: ${messageOf(cause)}`,
    {},
    { cause },
  );
}
