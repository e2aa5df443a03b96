/**
 * A model as an OCI repository: its versions are tags, `latest` is the newest release that is
 * not recalled, and its blobs are the files of all its releases and what speaks about them.
 */
import { type Digest, digestHex, parseDigest } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import {
  formatModel,
  type Model,
  parseModel,
  parseVersion,
  type ReleaseName,
} from '../../core/release/name.ts';
import { isOpenDocument } from '../../core/release/readers.ts';
import { type Catalogue, type CatalogueRelease, MAX_PAGE } from '../../index/catalogue.ts';
import { MAX_SEARCHED_FILES } from '../../index/search.ts';
import type {
  ArtifactObject,
  Artifacts,
  Content,
  Registry,
  WhoReads,
} from '../../registry/registry.ts';
import { contentOf } from '../content.ts';
import { refusal } from './failure.ts';

/** The tag that clients ask for when they are told none. */
export const LATEST = 'latest';
/** Releases that may have the bytes of a digest and are looked into. */
const MAX_LOOKED_INTO = 16;

export class Repositories {
  readonly #registry: Registry;
  readonly #catalogue: Catalogue;

  constructor(registry: Registry, catalogue: Catalogue) {
    this.#registry = registry;
    this.#catalogue = catalogue;
  }

  /** The published model of that name. Throws NAME_INVALID, NAME_UNKNOWN. */
  model(name: string): Model {
    const model = parseOr(name, parseModel, 'NAME_INVALID');
    if (this.#catalogue.releases({ model, limit: 1 }).length > 0) return model;
    throw refusal('NAME_UNKNOWN', `there is no repository ${formatModel(model)} here`);
  }

  /** Every tag, in the order of the specification (ASCII). */
  tags(model: Model): string[] {
    const versions = this.#all(model).map(({ release }) => release.version as string);
    const hasLatest = this.#catalogue.models({ model, limit: 1 }).length > 0;
    return [...versions, ...(hasLatest ? [LATEST] : [])].sort();
  }

  /** The artifacts at a tag. Throws MANIFEST_UNKNOWN. */
  async atTag(model: Model, tag: string): Promise<Artifacts> {
    const release = this.#releaseAt(model, tag);
    const artifacts = release && (await this.#registry.artifacts(release));
    if (artifacts !== undefined) return artifacts;
    throw refusal('MANIFEST_UNKNOWN', `${formatModel(model)} has no tag ${tag}`);
  }

  /** An object of the model’s artifacts, or undefined. */
  object(model: Model, digest: Digest): Promise<ArtifactObject | undefined> {
    return this.#registry.artifactObject(model, digest);
  }

  /** The manifests that name `subject` as theirs, each by its descriptor. */
  async referrers(model: Model, subject: Digest): Promise<Artifacts['referrers']> {
    const manifest = await this.object(model, subject);
    if (manifest?.kind !== 'manifest') return [];
    const { annotations } = JSON.parse(Buffer.from(manifest.bytes).toString());
    const tag = annotations?.['org.opencontainers.image.version'];
    const release = typeof tag === 'string' ? this.#releaseAt(model, tag) : undefined;
    const artifacts = release && (await this.#registry.artifacts(release));
    return artifacts?.manifest.digest === subject ? artifacts.referrers : [];
  }

  /**
   * The bytes with that digest, if a file or a document of the model has it and `who` may read it.
   * Throws BLOB_UNKNOWN, `not-authorised`.
   */
  async blob(model: Model, digest: Digest, who: WhoReads): Promise<Content> {
    const object = await this.object(model, digest);
    if (object?.kind === 'blob') return contentOf('document', object.bytes, digest);
    for (const { release } of this.#mayHave(model, digest)) {
      const published = await this.#registry.release(release);
      const files = published?.manifest.files.filter(({ sha256 }) => sha256 === digest) ?? [];
      // The same bytes may lie there under another name, too, which everybody may read.
      const file = files.find(isOpenDocument) ?? files[0];
      if (file !== undefined) return this.#registry.content(release, file.path, who);
    }
    throw refusal('BLOB_UNKNOWN', `${formatModel(model)} has no blob ${digest}`);
  }

  #releaseAt(model: Model, tag: string): ReleaseName | undefined {
    if (tag === LATEST) return this.#catalogue.models({ model, limit: 1 })[0]?.release;
    try {
      return { ...model, version: parseVersion(tag) };
    } catch (error) {
      if (isCoded(error, 'bad-name')) return undefined;
      throw error;
    }
  }

  /** The index knows the digests of a release's first files. */
  #mayHave(model: Model, digest: Digest): readonly CatalogueRelease[] {
    const found = this.#catalogue.releases({
      model,
      text: digestHex(digest),
      limit: MAX_LOOKED_INTO,
    });
    if (found.length > 0) return found;
    const large = this.#all(model).filter(({ files }) => files > MAX_SEARCHED_FILES);
    return large.slice(0, MAX_LOOKED_INTO);
  }

  #all(model: Model): CatalogueRelease[] {
    const all: CatalogueRelease[] = [];
    for (;;) {
      const before = all.at(-1)?.index;
      const page = this.#catalogue.releases({
        model,
        limit: MAX_PAGE,
        ...(before === undefined ? {} : { before }),
      });
      all.push(...page);
      if (page.length < MAX_PAGE) return all;
    }
  }
}

/** The digest in a path. Throws DIGEST_INVALID. */
export function digestIn(text: string): Digest {
  return parseOr(text, parseDigest, 'DIGEST_INVALID');
}

function parseOr<T>(
  text: string,
  parse: (text: string) => T,
  code: 'NAME_INVALID' | 'DIGEST_INVALID',
): T {
  try {
    return parse(text);
  } catch (error) {
    if (isCoded(error)) throw refusal(code, error.message);
    throw error;
  }
}
