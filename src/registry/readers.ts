/**
 * Who may read the bytes of published files. Whose they are is what the policy in force says at
 * this moment (`core/release/readers.ts`), of every release of its namespace, old or new: it is
 * read from the store for each request, so that a change holds at once on every server. A store
 * that cannot be asked gives nothing out.
 *
 * Every protocol comes by here, because nobody else opens content (`releases.ts`).
 */
import { BoundedMap } from '../core/bounded-map.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { ManifestFile } from '../core/release/manifest.ts';
import { formatReleaseName, type Namespace, type ReleaseName } from '../core/release/name.ts';
import { isOpenDocument, type Restriction } from '../core/release/readers.ts';
import { SharedRun } from '../core/shared-run.ts';
import type { Version } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { isReader } from './access.ts';
import { namespaceForm } from './documents/namespace.ts';
import type { RegistryParts } from './parts.ts';
import { inForceAt, type PolicyBook, type Standing } from './policy-book.ts';
import type { Caller, WhoReads } from './registry.ts';

/** Namespaces whose policies stay at hand; whether they are still those is asked each time. */
const KEPT = 1_000;

export class Readers {
  readonly #parts: RegistryParts;
  readonly #book: PolicyBook;
  readonly #kept = new BoundedMap<Namespace, { version: Version; standing: Standing }>(KEPT);
  /** All who ask for files of one namespace at the same time wait for one reading. */
  readonly #asking = new Map<Namespace, SharedRun<Restriction | undefined>>();

  constructor(parts: RegistryParts, book: PolicyBook) {
    this.#parts = parts;
    this.#book = book;
  }

  /** Whose the bytes of the namespace are now; undefined for everybody's. */
  async restriction(namespace: Namespace): Promise<Restriction | undefined> {
    const shared =
      this.#asking.get(namespace) ?? new SharedRun(() => this.#restrictionNow(namespace));
    this.#asking.set(namespace, shared);
    try {
      return await shared.run();
    } finally {
      if (shared.idle) this.#asking.delete(namespace);
    }
  }

  /**
   * Resolves to whether the file is for readers alone. Throws `not-authorised`, with what the
   * reader lacks, unless `who` is one; nobody is asked who they are for what is everybody's.
   */
  async admit(release: ReleaseName, file: ManifestFile, who: WhoReads): Promise<boolean> {
    if (isOpenDocument(file)) return false;
    const restriction = await this.restriction(release.namespace);
    if (restriction === undefined) return false;
    const caller = await who().catch((error: unknown) => {
      throw isCoded(error, 'not-authorised') ? refusal(release, restriction, error) : error;
    });
    if (caller === undefined || !isReader(caller, release.namespace)) {
      throw refusal(release, restriction, caller);
    }
    return true;
  }

  async #restrictionNow(namespace: Namespace): Promise<Restriction | undefined> {
    const standing = await this.#standing(namespace);
    return inForceAt(standing, this.#book.present()).policy.bytes;
  }

  async #standing(namespace: Namespace): Promise<Standing> {
    const { store } = this.#parts;
    const key = keys.namespace(namespace);
    const stored = await store.get(key);
    if (stored === undefined) {
      throw new CodedError('storage', `${key} in ${store.name} is missing; restore it`, { key });
    }
    const kept = this.#kept.get(namespace);
    if (kept?.version === stored.version) return kept.standing;
    const standing = await this.#book.open(namespaceForm.parse(stored.bytes, key));
    this.#kept.set(namespace, { version: stored.version, standing });
    return standing;
  }
}

/** What a reader lacks who is known, who is not, or whose token is not good. */
function refusal(
  release: ReleaseName,
  restriction: Restriction,
  found: Caller | CodedError | undefined,
): CodedError {
  const { namespace } = release;
  const { terms } = restriction;
  const accepted = terms === undefined ? '' : ` who have accepted ${terms.name} (${terms.url})`;
  const message = `the files of ${formatReleaseName(release)} are for holders of a token with the role reader in ${namespace}${accepted}: ${lackOf(namespace, found)}`;
  return new CodedError('not-authorised', message, { namespace, bytes: restriction });
}

function lackOf(namespace: Namespace, found: Caller | CodedError | undefined): string {
  if (found === undefined) return `ask ${namespace} for one, and show it`;
  if (found instanceof CodedError) return `the one that was shown is not good (${found.message})`;
  return `that of ${found.subject} is none; ask ${namespace} for one`;
}
