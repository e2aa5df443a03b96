/** The store that an address names: the one place where a concrete store is chosen. */
import { randomBytes } from 'node:crypto';
import { readConfig } from './config.ts';
import { CodedError, isCoded } from './core/error.ts';
import { type Patience, persistFor } from './log/pause.ts';
import type { Store } from './store/contract.ts';
import { openDirectory } from './store/directory.ts';
import { probeStore } from './store/probe.ts';

/**
 * How long a start waits for a bucket that does not answer: after a power cut the servers come
 * up in any order.
 */
export const STORE_PATIENCE_MS = 120_000;

/**
 * Opens the store at `address`: a directory, or `s3://bucket/prefix`, which is only taken if it
 * proves that its conditional writes are real.
 */
export async function openStore(
  address: string,
  options: { create?: boolean; patience?: Patience; bucketUrl?: string | undefined } = {},
): Promise<Store> {
  const { create = false, patience, bucketUrl } = options;
  if (!address.startsWith('s3://')) return openDirectory(address, { create });
  // Loaded only when it is needed: the SDK takes longer to load than most commands run.
  const { openBucket } = await import('./store/s3.ts');
  const { s3Endpoint } = readConfig();
  const bucket = openBucket(address, {
    ...(s3Endpoint !== undefined && { endpoint: s3Endpoint }),
    ...(bucketUrl !== undefined && { publicEndpoint: bucketUrl }),
  });
  const probe = () => proveStore(bucket);
  await (patience === undefined ? probe() : persistFor(patience, probe));
  return bucket;
}

/** Throws `storage` for a store that cannot be used, or on which more or fewer than one of several writers wins. */
export async function proveStore(store: Store): Promise<void> {
  try {
    await probeStore(store, () => new Uint8Array(randomBytes(16)));
  } catch (cause) {
    // What the bucket answered names neither itself nor what to look at.
    if (!isCoded(cause, 'storage') || cause.message.startsWith(store.name)) throw cause;
    const message = `${store.name} cannot be used: ${cause.message.replace(/[.]$/, '')}; check the address, and that this program may read, write and delete there`;
    throw new CodedError('storage', message, cause.details, { cause });
  }
}
