/**
 * How a process that runs takes over what another one has committed. Whoever committed is most
 * probably carrying its bundle out at this moment; the tree is read from that bundle meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TreeHead } from '../core/log/checkpoint.ts';
import type { ReadTile } from '../core/log/tile-reader.ts';
import { loadEdge } from '../core/log/tree.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys } from '../store/keys.ts';
import type { StagedDocument } from './item.ts';
import type { HeldLock } from './lock.ts';
import { storedTiles } from './reader.ts';
import {
  type Committed,
  type LogOptions,
  openOwn,
  readStaged,
  requireGrowth,
  stagingKey,
} from './recover.ts';
import { applyStaged } from './staging.ts';

/** How long another process is given to carry out what it has committed, in milliseconds. */
const APPLY_PATIENCE_MS = 400;
/** How often that is looked at, in milliseconds. */
const APPLY_LOOK_MS = 10;

/**
 * What another process has committed with `lock`, for one that stands on `before`; resolves
 * once all of it is in place. Throws `fork` or `rolled-back` if `before` is no part of it.
 */
export async function follow(
  options: LogOptions,
  before: TreeHead,
  lock: HeldLock,
): Promise<Committed> {
  const { store, host, renewKeys } = options;
  const head = await openAfterRenewal(options, lock);
  const key = stagingKey(head, lock.nonce);
  const staged = await readStaged(options, key);
  const read = rememberingTiles(staged, storedTiles(store));
  const [edge] = await Promise.all([
    loadEdge(host, head, read),
    requireGrowth(options, before, head, read),
  ]);
  await untilApplied(store, key, staged);
  // A newer trust root may have been among it.
  await renewKeys?.();
  return { lock, edge };
}

/** The checkpoint of `lock`, by the keys that are known or, failing that, those that came since. */
async function openAfterRenewal(options: LogOptions, lock: HeldLock): Promise<TreeHead> {
  try {
    return openOwn(options, keys.lock(), lock.checkpoint);
  } catch (error) {
    if (options.renewKeys === undefined) throw error;
    await options.renewKeys();
    return openOwn(options, keys.lock(), lock.checkpoint);
  }
}

/** Waits for the process that committed the bundle; carries it out if that takes too long. */
async function untilApplied(
  store: Store,
  key: Key,
  staged: readonly StagedDocument[],
): Promise<void> {
  if (staged.length === 0) return;
  const end = performance.now() + APPLY_PATIENCE_MS;
  while ((await store.size(key)) !== undefined) {
    if (performance.now() > end) {
      await applyStaged(store, staged);
      return store.delete(key);
    }
    await sleep(APPLY_LOOK_MS);
  }
}

/** Each tile once, and from the bundle where that has it. */
function rememberingTiles(staged: readonly StagedDocument[], read: ReadTile): ReadTile {
  const known = new Map<string, ReturnType<ReadTile>>();
  for (const { key, bytes } of staged) known.set(key, Promise.resolve(bytes));
  return (path) => {
    const key = keys.tile(path);
    const found = known.get(key) ?? read(path);
    known.set(key, found);
    return found;
  };
}
