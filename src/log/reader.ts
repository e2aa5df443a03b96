/**
 * Reads the log out of the store: tiles as they are served, entries, and proofs. Only what is
 * covered by the published checkpoint is shown; entries that are committed and still wait
 * for their witnesses are not. Entries and proofs are checked against that checkpoint on
 * their way, so that rot in a tile is named here and never passed on.
 */
import { equal } from '../core/bytes.ts';
import { CodedError, type ErrorCode, isCoded, messageOf } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { TreeHead } from '../core/log/checkpoint.ts';
import { parseCheckpoint } from '../core/log/checkpoint.ts';
import {
  formatEntryBundle,
  MAX_BUNDLE_BYTES,
  parseTilePath,
  TILE_WIDTH,
  type Tile,
  type TilePath,
  tileWidth,
} from '../core/log/tile.ts';
import { type ReadTile, readEntries, readHashTile } from '../core/log/tile-reader.ts';
import { openTileTree, type TileTree } from '../core/log/tile-tree.ts';
import { formatTlogProof } from '../core/log/tlog-proof.ts';
import { HASH_BYTES } from '../core/note/line.ts';
import { parseNote } from '../core/note/note.ts';
import { SharedRun } from '../core/shared-run.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { ByteCache, cachedTiles } from './tile-cache.ts';

/** Full tiles and bundles that are kept, in bytes: the hot end of the log, and the levels above. */
const CACHE_BYTES = 32 << 20;
/** The most entries that one call returns. */
export const MAX_ENTRIES_AT_ONCE = 1024;

/** The checkpoint as the public sees it. */
export interface Published extends TreeHead {
  /** The signed note with its cosignatures, verbatim. */
  readonly note: Uint8Array;
}

export interface LogReader {
  /** The published checkpoint. Throws `not-found` where there is no log. */
  published(): Promise<Published>;
  /**
   * The file at a path below the log's prefix, or undefined when the published tree has none.
   * A partial file that is gone is cut from the fuller one.
   */
  tile(path: TilePath): Promise<Uint8Array | undefined>;
  /** The same, if `path` is a tile's and the file is in memory. */
  known(path: string): Uint8Array | undefined;
  /** An entry's exact bytes. Throws `not-found` beyond the published tree. */
  entry(index: number): Promise<Uint8Array>;
  /** The root that the log had at `size`; undefined beyond the published tree. */
  rootAt(size: number): Promise<Uint8Array | undefined>;
  /** The entries from `start` up to, not including, `end`; at most 1,024 of them. */
  entries(start: number, end: number): Promise<Uint8Array[]>;
  /** Of entry `index` in the tree of `size` (default: the published one), leaf to root. */
  inclusionProof(index: number, size?: number): Promise<Uint8Array[]>;
  /** That the tree of `newSize` (default: the published one) begins with the tree of `oldSize`. */
  consistencyProof(oldSize: number, newSize?: number): Promise<Uint8Array[]>;
  /** The `.tlog-proof` of entry `index`, with the published checkpoint. */
  tlogProof(index: number): Promise<Uint8Array>;
}

/** Reads tiles from `store`. */
export function storedTiles(store: Store): ReadTile {
  return async (path) => (await store.get(keys.tile(path), MAX_BUNDLE_BYTES))?.bytes;
}

/** Does the tree `newer`, as its tiles tell, begin with the tree `older`? */
export async function beginsWith(
  host: Host,
  read: ReadTile,
  newer: TreeHead,
  older: TreeHead,
): Promise<boolean> {
  if (older.size > newer.size) return false;
  const tree = await openTileTree(host, newer, read);
  return equal(await tree.rootAt(older.size), older.root);
}

/** Opens a published checkpoint; throws when it is not this log's, by its keys. */
export type OpenCheckpoint = (note: Uint8Array) => Promise<TreeHead>;

/** `open` keeps a checkpoint in which a bit has flipped from being shown; without it only its form is looked at. */
export function openLogReader(
  store: Store,
  host: Host,
  open: OpenCheckpoint = async (note) => parseCheckpoint(parseNote(note).text),
): LogReader {
  return new StoredLog(store, host, open);
}

class StoredLog implements LogReader {
  readonly #store: Store;
  readonly #host: Host;
  readonly #openCheckpoint: OpenCheckpoint;
  /** The checkpoint that was opened last: most requests meet the same one. */
  #published: Published | undefined;
  /** Reads it; callers who come meanwhile share the next read. */
  readonly #reading = new SharedRun(() => this.#readPublished());
  readonly #read: ReadTile;
  /** Files as the store has them; dropped when any of them turns out to be damaged. */
  readonly #files = new ByteCache(CACHE_BYTES);
  /** Files that were proved to be of a published tree: what they hold never changes. */
  readonly #proved = new ByteCache(CACHE_BYTES);
  /** The tree that was opened last; the one of the published checkpoint nearly always. */
  #tree: TileTree | undefined;

  constructor(store: Store, host: Host, open: OpenCheckpoint) {
    this.#store = store;
    this.#host = host;
    this.#openCheckpoint = open;
    this.#read = cachedTiles(storedTiles(store), this.#files);
  }

  published(): Promise<Published> {
    return this.#reading.run();
  }

  async #readPublished(): Promise<Published> {
    const stored = await this.#store.get(keys.checkpoint());
    if (stored === undefined) {
      throw new CodedError(
        'not-found',
        `${this.#store.name} holds no log; make one with "weighhouse init"`,
      );
    }
    if (this.#published && equal(this.#published.note, stored.bytes)) return this.#published;
    const { size, root } = await this.#openCheckpoint(stored.bytes).catch((cause: unknown) => {
      const message = `${keys.checkpoint()} in ${this.#store.name} is damaged: ${messageOf(cause)}`;
      throw new CodedError('storage', message, { key: keys.checkpoint() }, { cause });
    });
    this.#published = { size, root, note: stored.bytes };
    return this.#published;
  }

  async tile(path: TilePath): Promise<Uint8Array | undefined> {
    // What a published tree had, every later one has.
    const known = this.known(path);
    if (known !== undefined) return known;
    const tile = parseTilePath(path);
    const published = await this.published();
    if (tileWidth(tile.level, tile.index, published.size) < tile.width) return undefined;
    const bytes = await this.#naming(async () => cutOf(await this.#open(published), tile), path);
    this.#proved.keep(path, bytes);
    return bytes;
  }

  known(path: string): Uint8Array | undefined {
    return this.#proved.get(path as TilePath);
  }

  async entry(index: number): Promise<Uint8Array> {
    const published = await this.published();
    requireIndex(index, published.size);
    return this.#naming(async () => (await this.#open(published)).entry(index));
  }

  async rootAt(size: number): Promise<Uint8Array | undefined> {
    const published = await this.published();
    return size > published.size ? undefined : (await this.#open(published)).rootAt(size);
  }

  async entries(start: number, end: number): Promise<Uint8Array[]> {
    requireRange(start, end);
    const tree = await this.#publishedTree(end);
    const first = Math.floor(start / TILE_WIDTH);
    const count = Math.ceil(end / TILE_WIDTH) - first;
    const reading = Array.from({ length: count }, (_, i) =>
      this.#naming(() => tree.bundle(first + i)),
    );
    const entries = (await Promise.all(reading)).flat();
    const skipped = first * TILE_WIDTH;
    return entries.slice(start - skipped, end - skipped);
  }

  async inclusionProof(index: number, size?: number): Promise<Uint8Array[]> {
    const tree = await this.#treeOf(size ?? (await this.published()).size);
    return this.#naming(() => tree.proveInclusion(index));
  }

  async consistencyProof(oldSize: number, newSize?: number): Promise<Uint8Array[]> {
    const tree = await this.#treeOf(newSize ?? (await this.published()).size);
    return this.#naming(() => tree.proveConsistency(oldSize));
  }

  async tlogProof(index: number): Promise<Uint8Array> {
    const published = await this.published();
    requireIndex(index, published.size);
    const hashes = await this.#naming(async () =>
      (await this.#open(published)).proveInclusion(index),
    );
    return formatTlogProof({ index, hashes, checkpoint: published.note });
  }

  /** A published tree of at least `size`: the one that is open already will do. */
  async #publishedTree(size: number): Promise<TileTree> {
    if (this.#tree !== undefined && size <= this.#tree.head.size) return this.#tree;
    const published = await this.published();
    requireWithin(size, published.size);
    return this.#naming(() => this.#open(published));
  }

  /** The tree that the log had at `size`, its root taken from the published one. */
  async #treeOf(size: number): Promise<TileTree> {
    const newest = await this.#publishedTree(size);
    if (size === newest.head.size) return newest;
    return this.#naming(async () => {
      const head = { size, root: await newest.rootAt(size) };
      return openTileTree(this.#host, head, this.#readThrough(newest.head.size));
    });
  }

  async #open(head: TreeHead): Promise<TileTree> {
    const known = this.#tree;
    if (known?.head.size === head.size && equal(known.head.root, head.root)) return known;
    const tree = await openTileTree(this.#host, head, this.#read);
    this.#tree = tree;
    return tree;
  }

  /** For trees between two commits, whose partial tiles never were files. */
  #readThrough(size: number): ReadTile {
    return async (path) => {
      const tile = parseTilePath(path);
      const width = tileWidth(tile.level, tile.index, size);
      return (await this.#read(path)) ?? (await this.#cut(tile, width));
    };
  }

  /** `tile` cut from the same tile when it had `width`, or from the full one. */
  async #cut(tile: Tile, width: number): Promise<Uint8Array | undefined> {
    try {
      if (tile.level === 'entries') {
        const entries = await readEntries(this.#read, tile.index, width);
        return formatEntryBundle(entries.slice(0, tile.width));
      }
      const hashes = await readHashTile(this.#read, { ...tile, level: tile.level, width });
      return hashes.subarray(0, tile.width * HASH_BYTES);
    } catch (error) {
      if (error instanceof CodedError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  /**
   * Tiles of the published tree that are missing or wrong are the store's damage, and nobody's
   * bad request. What was read is forgotten with it, so that a repair is seen. A misshapen file
   * does not say its name: then it is most likely the one that was asked for.
   */
  async #naming<T>(act: () => Promise<T>, asked?: TilePath): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!isCoded(error) || !DAMAGE.has(error.code)) throw error;
      this.#files.clear();
      this.#tree = undefined;
      const { path = asked } = error.details;
      throw new CodedError(
        'damaged',
        `the log’s store is damaged: ${error.message}; its operator finds what with "weighhouse scrub"`,
        typeof path === 'string' ? { object: keys.tile(path) } : {},
        { cause: error },
      );
    }
  }
}

/** What reading a tree throws for tiles that are missing, misshapen or others. */
const DAMAGE: ReadonlySet<ErrorCode> = new Set(['not-found', 'bad-tile', 'proof-invalid']);

/** The file of a tile, or the beginning of one that has grown since, out of a checked tree. */
async function cutOf(tree: TileTree, { level, index, width }: Tile): Promise<Uint8Array> {
  if (level === 'entries') {
    return formatEntryBundle((await tree.bundle(index)).slice(0, width));
  }
  return (await tree.hashes(level, index)).slice(0, width * HASH_BYTES);
}

function requireRange(start: number, end: number): void {
  const isRange =
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start < end;
  if (!isRange || end - start > MAX_ENTRIES_AT_ONCE) {
    throw new CodedError(
      'bad-document',
      `a range of entries must have a start below its end and at most ${MAX_ENTRIES_AT_ONCE} entries`,
    );
  }
}

function requireIndex(index: number, published: number): void {
  if (index >= 0) requireWithin(index + 1, published);
  else throw new CodedError('not-found', 'entries are counted from 0', { index });
}

function requireWithin(size: number, published: number): void {
  if (Number.isSafeInteger(size) && size >= 0 && size <= published) return;
  throw new CodedError('not-found', `the published log has ${published} entries`, {
    size: published,
  });
}
