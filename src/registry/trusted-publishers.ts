/**
 * Trusted publishers of a namespace: the operator's command writes them into the store, the
 * server reads them at every exchange. They are configuration, not policy: what they are given
 * can push and seal, and no decision or publish rests on it.
 *
 * A job's token, and the upload session that it opens, name the very entry that let it in, its
 * *grant*. Each request asks whether it still stands: so what is removed ends at once.
 */
import { digestHex } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Namespace } from '../core/release/name.ts';
import {
  findPublisher,
  type Identity,
  publisherId,
  type TrustedPublisher,
} from '../core/release/trusted-publisher.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import type { Chores } from './chores.ts';
import { change, load } from './documents/form.ts';
import {
  type PublisherEntry,
  type PublishersRecord,
  publishersForm,
} from './documents/publishers.ts';
import type { RegistryParts } from './parts.ts';

const NONE: PublishersRecord = { v: 1, generation: 0, publishers: [] };
/** Milliseconds between two looks for exchanged tokens that have expired. */
const SWEEP_EVERY = 3_600_000;
/** Seconds for which an expired token is remembered: clocks differ. */
const REMEMBERED_SECONDS = 3_600;

/** What is called so in messages and logs: the id that `publisherId` makes. */
type IdOf = (publisher: TrustedPublisher) => string;

export async function trustedPublishers(
  store: Store,
  namespace: Namespace,
): Promise<readonly TrustedPublisher[]> {
  return (await entriesOf(store, namespace)).map(({ since: _, ...publisher }) => publisher);
}

async function entriesOf(store: Store, namespace: Namespace): Promise<readonly PublisherEntry[]> {
  return (await load(store, keys.publishers(namespace), publishersForm))?.value.publishers ?? [];
}

/** Adds a trusted publisher; one that is there already is left as it is. Throws `not-found` without the namespace. */
export async function trustPublisher(
  store: Store,
  namespace: Namespace,
  publisher: TrustedPublisher,
  idOf: IdOf,
): Promise<void> {
  if ((await store.size(keys.namespace(namespace))) === undefined) {
    throw new CodedError('not-found', `there is no namespace ${namespace}`);
  }
  await change(store, keys.publishers(namespace), publishersForm, (current = NONE) => {
    const { publishers, generation } = current;
    const isThere = publishers.some((it) => idOf(it) === idOf(publisher));
    const added = { ...publisher, since: generation + 1 };
    return isThere ? current : { ...current, publishers: [...publishers, added] };
  });
}

/** Removes the trusted publisher called `id`. Throws `not-found`. */
export async function distrustPublisher(
  store: Store,
  namespace: Namespace,
  id: string,
  idOf: IdOf,
): Promise<void> {
  await change(store, keys.publishers(namespace), publishersForm, (current = NONE) => {
    const publishers = current.publishers.filter((it) => idOf(it) !== id);
    if (publishers.length < current.publishers.length) return { ...current, publishers };
    throw new CodedError('not-found', `${namespace} has no trusted publisher ${id}`);
  });
}

/** A CI job that was let in. */
export interface Admission {
  /** The id of the trusted publisher. */
  readonly publisher: string;
  /** Names the entry by which it was. */
  readonly grant: string;
}

export class Admissions {
  readonly #parts: Pick<RegistryParts, 'store' | 'host' | 'clock'>;
  readonly #chores: Chores;
  #sweptAt: number;

  constructor(parts: Pick<RegistryParts, 'store' | 'host' | 'clock'>, chores: Chores) {
    this.#parts = parts;
    this.#chores = chores;
    this.#sweptAt = parts.clock();
  }

  /**
   * The trusted publisher of `namespace` that the identity is. Each identity token is taken
   * once, by one server of all that share the store. Throws `not-authorised`.
   */
  async admit(namespace: Namespace, identity: Identity): Promise<Admission> {
    const { store, host } = this.#parts;
    const publisher = findPublisher(await entriesOf(store, namespace), identity);
    if (publisher === undefined) {
      // Of a namespace without any, and of one that is not there, no more is said than this.
      throw new CodedError(
        'not-authorised',
        `no trusted publisher of ${namespace} has this issuer, audience and claims; its operator compares them with "weighhouse namespace trusted-publishers"`,
      );
    }
    await this.#takeOnce(identity);
    return { publisher: publisherId(host, publisher), grant: this.#grantOf(publisher) };
  }

  /** Is what was granted still trusted, and was it all the time? Read anew at each call. */
  async trusts(namespace: Namespace, grant: string): Promise<boolean> {
    const entries = await entriesOf(this.#parts.store, namespace);
    return entries.some((entry) => this.#grantOf(entry) === grant);
  }

  #grantOf(entry: PublisherEntry): string {
    return `${publisherId(this.#parts.host, entry)}.${entry.since}`;
  }

  async #takeOnce({ expires, fingerprint }: Identity): Promise<void> {
    const key = keys.exchanged(expires, digestHex(fingerprint));
    const outcome = await this.#parts.store.create(key, new Uint8Array(1));
    this.#sweepSometimes();
    if (outcome === 'created') return;
    throw new CodedError(
      'not-authorised',
      'this identity token was exchanged before; a job asks its CI system for a new one',
    );
  }

  #sweepSometimes(): void {
    const now = this.#parts.clock();
    if (now - this.#sweptAt < SWEEP_EVERY) return;
    this.#sweptAt = now;
    this.#chores.begin(() => this.#sweep(Math.floor(now / 1_000) - REMEMBERED_SECONDS));
  }

  /** Forgets tokens that nobody takes any more: those that expired before `second`. */
  async #sweep(second: number): Promise<void> {
    for await (const key of this.#parts.store.list(prefixes.exchanged())) {
      if (expiresOf(key) < second) await this.#parts.store.delete(key);
    }
  }
}

function expiresOf(key: Key): number {
  return Number(/\/([0-9]+)-[0-9a-f]+$/.exec(key)?.[1] ?? Number.POSITIVE_INFINITY);
}
