/**
 * What the index answers. It is a view of the published log, kept for speed alone: nothing
 * is decided by it, and it can be deleted at any time.
 */
import type { Digest } from '../core/digest.ts';
import type { AdvisoryKind } from '../core/log/entry.ts';
import type { Model, Namespace, ReleaseName } from '../core/release/name.ts';

/** Releases on one page, at most. */
export const MAX_PAGE = 1_000;

/** A published release in a listing. */
export interface CatalogueRelease {
  readonly release: ReleaseName;
  readonly digest: Digest;
  readonly index: number;
  readonly time: string;
  /** Bytes and number of its files. */
  readonly size: number;
  readonly files: number;
  /** Advisories about it, oldest first. */
  readonly advisories: readonly CatalogueAdvisory[];
}

export interface CatalogueAdvisory {
  readonly index: number;
  readonly kind: AdvisoryKind;
  readonly summary: string;
  readonly time: string;
}

/** An advisory with what it is about. */
export interface AdvisedRelease extends CatalogueAdvisory {
  readonly release: ReleaseName;
  readonly digest: Digest;
}

/** A model that has a release, and when its newest one was published. */
export interface CatalogueModel {
  readonly model: Model;
  readonly time: string;
}

/** One line of a model's history. */
export interface CatalogueEvent {
  readonly index: number;
  readonly time: string;
  /** The entry's kind. */
  readonly kind: string;
  readonly release?: string;
  readonly digest?: Digest;
  /** One sentence for people. */
  readonly text: string;
}

export interface CatalogueQuery {
  readonly namespace?: Namespace;
  readonly model?: Model;
  /** Words to search in names, versions, file paths, tensor-format names and digests. */
  readonly text?: string;
  /** At most `MAX_PAGE`. */
  readonly limit: number;
  /** The index of the last release of the page before; newest come first. */
  readonly before?: number;
}

export interface Catalogue {
  /** Entries of the log that are in the index. */
  size(): number;
  /** Newest first. */
  releases(query: CatalogueQuery): readonly CatalogueRelease[];
  /** As `releases`, but of each model only the newest release that is not recalled. */
  models(query: CatalogueQuery): readonly CatalogueRelease[];
  release(release: ReleaseName): CatalogueRelease | undefined;
  byDigest(model: Model, digest: Digest): CatalogueRelease | undefined;
  /** Every entry that concerns the model, oldest first. */
  history(model: Model): readonly CatalogueEvent[];
  /**
   * What is known of the entries from `start` up to, not including, `end`: of a commitment, what
   * a release has revealed of it.
   */
  events(start: number, end: number): readonly CatalogueEvent[];
  /** Releases, advisories and announcements, of one namespace or of all, newest first. */
  news(query: {
    readonly namespace?: Namespace;
    readonly limit: number;
  }): readonly CatalogueEvent[];
  /** Newest first. */
  advisories(query: {
    readonly kind?: AdvisoryKind;
    readonly limit: number;
    /** The index of the last advisory of the page before. */
    readonly before?: number;
  }): readonly AdvisedRelease[];
  /** The advisory at that entry. */
  advisory(index: number): AdvisedRelease | undefined;
  /** How many models have a release. */
  modelCount(): number;
  /** They, by name. */
  modelsByName(query: {
    readonly limit: number;
    readonly offset: number;
  }): readonly CatalogueModel[];
}
