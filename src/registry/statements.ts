/**
 * Documents under their own SHA-256: envelopes, policies, manifests, inventories. They are
 * private until something public names them, for a digest is all that it takes to read one;
 * so nothing outside asks here by a digest of its own.
 */
import { type Digest, digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { INVENTORY_LIMITS } from '../core/weights/inventory.ts';
import { keys } from '../store/keys.ts';
import type { RegistryParts } from './parts.ts';

export class Statements {
  readonly #parts: Pick<RegistryParts, 'store' | 'host'>;

  constructor(parts: Pick<RegistryParts, 'store' | 'host'>) {
    this.#parts = parts;
  }

  /** Stores `bytes`; what is there already under their digest is the same bytes. */
  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(this.#parts.host, bytes);
    await this.#parts.store.create(keys.statement(digest), bytes);
    return digest;
  }

  /** The bytes with that digest. Throws `storage` when the store has lost or damaged them. */
  async get(digest: Digest): Promise<Uint8Array> {
    const key = keys.statement(digest);
    const stored = await this.#parts.store.get(key, INVENTORY_LIMITS.maxBytes);
    if (stored !== undefined && digestOf(this.#parts.host, stored.bytes) === digest) {
      return stored.bytes;
    }
    const what = stored === undefined ? 'is missing' : 'is damaged';
    throw new CodedError('storage', `${key} in ${this.#parts.store.name} ${what}; restore it`, {
      key,
    });
  }
}
