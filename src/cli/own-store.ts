/** The store of a registry, on its operator's machine: only that of the keys that lie here. */
import { CodedError } from '../core/error.ts';
import { nodeHost } from '../hashing/host.ts';
import { openStore } from '../open-store.ts';
import { readOrigin } from '../operator/keys-directory.ts';
import { readBasis } from '../scrub/basis.ts';
import type { Store } from '../store/contract.ts';

export interface OwnStoreFlags {
  readonly store: string;
  readonly keys: string;
}

/** Throws `untrusted` for the store of another registry. A damaged trust root is let by. */
export async function openOwnStore({ store: address, keys }: OwnStoreFlags): Promise<Store> {
  const origin = await readOrigin(keys);
  const store = await openStore(address);
  const { trust } = await readBasis(store, nodeHost);
  if (trust === undefined || trust.origin === origin) return store;
  await store.close();
  throw new CodedError(
    'untrusted',
    `${address} holds the registry ${trust.origin}, but ${keys} has the keys of ${origin}`,
  );
}
