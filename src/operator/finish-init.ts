/**
 * An `init` that was stopped after it had stored the trust root and before the log began.
 * Nobody has seen that registry, and its keys lie where they were written: the same `init`
 * again goes on with them.
 */
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { type SigningKey, sameKey } from '../core/note/key.ts';
import { parseRoot } from '../core/trust/root.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { openHeldKeys } from './keys-directory.ts';

/** The trust root of a registry whose log never began; undefined where there is none, or more. */
export async function readUnfinished(store: Store): Promise<Uint8Array | undefined> {
  const root = await store.get(keys.root(1));
  // Whoever lost the lock of a log that has entries must not be given an empty one.
  const later = [keys.lock(), keys.checkpoint(), keys.heads()].map((key) => store.size(key));
  const isBegun = (await Promise.all(later)).some((size) => size !== undefined);
  return isBegun ? undefined : root?.bytes;
}

/** Opens the log key that the stopped `init` made. Throws `conflict` for keys of another registry. */
export async function reopenLogKey(
  host: Host,
  root: Uint8Array,
  origin: Origin,
  directory: string,
  passphrase: string | undefined,
): Promise<SigningKey> {
  const { document } = parseRoot(host, root);
  const held = await openHeldKeys(host, directory, passphrase).catch((error: unknown) => {
    if (isCoded(error, 'not-found')) throw otherKeys(document.origin, directory);
    throw error;
  });
  const log = held.log.find((ours) => document.log.some(({ key }) => sameKey(key, ours)));
  const isOurs = document.origin === origin && held.origin === origin;
  if (log === undefined || !isOurs) throw otherKeys(document.origin, directory);
  return log;
}

function otherKeys(origin: string, directory: string): CodedError {
  return new CodedError(
    'conflict',
    `the store holds the beginning of the registry ${origin}, whose keys are not in ${directory}: finish it with the origin and keys that it was begun with, or use an empty store`,
  );
}
