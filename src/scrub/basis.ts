/**
 * What a scrub believes: the newest trust root that the store's own chain leads to, and the
 * published checkpoint, or the committed one where that is damaged. Neither may be there: then
 * what rests on it is left out, and the scrub says so by naming them.
 */
import { isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseCheckpoint, type TreeHead } from '../core/log/checkpoint.ts';
import type { ReadTile } from '../core/log/tile-reader.ts';
import { parseNote } from '../core/note/note.ts';
import { checkRoot, type TrustRoot } from '../core/trust/succession.ts';
import { parseLock } from '../log/lock.ts';
import { storedTiles } from '../log/reader.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys } from '../store/keys.ts';
import { checkSignature } from './check/signature.ts';
import { LogTruth } from './log-truth.ts';

export interface Basis {
  readonly trust: TrustRoot | undefined;
  readonly log: LogTruth | undefined;
}

/** `others` are further copies of the log, to be tried after the store's. */
export async function readBasis(
  store: Store,
  host: Host,
  others: readonly ReadTile[] = [],
): Promise<Basis> {
  const trust = await readTrust(store, host);
  const head =
    (await readHead(store, trust, keys.checkpoint())) ??
    (await readHead(store, trust, keys.lock()));
  const log = head && new LogTruth(host, head, [storedTiles(store), ...others]);
  return { trust, log };
}

/** As far as each version is signed by the one before it. */
async function readTrust(store: Store, host: Host): Promise<TrustRoot | undefined> {
  let root: TrustRoot | undefined;
  for (let version = 1; ; version++) {
    const bytes = await ifGood(async () => (await store.get(keys.root(version)))?.bytes);
    const next = bytes && (await ifGood(() => checkRoot(host, bytes, root)));
    if (next?.ok !== true) return root;
    root = next.root;
  }
}

async function readHead(
  store: Store,
  trust: TrustRoot | undefined,
  key: Key,
): Promise<TreeHead | undefined> {
  return ifGood(async () => {
    const stored = await store.get(key);
    if (stored === undefined || checkSignature({ trust }, key, stored.bytes)) return undefined;
    const note = key === keys.lock() ? parseLock(stored.bytes).checkpoint : stored.bytes;
    const { size, root } = parseCheckpoint(parseNote(note).text);
    return { size, root };
  });
}

/** Undefined for what is damaged; a store that does not answer is another matter. */
async function ifGood<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const isDamage =
      isCoded(error) && (error.code.startsWith('bad-') || error.details.damaged === true);
    if (isDamage) return undefined;
    throw error;
  }
}
