/**
 * A release as a Hugging Face client sees it: a repository at a revision. `main` is the newest
 * release that is not recalled, every version is a tag, and the commit of a release is the
 * first 40 digits of its digest. Among the files stands `model.sig`, so that what a client
 * downloads can be verified by whoever knows OpenSSF Model Signing.
 */
import { createHash } from 'node:crypto';
import { compareCodePoints } from '../../core/bytes.ts';
import { type Digest, digestHex, formatDigest } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import { findFile } from '../../core/release/manifest.ts';
import {
  formatModel,
  formatReleaseName,
  type Model,
  parseModel,
  parseVersion,
  type ReleaseName,
} from '../../core/release/name.ts';
import { asRevision, type Revision, revisionOf } from '../../core/release/revision.ts';
import type { Catalogue } from '../../index/catalogue.ts';
import type { Content, PublishedRelease, Registry } from '../../registry/registry.ts';
import { contentOf } from '../content.ts';
import { absent } from './failure.ts';

/** Where the signature stands among the files. */
export const SIGNATURE_PATH = 'model.sig';
/** Signatures whose digests are remembered. */
const MAX_REMEMBERED = 4_096;

/** Names of the newest release: the branch, and what clients ask for by default. */
const MAIN = new Set(['main', 'HEAD', 'refs/heads/main']);
const TAG = 'refs/tags/';

/** One file of a repository. */
export interface RepoFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Digest;
}

/** A repository at a revision. */
export interface Snapshot {
  readonly model: Model;
  readonly release: ReleaseName;
  readonly revision: Revision;
  readonly published: PublishedRelease;
  readonly signature: RepoFile;
}

export class Snapshots {
  readonly #registry: Registry;
  readonly #catalogue: Catalogue;
  readonly #signatures = new Map<Digest, RepoFile>();

  constructor(registry: Registry, catalogue: Catalogue) {
    this.#registry = registry;
    this.#catalogue = catalogue;
  }

  /** The published model of that id. Throws `not-found`. */
  model(id: string): Model {
    const model = parseModelOrAbsent(id);
    if (this.#catalogue.releases({ model, limit: 1 }).length > 0) return model;
    throw absent('RepoNotFound', `there is no model ${formatModel(model)} here`);
  }

  /** The repository of that id at `rev`, the newest without one. Throws `not-found`. */
  async at(id: string, rev = 'main'): Promise<Snapshot> {
    const model = this.model(id);
    const published = await this.#find(model, rev);
    if (published === undefined) {
      throw absent('RevisionNotFound', `${formatModel(model)} has no revision ${rev}`);
    }
    const { release, digest } = published;
    const signature = await this.#signature(release, digest);
    return { model, release, revision: revisionOf(digest), published, signature };
  }

  /** The bytes of the signature, to be sent like those of any file. */
  async signatureContent({ release, published }: Snapshot): Promise<Content> {
    const bytes = await this.#registry.document(release, SIGNATURE_PATH);
    // A repair may have put another good one in the place of what was remembered.
    const { sha256 } = this.#remember(published.digest, bytes);
    return contentOf(SIGNATURE_PATH, bytes, sha256);
  }

  async #find(model: Model, rev: string): Promise<PublishedRelease | undefined> {
    if (MAIN.has(rev)) {
      const newest = this.#catalogue.models({ model, limit: 1 })[0];
      return newest && this.#registry.release(newest.release);
    }
    const revision = asRevision(rev);
    if (revision !== undefined) return this.#registry.revision(model, revision);
    const version = versionOrUndefined(rev.startsWith(TAG) ? rev.slice(TAG.length) : rev);
    return version && this.#registry.release({ ...model, version });
  }

  async #signature(release: ReleaseName, digest: Digest): Promise<RepoFile> {
    const known = this.#signatures.get(digest);
    if (known !== undefined) return known;
    return this.#remember(digest, await this.#registry.document(release, SIGNATURE_PATH));
  }

  #remember(digest: Digest, bytes: Uint8Array): RepoFile {
    const sha256 = formatDigest(createHash('sha256').update(bytes).digest());
    const file = { path: SIGNATURE_PATH, size: bytes.length, sha256 };
    if (this.#signatures.size >= MAX_REMEMBERED) this.#signatures.clear();
    this.#signatures.set(digest, file);
    return file;
  }
}

/** Its files, by code point of their paths. */
export function filesOf({ published, signature }: Snapshot): readonly RepoFile[] {
  const { files }: { files: readonly RepoFile[] } = published.manifest;
  const after = files.findIndex(({ path }) => compareCodePoints(path, SIGNATURE_PATH) > 0);
  return files.toSpliced(after < 0 ? files.length : after, 0, signature);
}

/** The file at `path`. Throws `not-found`. */
export function fileAt({ published, release, signature }: Snapshot, path: string): RepoFile {
  const found = path === SIGNATURE_PATH ? signature : findFile(published.manifest, path);
  if (found !== undefined) return found;
  throw absent('EntryNotFound', `${formatReleaseName(release)} has no file ${path}`);
}

/** What Git would keep in the place of a file. */
interface Pointer {
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
}

/** As long as a manifest is kept, so is what was made of its files: a list has a thousand of them. */
const POINTERS = new WeakMap<RepoFile, Pointer>();

/**
 * Every file stands as one that Git LFS keeps, so that clients compare its SHA-256 and not
 * the SHA-1 of Git (git-lfs, docs/spec.md, "The Pointer").
 */
export function pointerTo(file: RepoFile): Pointer {
  const known = POINTERS.get(file);
  if (known !== undefined) return known;
  const pointer = makePointer(file);
  POINTERS.set(file, pointer);
  return pointer;
}

function makePointer({ sha256, size }: RepoFile): Pointer {
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${digestHex(sha256)}\nsize ${size}\n`;
  // What Git calls an object of these bytes; it identifies, nothing is trusted by it.
  const oid = createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex');
  return { oid, size: text.length };
}

function parseModelOrAbsent(id: string): Model {
  try {
    return parseModel(id);
  } catch (error) {
    if (isCoded(error, 'bad-name')) throw absent('RepoNotFound', error.message);
    throw error;
  }
}

function versionOrUndefined(text: string) {
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}
