/**
 * From committed to public: collects the witnesses' cosignatures and moves `log/checkpoint`
 * forwards. It runs beside the commits, always on the newest committed tree, so a slow
 * witness delays what the public sees and never what the log accepts.
 *
 * It only looks forwards: a published checkpoint is replaced by a larger one or stays.
 */
import { equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { TreeHead } from '../core/log/checkpoint.ts';
import type { Store, Version } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { isPassing, type Pause } from './pause.ts';

/** A committed tree whose tiles are all in place. */
export interface SignedTree extends TreeHead {
  /** The checkpoint, signed by the log. */
  readonly note: Uint8Array;
}

/** Collects cosignatures. Resolves to the cosigned note, or to undefined while the quorum is missing. */
export type Cosign = (tree: SignedTree) => Promise<Uint8Array | undefined>;

export interface PublisherOptions {
  readonly store: Store;
  readonly cosign: Cosign;
  /** Opens a checkpoint that stands in the store; throws when it is not this log's. */
  readonly open: (note: Uint8Array) => TreeHead;
  /** How long an append waits to be public, in milliseconds. */
  readonly patience: number;
  /** The pauses between the tries of one step. */
  readonly pauses: () => Pause;
  /** Told of each tree that has become public. */
  readonly onPublished?: (tree: SignedTree) => void;
  /** Told when publishing has ended for good: what is published contradicts this log. */
  readonly onStop: (cause: unknown) => void;
}

/** How long another process is given to publish what it has committed, in milliseconds. */
const LEAVE_MS = 1000;

interface StoredTree extends SignedTree {
  readonly version: Version;
}

interface Waiting {
  readonly size: number;
  readonly resolve: (published: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

export class Publisher {
  readonly #options: PublisherOptions;
  #newest: SignedTree | undefined;
  #published: SignedTree | undefined;
  /** The published checkpoint as it stands in the store, while that is known. */
  #stored: StoredTree | undefined;
  #waiting: Waiting[] = [];
  /** Until a tree of another process is published by this one. */
  #leaving: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #finishing = false;
  #ended = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** The newest tree known to be public. */
  get published(): SignedTree | undefined {
    return this.#published;
  }

  /**
   * Takes over `tree`, unless a larger one is already being published. Another process's is
   * left to that process for a while: two that move one document are in each other's way.
   */
  offer(tree: SignedTree, whose: 'ours' | 'theirs' = 'ours'): void {
    clearTimeout(this.#leaving);
    if (whose === 'theirs') {
      this.#stored = undefined;
      this.#leaving = setTimeout(() => this.offer(tree), LEAVE_MS).unref();
      return;
    }
    if (this.#newest !== undefined && this.#newest.size > tree.size) return;
    this.#newest = tree;
    if (!this.#isPublic(tree.size)) this.#running ??= this.#run();
  }

  /** True once a tree of at least `size` is public; false when that takes longer than patience. */
  covers(size: number): Promise<boolean> {
    if (this.#isPublic(size)) return Promise.resolve(true);
    if (this.#ended) return Promise.resolve(false);
    return new Promise((resolve) => {
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((waiting) => waiting.resolve !== resolve);
        resolve(false);
      };
      // What it waits for keeps the process alive, this does not.
      const timer = setTimeout(giveUp, this.#options.patience).unref();
      this.#waiting.push({ size, resolve, timer });
    });
  }

  /** Makes one more try of what is not yet public, then answers everyone who still waits. */
  async finish(): Promise<void> {
    this.#finishing = true;
    clearTimeout(this.#leaving);
    await this.#running;
    this.#end();
  }

  /** Nothing more will become public by this process. */
  #end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) answer(waiting, false);
  }

  /** Ends in the same turn in which it sees nothing more to do: no offer falls in between. */
  async #run(): Promise<void> {
    let pause = this.#options.pauses();
    try {
      while (this.#newest !== undefined && !this.#isPublic(this.#newest.size)) {
        try {
          await this.#publish(this.#newest);
          pause = this.#options.pauses();
        } catch (error) {
          if (this.#finishing && isPassing(error)) return;
          if (!(await this.#goesOn(pause, error))) return;
        }
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #goesOn(pause: Pause, error: unknown): Promise<boolean> {
    try {
      await pause(error);
      return true;
    } catch (stop) {
      this.#end();
      this.#options.onStop(stop);
      return false;
    }
  }

  async #publish(tree: SignedTree): Promise<void> {
    const note = await this.#options.cosign(tree);
    if (note === undefined) throw new CodedError('overloaded', 'the witness quorum is missing');
    await this.#moveForwards({ ...tree, note });
    const [still, done] = partition(this.#waiting, (waiting) => this.#isPublic(waiting.size));
    this.#waiting = still;
    for (const waiting of done) answer(waiting, true);
  }

  /** Replaces the published checkpoint, unless another process has published as much. */
  async #moveForwards(tree: SignedTree): Promise<void> {
    const { store, onPublished } = this.#options;
    for (;;) {
      const there = this.#stored ?? (await this.#read());
      // What is remembered of the store is only good until a swap does not go through.
      this.#stored = undefined;
      if (there !== undefined && covers(there, tree)) {
        this.#published = there;
        return;
      }
      const version = await store.swap(keys.checkpoint(), there?.version ?? null, tree.note);
      if (version === undefined) continue;
      this.#stored = { ...tree, version };
      this.#published = tree;
      onPublished?.(tree);
      return;
    }
  }

  async #read(): Promise<StoredTree | undefined> {
    const stored = await this.#options.store.get(keys.checkpoint());
    if (stored === undefined) return undefined;
    const { size, root } = this.#options.open(stored.bytes);
    return { size, root, note: stored.bytes, version: stored.version };
  }

  #isPublic(size: number): boolean {
    return this.#published !== undefined && this.#published.size >= size;
  }
}

/** Is what is published at least `tree`, with as many cosignatures? Throws `fork`. */
function covers(published: SignedTree, tree: SignedTree): boolean {
  if (published.size !== tree.size) return published.size > tree.size;
  if (equal(published.root, tree.root)) return published.note.length >= tree.note.length;
  throw new CodedError(
    'fork',
    `${keys.checkpoint()} is signed for size ${tree.size} with another root than the lock: the log has forked; stop every writer and keep both checkpoints`,
    { published: published.note, committed: tree.note },
  );
}

function answer(waiting: Waiting, published: boolean): void {
  clearTimeout(waiting.timer);
  waiting.resolve(published);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter((item) => !test(item)), items.filter(test)];
}
