/**
 * How a log comes into being, and how a process comes to know it: at its start and each time
 * another process has moved the lock. The lock says what is committed; everything else in
 * the bucket may be behind it and is then brought up, by the same code that follows a commit.
 *
 *     the lock is ahead of the bucket       the staging bundle is carried out
 *     the bucket is ahead of the lock,      the lock was restored from an older copy, or the
 *     or has another root at its size       log has forked: refuse, and say what was found
 *     this node, or a witness, has seen     the whole bucket was restored from an older copy:
 *     more than the bucket holds            refuse (last-seen.ts, witnesses.ts)
 */
import { formatHex } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { openCheckpoint, signCheckpoint, type TreeHead } from '../core/log/checkpoint.ts';
import { formatTilePath, TILE_WIDTH, tileWidth } from '../core/log/tile.ts';
import type { ReadTile } from '../core/log/tile-reader.ts';
import { emptyEdge, loadEdge, type TreeEdge } from '../core/log/tree.ts';
import type { SigningKey, VerifierKey } from '../core/note/key.ts';
import { type NoteSigner, type NoteVerifier, noteSigner, noteVerifier } from '../core/note/note.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import type { StagedDocument } from './item.ts';
import type { LastSeen } from './last-seen.ts';
import { formatNonce, formatProcessName, type HeldLock, loadLock, swapLock } from './lock.ts';
import type { Pause } from './pause.ts';
import type { SignedTree } from './publisher.ts';
import { beginsWith, storedTiles } from './reader.ts';
import { applyStaged, MAX_STAGING_BYTES, parseStaging } from './staging.ts';

/**
 * Which log, where it lies, and who signs it. The keys are read anew at each use: they may be
 * getters, where one key can follow upon another while the process runs.
 */
export interface LogOptions {
  readonly store: Store;
  readonly host: Host;
  /** The log's name: the first line of each checkpoint and the name of its keys. */
  readonly origin: string;
  /** Ed25519 note keys; every one signs every checkpoint. */
  readonly keys: readonly SigningKey[];
  /** Keys that signed earlier checkpoints and sign no more. */
  readonly formerKeys?: readonly VerifierKey[];
  /**
   * Called before and after another process's commit is taken over: it may have changed the
   * keys, and nothing is signed on top of it by a key that has ended with it.
   */
  readonly renewKeys?: () => Promise<void>;
  /** The newest checkpoint that this node has seen, remembered outside of the store. */
  readonly lastSeen?: LastSeen | undefined;
  /** Asked once, at the start. */
  readonly objection?: Objection | undefined;
}

/** What those who saw the log before have against going on from `tree`; undefined if nothing. */
export type Objection = (tree: SignedTree) => Promise<CodedError | undefined>;

/** The committed log, as this process knows it. */
export interface Committed {
  readonly lock: HeldLock;
  readonly edge: TreeEdge;
}

/** Makes an empty log: a lock and a published checkpoint of size 0. Throws `conflict` where there is one. */
export async function createLog(
  options: LogOptions & {
    readonly time: number;
    readonly random: Uint8Array;
    readonly pause?: Pause;
  },
): Promise<void> {
  const { store, host, origin, time, random } = options;
  const published = await store.size(keys.checkpoint());
  if (published !== undefined) throw alreadyThere(store);
  const checkpoint = signCheckpoint({ origin, ...headOf(emptyEdge(host)) }, signersOf(options));
  const [by, nonce] = [formatProcessName(random), formatNonce(random)];
  const lock = { by, checkpoint, former: [], nonce, time, turns: [] };
  const swapped = await swapLock(store, null, lock, options.pause ?? rethrow);
  if (swapped.outcome !== 'held') throw alreadyThere(store);
  // Lost only to a sequencer that has published this very checkpoint, or a larger one, since.
  await store.swap(keys.checkpoint(), null, checkpoint);
}

/** Brings the bucket up to the lock and reads the edge of the tree, checked against its signed root. */
export async function loadCommitted(options: LogOptions): Promise<Committed> {
  const { store, host } = options;
  const lock = await requireLock(store);
  const head = openOwn(options, keys.lock(), lock.checkpoint);
  await replay(options, stagingKey(head, lock.nonce));
  return { lock, edge: await loadEdge(host, head, storedTiles(store)) };
}

/**
 * As `loadCommitted`, for a process that starts: also proves that the bucket is not ahead of
 * the lock, and that nobody is known to have seen a larger tree, or another.
 */
export async function recover(options: LogOptions): Promise<Committed> {
  for (;;) {
    const committed = await loadCommitted(options);
    const found = await findContradiction(options, committed);
    if (found === undefined) {
      await sweepStaging(options.store, committed);
      return committed;
    }
    // Another process may have committed and published between the two looks.
    const lock = await loadLock(options.store);
    if (lock?.version === committed.lock.version) throw found;
  }
}

/** The lock. Throws `not-found` where there is no log. */
export async function requireLock(store: Store): Promise<HeldLock> {
  const lock = await loadLock(store);
  if (lock !== undefined) return lock;
  throw new CodedError('not-found', `${store.name} holds no log; make one with "weighhouse init"`);
}

/** Where an attempt's bundle is staged. */
export function stagingKey(head: TreeHead, nonce: string): Key {
  return keys.staging(head.size, formatHex(head.root), nonce);
}

/** Opens a checkpoint that stands in the store; throws when it is not signed by this log. */
export function openOwn(options: LogOptions, key: Key, note: Uint8Array): TreeHead {
  const opened = openCheckpoint(note, options.origin, verifiersOf(options));
  if (opened.ok) return headOf(opened.checkpoint);
  throw new CodedError(
    opened.code,
    `${key} in ${options.store.name} is not a checkpoint of ${options.origin} by its keys: ${opened.message}`,
    opened.evidence,
  );
}

export function signersOf({ keys }: LogOptions): NoteSigner[] {
  return keys.map(noteSigner);
}

export function headOf({ size, root }: TreeHead): TreeHead {
  return { size, root };
}

/**
 * Throws unless the tree `now` begins with the tree `seen`: nobody may be shown a smaller or
 * another log than before, whatever the store says.
 */
export async function requireGrowth(
  options: LogOptions,
  seen: TreeHead,
  now: TreeHead,
  read: ReadTile,
) {
  const { host, store } = options;
  if (now.size < seen.size) throw rolledBack(store, seen, now);
  if (await beginsWith(host, read, now, seen)) return;
  throw new CodedError(
    'fork',
    `${keys.lock()} in ${store.name} has a tree of size ${now.size} that does not begin with the tree of size ${seen.size} seen before: the log has forked; stop every writer and keep both checkpoints`,
    { seen, now },
  );
}

/** Carries the staged bundle out if it is still there. Gone means done: it is removed after that. */
async function replay(options: LogOptions, key: Key): Promise<void> {
  await applyStaged(options.store, await readStaged(options, key));
}

export async function readStaged({ store, host }: LogOptions, key: Key): Promise<StagedDocument[]> {
  const stored = await store.get(key, MAX_STAGING_BYTES);
  return stored === undefined ? [] : parseStaging(host, stored.bytes, key);
}

/** The error that says how the bucket contradicts the lock, or undefined. */
async function findContradiction(
  options: LogOptions,
  { edge, lock }: Committed,
): Promise<CodedError | undefined> {
  return (
    (await findPublishedAhead(options, edge)) ??
    (await findTileAhead(options.store, edge)) ??
    (await findSeenAhead(options, edge)) ??
    (await options.objection?.({ ...headOf(edge), note: lock.checkpoint }))
  );
}

async function findPublishedAhead(options: LogOptions, edge: TreeEdge) {
  const { store, host } = options;
  const stored = await store.get(keys.checkpoint());
  if (stored === undefined) return undefined;
  const published = openOwn(options, keys.checkpoint(), stored.bytes);
  if (published.size > edge.size) return rolledBack(store, published, edge);
  if (await beginsWith(host, storedTiles(store), edge, published)) return undefined;
  return new CodedError(
    'fork',
    `${keys.checkpoint()} in ${store.name} has a tree of size ${published.size} with which the lock's tree of size ${edge.size} does not begin: the log has forked; keep both and find out which the witnesses saw`,
    { published: headOf(published), committed: headOf(edge) },
  );
}

async function findSeenAhead(options: LogOptions, edge: TreeEdge) {
  const { store, host, origin, lastSeen } = options;
  const note = await lastSeen?.load();
  if (lastSeen === undefined || note === undefined) return undefined;
  const opened = openCheckpoint(note, origin, verifiersOf(options));
  if (!opened.ok) {
    return new CodedError(
      opened.code,
      `${lastSeen.name} is not a checkpoint of ${origin} by its keys: ${opened.message}; find out who wrote it before you remove it`,
      opened.evidence,
    );
  }
  const seen = headOf(opened.checkpoint);
  if (await beginsWith(host, storedTiles(store), edge, seen)) return undefined;
  const [code, how] =
    seen.size > edge.size
      ? (['rolled-back', 'was restored from an older copy'] as const)
      : (['fork', 'holds another history'] as const);
  return new CodedError(
    code,
    `this node has seen a tree of size ${seen.size} (${lastSeen.name}) with which the tree of size ${edge.size} in ${store.name} does not fit: the store ${how}; restore the newest copy, for to go on from this one would fork the log (docs/restored-backup.md)`,
    { seen, now: headOf(edge) },
  );
}

/** Tiles are written after their commit alone, so one beyond the lock says that the lock went back. */
async function findTileAhead(store: Store, edge: TreeEdge): Promise<CodedError | undefined> {
  const index = Math.floor(edge.size / TILE_WIDTH);
  const width = tileWidth(0, index, edge.size);
  const full = formatTilePath({ level: 0, index, width: TILE_WIDTH });
  if ((await store.size(keys.tile(full))) !== undefined) return tileAhead(store, edge, full);
  for await (const key of store.list(prefixes.partialTiles(full))) {
    const found = Number(key.slice(key.lastIndexOf('/') + 1));
    if (found > width) return tileAhead(store, edge, key);
  }
  return undefined;
}

/** Removes what attempts left that lost, or whose process ended: no lock can name them any more. */
async function sweepStaging(store: Store, { lock, edge }: Committed): Promise<void> {
  for await (const key of store.list(prefixes.staging())) {
    const size = Number.parseInt(key.slice(prefixes.staging().length), 10);
    const isOurs = key === stagingKey(edge, lock.nonce);
    if (size <= edge.size || isOurs) await store.delete(key);
  }
}

function verifiersOf({ keys, formerKeys = [] }: LogOptions): NoteVerifier[] {
  return [...keys, ...formerKeys].map(noteVerifier);
}

function alreadyThere(store: Store): CodedError {
  return new CodedError(
    'conflict',
    `${store.name} holds a log already; a log is never made anew over another`,
  );
}

function rolledBack(store: Store, seen: TreeHead, now: TreeHead): CodedError {
  return new CodedError(
    'rolled-back',
    `${keys.lock()} in ${store.name} has size ${now.size}, but a tree of size ${seen.size} was signed before: it was restored from an older copy; restore the newest lock (docs/restored-backup.md)`,
    { seen: headOf(seen), now: headOf(now) },
  );
}

function tileAhead(store: Store, edge: TreeEdge, tile: string): CodedError {
  return new CodedError(
    'rolled-back',
    `${tile} in ${store.name} lies beyond size ${edge.size} of the lock: the lock was restored from an older copy; restore the newest lock (docs/restored-backup.md)`,
    { tile, size: edge.size },
  );
}

async function rethrow(cause: unknown): Promise<void> {
  throw cause;
}
