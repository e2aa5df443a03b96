/**
 * What is appended to the log: items of one or more leaves that are committed together or
 * not at all. An item may carry a guard and documents.
 *
 * The *guard* runs on every attempt to commit, against the locked tree and the items before
 * it in the same batch. It reads only the store, never an index, so it cannot be late. A
 * guard that throws rejects its item alone. Since the compare-and-swap of the lock is the
 * one irrevocable step, whatever was committed first wins.
 *
 * The *documents* are what the log's content makes true (this release is published, this
 * namespace's newest policy is there). They are staged with the tiles and applied with
 * them, so they exist exactly when their entries are committed: no second transaction.
 */
import type { Key } from '../store/keys.ts';

/** The state that an item would be committed on top of. */
export interface View {
  /** The index that the item's first leaf gets if this attempt commits. */
  readonly index: number;
  /** When this attempt was begun: milliseconds since 1970, never less than in any earlier commit. */
  readonly time: number;
  /** A document of the store, as the locked tree and the items before this one make it. */
  document(key: Key): Promise<Uint8Array | undefined>;
  /** The bytes of a logged entry. Throws `not-found` for an index outside the locked tree. */
  entry(index: number): Promise<Uint8Array>;
}

/** A document that is applied after the commit. */
export type StagedDocument =
  /** Written once; another object under its key is damage. */
  | { readonly kind: 'immutable'; readonly key: Key; readonly bytes: Uint8Array }
  /**
   * Replaces what is there if that has a smaller `index`. The bytes are JSON whose member
   * `index` has this value, so that a late writer can see that it is late.
   */
  | {
      readonly kind: 'newest';
      readonly key: Key;
      readonly bytes: Uint8Array;
      readonly index: number;
    };

export interface Item {
  /** The leaves, in order; made afresh on every attempt if they depend on the view. */
  readonly entries: readonly Uint8Array[] | ((view: View) => Promise<readonly Uint8Array[]>);
  /** Throws to reject this item; the others of the batch are not touched. */
  guard?(view: View): Promise<void>;
  /** What becomes true with this item. */
  documents?(view: View): Promise<readonly StagedDocument[]>;
}

/** Answer to an append. */
export interface Appended {
  /** Index of the item's first leaf. */
  readonly index: number;
  /** Leaves in the committed tree. */
  readonly size: number;
  /** False while the witness quorum is still missing: logged, but not yet shown to the public. */
  readonly published: boolean;
}

/** Runs at the end of each attempt that has something to commit, and may add one item (the heads entry). */
export type Closing = (view: View, changed: ReadonlySet<Key>) => Promise<Item | undefined>;
