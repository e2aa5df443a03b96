/**
 * Gathers what pages show of a release. What never changes is kept, so that a page costs no reads but
 * the one that tells for whom its files are now.
 */
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Digest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { parseEntry } from '../../core/log/entry.ts';
import { ollamaModel } from '../../core/oci/ollama.ts';
import { parseDecisions } from '../../core/release/decisions.ts';
import {
  formatModel,
  formatReleaseName,
  type Model,
  type Namespace,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import { parsePolicy } from '../../core/release/policy.ts';
import { parseDecision } from '../../core/statement/decision.ts';
import type { CatalogueRelease } from '../../index/catalogue.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { PublishedRelease, Registry } from '../../registry/registry.ts';
import { releasesOf } from '../api/releases.ts';
import type { Cards } from '../cards.ts';
import type { Tensors } from '../tensors/tensors.ts';
import type { Html } from './html.ts';
import { renderCard } from './model-card.ts';
import { successorOf } from './successors.ts';
import type { DecisionShown } from './views/decisions.ts';
import type { Descendant } from './views/family.ts';
import type { ModelShown } from './views/model.ts';
import { exampleFile, type ReleaseShown } from './views/release.ts';

/** Releases of which what never changes is kept. */
const KEPT_RELEASES = 1_000;
/** Characters of rendered cards that are kept. */
const KEPT_CARDS = 16 << 20;
/** Versions of a model that its page lists. */
const MAX_VERSIONS = 200;

/** Models that are listed as made from another one. */
const MAX_DESCENDANTS = 24;
/** Namespaces of which it is kept what they look like. */
const KEPT_NAMESPACES = 10_000;

/** What is known of a release for ever. */
type Lasting = Pick<ReleaseShown, 'policy' | 'policyIndex' | 'decisions' | 'weights' | 'license'>;

export interface ShownParts {
  readonly registry: Registry;
  readonly catalogue: FollowingCatalogue;
  readonly cards: Cards;
  readonly tensors: Tensors;
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

  readonly #lookAlikes = new BoundedMap<Namespace, { other: Namespace | undefined }>(
    KEPT_NAMESPACES,
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

  /** The versions of a model, newest first. Throws `not-found`. */
  async versions(model: Model): Promise<readonly ReleaseName[]> {
    const releases = await releasesOf(model, this.#parts.catalogue, MAX_VERSIONS);
    return releases.map(({ release }) => release);
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
    const lookAlike = await this.lookAlike(model.namespace);
    const around = { model, releases, events, lookAlike, ...(await this.#descendants(model)) };
    if (listed === undefined) {
      return { ...around, newest: undefined, card: undefined, toGet: undefined };
    }
    const published = await this.published(listed.release);
    const newest = await this.#describe(published, releases);
    const { isOllama } = newest;
    const toGet = { release: listed.release, url, file: exampleFile(published), isOllama };
    return { ...around, newest, card: await this.#card(published), toGet };
  }

  /** The namespace that was there first, where this one looks like it. */
  async lookAlike(namespace: Namespace): Promise<Namespace | undefined> {
    const known = this.#lookAlikes.get(namespace);
    if (known !== undefined) return known.other;
    const other = await this.#parts.registry.lookAlike(namespace);
    this.#lookAlikes.set(namespace, { other });
    return other;
  }

  /** Models whose newest release names a release of `model` as what it was made from. */
  async #descendants(model: Model): Promise<Pick<ModelShown, 'descendants' | 'moreDescendants'>> {
    const { catalogue } = this.#parts;
    const text = `base_model:${formatModel(model)}`;
    const found = catalogue.models({ text, limit: MAX_DESCENDANTS });
    const descendants = await Promise.all(
      found.map(async ({ release }) => {
        // Whatever is wrong with a stranger's release is no fault of this model.
        const made = await this.#parts.registry.release(release).catch(() => undefined);
        // A search finds beginnings of words, too.
        return (made?.manifest.base ?? []).flatMap(({ relation, release: base }): Descendant[] => {
          const from = parseReleaseName(base);
          return formatModel(from) === formatModel(model) ? [{ release, relation, from }] : [];
        });
      }),
    );
    return { descendants: descendants.flat(), moreDescendants: found.length === MAX_DESCENDANTS };
  }

  async #describe(
    published: PublishedRelease,
    releases: readonly CatalogueRelease[],
  ): Promise<ReleaseShown> {
    const { registry, catalogue, url } = this.#parts;
    const { release, digest, manifest, index } = published;
    const reference = formatReleaseName(release);
    const at = releases.findIndex((each) => each.digest === digest);
    const successor = (of: CatalogueRelease) => successorOf(of, (name) => catalogue.release(name));
    const [newest] = catalogue.models({ model: release, limit: 1 });
    return {
      ...(await this.#lastingOf(published)),
      forWhom: await registry.restriction(release.namespace),
      published,
      url,
      lookAlike: await this.lookAlike(release.namespace),
      advisories: releases[at]?.advisories ?? [],
      successor: releases[at] && successor(releases[at]),
      supersedes: releases
        .filter((each) => nameOf(successor(each)) === reference)
        .map((each) => each.release),
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
    const { registry, cards, tensors } = this.#parts;
    const { release } = published;
    const parsed = parseEntry(await registry.document(release, 'entry'));
    if (!parsed.known || parsed.entry.kind !== 'release') {
      throw new CodedError('storage', `the entry of ${formatReleaseName(release)} is none`);
    }
    const policyIndex = parsed.entry.policy;
    const [{ policy }, decisions, sums, card] = await Promise.all([
      registry.policy(release.namespace, policyIndex),
      parsed.entry.decisions === undefined ? [] : this.#decisions(release),
      tensors.sums(published),
      cards.of(published),
    ]);
    const { license } = (card.fields.cardData ?? {}) as { readonly license?: unknown };
    return {
      policy: parsePolicy(policy),
      policyIndex,
      decisions,
      weights: sums?.whole,
      license: typeof license === 'string' ? license : undefined,
    };
  }

  /** The decisions that it reveals, with what evaluators name. */
  async #decisions(release: ReleaseName): Promise<readonly DecisionShown[]> {
    const { registry } = this.#parts;
    const [shown, bytes] = await Promise.all([
      registry.revealed(release),
      registry.document(release, 'decisions.json'),
    ]);
    const revealed = parseDecisions(bytes).decisions;
    const said = new Map(
      revealed.map(({ index, envelope }) => [index, parseDecision(envelope.payload)]),
    );
    return shown.map((each): DecisionShown => {
      const statement = said.get(each.index);
      return statement?.decision === 'evaluate' ? { ...each, evaluation: statement } : each;
    });
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

function nameOf(release: ReleaseName | undefined): string | undefined {
  return release && formatReleaseName(release);
}
