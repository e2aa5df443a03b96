/**
 * What a signer keeps in this browser, for this page's address alone (IndexedDB `weighhouse`):
 *
 *     keys       by the registry's origin: the key pair, whose private half nobody can read out
 *     passkeys   by the registry's origin: the passkey that its person signs with from here
 *     receipts   by origin and label: the receipt of each decision, its canonical bytes
 *
 * A write counts once it is on the disk: a receipt is kept before anything is sent.
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { ReceiptStore } from '../../client/receipts.ts';
import { formatReceipt, parseReceipt, type Receipt } from '../../client/receipts.ts';
import { CodedError } from '../../core/error.ts';
import type { Origin } from '../../core/log/checkpoint.ts';
import type { Passkey } from '../../core/statement/passkey.ts';

interface Kept extends DBSchema {
  keys: { key: string; value: CryptoKeyPair };
  passkeys: { key: string; value: Passkey };
  receipts: { key: [origin: string, label: string]; value: Uint8Array };
}
type Database = IDBPDatabase<Kept>;

const STRICT = { durability: 'strict' } as const;

/** Throws `conflict` while an older page of ours in another tab keeps the store as it was. */
export async function openStore(): Promise<SignerStore> {
  const { promise: isBlocked, reject } = Promise.withResolvers<never>();
  const opening = openDB<Kept>('weighhouse', 2, {
    upgrade(made, before) {
      if (before < 1) {
        made.createObjectStore('keys');
        made.createObjectStore('receipts');
      }
      made.createObjectStore('passkeys');
    },
    // Another tab has a newer script: it must not wait for this one to be closed.
    blocking(_before, _next, event) {
      (event.target as IDBDatabase).close();
    },
    blocked() {
      reject(
        new CodedError(
          'conflict',
          'another tab shows an older page of this registry, which keeps your keys as they were; close it, and load this page anew',
        ),
      );
    },
  });
  const database = await Promise.race([opening, isBlocked]);
  return new SignerStore(database);
}

export class SignerStore implements ReceiptStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  key(origin: Origin): Promise<CryptoKeyPair | undefined> {
    return this.#database.get('keys', origin);
  }

  /** Keeps a new key; false when there is one already. */
  addKey(origin: Origin, pair: CryptoKeyPair): Promise<boolean> {
    return this.#write('keys', (store) => store.add(pair, origin));
  }

  passkey(origin: Origin): Promise<Passkey | undefined> {
    return this.#database.get('passkeys', origin);
  }

  /** From now on this one is signed with. */
  async keepPasskey(origin: Origin, passkey: Passkey): Promise<void> {
    await this.#write('passkeys', (store) => store.put(passkey, origin));
  }

  /** The authenticator still has it; this browser no longer asks for it. */
  async forgetPasskey(origin: Origin): Promise<void> {
    await this.#write('passkeys', (store) => store.delete(origin));
  }

  async all(origin: Origin): Promise<readonly Receipt[]> {
    // Labels are hex: all of them lie between these two.
    const kept = await this.#database.getAll(
      'receipts',
      IDBKeyRange.bound([origin, ''], [origin, 'g']),
    );
    return kept.map((bytes) => parseReceipt(bytes, 'a receipt in this browser'));
  }

  add(receipt: Receipt): Promise<boolean> {
    return this.#write('receipts', (store) => store.add(formatReceipt(receipt), placeOf(receipt)));
  }

  async save(receipt: Receipt): Promise<void> {
    await this.#write('receipts', (store) => store.put(formatReceipt(receipt), placeOf(receipt)));
  }

  /** False where something is there already that was not to be replaced. */
  async #write<Name extends 'keys' | 'passkeys' | 'receipts'>(
    name: Name,
    act: (store: ReturnType<typeof storeOf<Name>>) => Promise<unknown>,
  ): Promise<boolean> {
    const transaction = this.#database.transaction(name, 'readwrite', STRICT);
    try {
      await act(transaction.objectStore(name));
      await transaction.done;
      return true;
    } catch (error) {
      await transaction.done.catch(() => {});
      if (error instanceof DOMException && error.name === 'ConstraintError') return false;
      throw error;
    }
  }
}

function storeOf<Name extends 'keys' | 'passkeys' | 'receipts'>(database: Database, name: Name) {
  return database.transaction(name, 'readwrite', STRICT).objectStore(name);
}

function placeOf({ origin, label }: Receipt): [string, string] {
  return [origin, label];
}
