/**
 * Documents under their own SHA-256: envelopes, policies, manifests, inventories. They are
 * private until something public names them, for a digest is all that it takes to read one;
 * so nothing outside asks here by a digest of its own.
 */
import { BoundedMap } from '../core/bounded-map.ts';
import { type Digest, digestBytes, digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { INVENTORY_LIMITS } from '../core/weights/inventory.ts';
import { type Key, keys } from '../store/keys.ts';
import type { RegistryParts } from './parts.ts';
import type { Content } from './registry.ts';

/** Documents that are longer are read from the store each time. */
const MAX_KEPT_EACH = 2 ** 20;

export class Statements {
  readonly #parts: Pick<RegistryParts, 'store' | 'host'>;
  readonly #kept: BoundedMap<Digest, Uint8Array>;

  /** Keeps up to `keptBytes` of what was read last in memory, for those who read the same again and again. */
  constructor(parts: Pick<RegistryParts, 'store' | 'host'>, keptBytes = 0) {
    this.#parts = parts;
    this.#kept = new BoundedMap(keptBytes, ({ length }) => length);
  }

  /** Stores `bytes`; what is there already under their digest is the same bytes. */
  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(this.#parts.host, bytes);
    await this.#parts.store.create(keys.statement(digest), bytes);
    return digest;
  }

  /**
   * The document with that digest as content of one chunk, to be hashed and sent without ever
   * being whole in memory. Throws `storage` when the store has lost it.
   */
  async content(digest: Digest, path: string): Promise<Content> {
    const { store } = this.#parts;
    const key = keys.statement(digest);
    const size = await store.size(key);
    if (size === undefined) throw this.#unreadable(key, 'is missing');
    return {
      path,
      size,
      sha256: digest,
      chunkSize: size,
      chunkList: async () => digestBytes(digest),
      read: (range, signal) => store.read(key, range, signal),
      localPath: store.localPath?.(key),
    };
  }

  /** The bytes with that digest. Throws `storage` when the store has lost or damaged them. */
  async get(digest: Digest): Promise<Uint8Array> {
    const known = this.#kept.get(digest);
    if (known !== undefined) return known;
    const key = keys.statement(digest);
    const stored = await this.#parts.store.get(key, INVENTORY_LIMITS.maxBytes);
    if (stored !== undefined && digestOf(this.#parts.host, stored.bytes) === digest) {
      if (stored.bytes.length <= MAX_KEPT_EACH) this.#kept.set(digest, stored.bytes);
      return stored.bytes;
    }
    throw this.#unreadable(key, stored === undefined ? 'is missing' : 'is damaged');
  }

  #unreadable(key: Key, how: string): CodedError {
    const message = `${key} in ${this.#parts.store.name} ${how}; restore it`;
    return new CodedError('storage', message, { key });
  }
}
