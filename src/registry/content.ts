/**
 * Content: the bytes of files, under keys that the server drew at random. Which key holds
 * the bytes of a digest is bound once, after the registry hashed them; nothing is copied and
 * nothing is ever replaced.
 *
 * Who may name a digest without sending its bytes: a namespace that sent them before, and
 * everybody once a published release shows them, as long as the namespace of that release gives
 * them to everybody. To all others the answer is the same as for a digest that nobody has: that
 * somebody's draft holds it cannot be found out here, and nobody gets by a digest alone what is
 * for readers.
 */
import { formatHex } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type Namespace, parseNamespace } from '../core/release/name.ts';
import { type ByteReader, readExactly } from '../core/weights/reader.ts';
import type { ByteRange, Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import {
  type Binding,
  bindingForm,
  CLAIM,
  isWhole,
  makeBinding,
  publicClaimForm,
} from './documents/content.ts';
import { damaged, load } from './documents/form.ts';
import type { RegistryParts } from './parts.ts';
import type { Readers } from './readers.ts';

/** Bytes of the random name of a blob. */
const BLOB_NAME_BYTES = 16;

export class Contents {
  readonly #parts: Pick<RegistryParts, 'store' | 'host' | 'random'>;

  constructor(parts: Pick<RegistryParts, 'store' | 'host' | 'random'>) {
    this.#parts = parts;
  }

  /** A name that nobody can guess and nobody had before. */
  drawBlob(): string {
    return formatHex(this.#parts.random().subarray(0, BLOB_NAME_BYTES));
  }

  /** Where the bytes with that digest are, as far as `namespace` may know. */
  async known(
    namespace: Namespace,
    digest: Digest,
    readers: Pick<Readers, 'restriction'>,
  ): Promise<Binding | undefined> {
    const [sent, shownBy] = await Promise.all([
      this.#parts.store.size(keys.claim(namespace, digest)),
      this.#shownBy(digest),
    ]);
    const isOpen = async () =>
      shownBy !== undefined && (await readers.restriction(shownBy)) === undefined;
    return sent !== undefined || (await isOpen()) ? this.find(digest) : undefined;
  }

  /** Whose published release was the first to show the bytes; undefined also where nobody can tell. */
  async #shownBy(digest: Digest): Promise<Namespace | undefined> {
    const stored = await this.#parts.store.get(keys.publicClaim(digest));
    if (stored === undefined) return undefined;
    try {
      const { namespace } = publicClaimForm.parse(stored.bytes);
      return namespace === undefined ? undefined : parseNamespace(namespace);
    } catch {
      // A claim that has rotted lets nobody do anything; the scrub finds it.
      return undefined;
    }
  }

  /** Where the bytes with that digest are. For digests that a release of ours names. */
  async find(digest: Digest): Promise<Binding | undefined> {
    const { store, host } = this.#parts;
    const key = keys.digest(digest);
    const binding = (await load(store, key, bindingForm))?.value;
    if (binding === undefined || isWhole(host, digest, binding)) return binding;
    throw damaged(`${key} in ${store.name}`, new Error('its sum does not fit'));
  }

  /**
   * Binds the digest to a blob that was hashed and has it. Resolves to the binding that
   * holds: an earlier one stays.
   */
  async bind(digest: Digest, blob: string, size: number, chunks: Digest): Promise<Binding> {
    const binding = makeBinding(this.#parts.host, digest, { blob, size, chunks });
    const outcome = await this.#parts.store.create(
      keys.digest(digest),
      bindingForm.format(binding),
    );
    return outcome === 'created' ? binding : (await this.find(digest))!;
  }

  /** Notes that `namespace` sent the bytes with that digest, so that it need not do so again. */
  async claim(namespace: Namespace, digest: Digest): Promise<void> {
    await this.#parts.store.create(keys.claim(namespace, digest), CLAIM);
  }

  /** Notes that a published release of `namespace` shows the bytes with that digest. */
  async claimForAll(namespace: Namespace, digest: Digest): Promise<void> {
    const claim = publicClaimForm.format({ v: 1, namespace });
    await this.#parts.store.create(keys.publicClaim(digest), claim);
  }
}

/** Random access to the `size` bytes of a blob. */
export function readerOfBlob(store: Store, blob: string, size: number): ByteReader {
  const reader: ByteReader = {
    size,
    read: (offset, length) => collect(store, blob, { offset, length }),
  };
  return { size, read: (offset, length) => readExactly(reader, offset, length) };
}

async function collect(store: Store, blob: string, range: ByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  let at = 0;
  for await (const part of await store.read(keys.blob(blob), range)) {
    if (part.length > bytes.length - at) break;
    bytes.set(part, at);
    at += part.length;
  }
  if (at === bytes.length) return bytes;
  throw new CodedError('storage', `${keys.blob(blob)} in ${store.name} is cut short; restore it`);
}
