/**
 * Gathers what pages show of a release. What never changes is kept, so that a page costs no reads but
 * the one that tells for whom its files are now.
 */
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Digest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { parseEntry } from '../../core/log/entry.ts';
import { ollamaModel } from '../../core/oci/ollama.ts';
import { formatReleaseName, type Model, type ReleaseName } from '../../core/release/name.ts';
import { parsePolicy } from '../../core/release/policy.ts';
import { parseInventory } from '../../core/weights/inventory.ts';
import { MAX_SUMMARISED_BYTES, summariseWeights } from '../../core/weights/summary.ts';
import type { CatalogueRelease } from '../../index/catalogue.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { PublishedRelease, Registry } from '../../registry/registry.ts';
import { releasesOf } from '../api/releases.ts';
import type { Cards } from '../cards.ts';
import type { Html } from './html.ts';
import { renderCard } from './model-card.ts';
import type { ModelShown } from './views/model.ts';
import { exampleFile, type ReleaseShown } from './views/release.ts';

/** Releases of which what never changes is kept. */
const KEPT_RELEASES = 1_000;
/** Characters of rendered cards that are kept. */
const KEPT_CARDS = 16 << 20;
/** Versions of a model that its page lists. */
const MAX_VERSIONS = 200;

/** What is known of a release for ever. */
type Lasting = Pick<ReleaseShown, 'policy' | 'policyIndex' | 'decisions' | 'weights' | 'license'>;

export interface ShownParts {
  readonly registry: Registry;
  readonly catalogue: FollowingCatalogue;
  readonly cards: Cards;
  /** How people reach the registry, without a final `/`. */
  readonly url: string;
}

export class Shown {
  readonly #parts: ShownParts;
  readonly #lasting = new BoundedMap<Digest, Lasting>(KEPT_RELEASES);
  readonly #cards = new BoundedMap<Digest, Html | undefined>(
    KEPT_CARDS,
    (card) => card?.toString().length ?? 0,
  );

  constructor(parts: ShownParts) {
    this.#parts = parts;
  }

  /** A published release, by its name. Throws `not-found`. */
  async published(release: ReleaseName): Promise<PublishedRelease> {
    const found = await this.#parts.registry.release(release);
    if (found !== undefined) return found;
    throw new CodedError('not-found', `${formatReleaseName(release)} is not published here`);
  }

  /** Everything on the page of a release. Throws `not-found`. */
  async release(release: ReleaseName): Promise<ReleaseShown> {
    const published = await this.published(release);
    const releases = await releasesOf(release, this.#parts.catalogue, MAX_VERSIONS);
    return this.#describe(published, releases);
  }

  /** Everything on the page of a model. Throws `not-found`. */
  async model(model: Model): Promise<ModelShown> {
    const { catalogue, url } = this.#parts;
    const releases = await releasesOf(model, catalogue, MAX_VERSIONS);
    const [listed] = catalogue.models({ model, limit: 1 });
    const events = catalogue.history(model);
    if (listed === undefined) {
      return { model, releases, events, newest: undefined, card: undefined, toGet: undefined };
    }
    const published = await this.published(listed.release);
    const newest = await this.#describe(published, releases);
    const { isOllama } = newest;
    const toGet = { release: listed.release, url, file: exampleFile(published), isOllama };
    return { model, releases, events, newest, card: await this.#card(published), toGet };
  }

  async #describe(
    published: PublishedRelease,
    releases: readonly CatalogueRelease[],
  ): Promise<ReleaseShown> {
    const { registry, catalogue, url } = this.#parts;
    const { release, digest, manifest, index } = published;
    const reference = formatReleaseName(release);
    const at = releases.findIndex((each) => each.digest === digest);
    const [newest] = catalogue.models({ model: release, limit: 1 });
    return {
      ...(await this.#lastingOf(published)),
      forWhom: await registry.restriction(release.namespace),
      published,
      url,
      advisories: releases[at]?.advisories ?? [],
      isNewest: newest?.digest === digest,
      previous: releases.slice(at + 1).at(0)?.release,
      events: catalogue
        .history(release)
        .filter((event) => event.release === reference || event.index === index),
      isOllama: ollamaModel(manifest) !== undefined,
    };
  }

  async #lastingOf(published: PublishedRelease): Promise<Lasting> {
    const known = this.#lasting.get(published.digest);
    if (known !== undefined) return known;
    const lasting = await this.#readLasting(published);
    this.#lasting.set(published.digest, lasting);
    return lasting;
  }

  async #readLasting(published: PublishedRelease): Promise<Lasting> {
    const { registry, cards } = this.#parts;
    const { release } = published;
    const parsed = parseEntry(await registry.document(release, 'entry'));
    if (!parsed.known || parsed.entry.kind !== 'release') {
      throw new CodedError('storage', `the entry of ${formatReleaseName(release)} is none`);
    }
    const policyIndex = parsed.entry.policy;
    const [{ policy }, decisions, weights, card] = await Promise.all([
      registry.policy(release.namespace, policyIndex),
      parsed.entry.decisions === undefined ? [] : registry.revealed(release),
      this.#weights(published),
      cards.of(published),
    ]);
    const { license } = (card.fields.cardData ?? {}) as { readonly license?: unknown };
    return {
      policy: parsePolicy(policy),
      policyIndex,
      decisions,
      weights,
      license: typeof license === 'string' ? license : undefined,
    };
  }

  async #weights({ release, manifest }: PublishedRelease): Promise<ReleaseShown['weights']> {
    const { tensors } = manifest;
    if (tensors === undefined || tensors.size > MAX_SUMMARISED_BYTES) return undefined;
    const inventory = await this.#parts.registry.document(release, 'tensors.json');
    return summariseWeights(parseInventory(inventory));
  }

  async #card(published: PublishedRelease): Promise<Html | undefined> {
    const { digest } = published;
    const known = this.#cards.get(digest);
    if (known !== undefined) return known;
    const readme = await this.#parts.cards.readme(published);
    const card = readme === undefined ? undefined : renderCard(readme);
    this.#cards.set(digest, card);
    return card;
  }
}
