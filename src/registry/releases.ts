/**
 * What is public: releases that the log has, below the checkpoint that everybody may see.
 * All reading of content and documents goes through a release that names them; a digest
 * alone opens nothing.
 */
import { BoundedMap } from '../core/bounded-map.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { MAX_CHUNK_LIST_BYTES, parseChunkList } from '../core/release/chunks.ts';
import type { DocumentName } from '../core/release/documents.ts';
import {
  findFile,
  type Manifest,
  type ManifestFile,
  parseManifest,
} from '../core/release/manifest.ts';
import {
  formatReleaseName,
  type Model,
  parseReleaseName,
  type ReleaseName,
} from '../core/release/name.ts';
import type { Revision } from '../core/release/revision.ts';
import { type Key, keys } from '../store/keys.ts';
import { Contents } from './content.ts';
import { Damages } from './damages.ts';
import { damaged, load } from './documents/form.ts';
import { type ReleaseRecord, releaseForm, revisionForm } from './documents/release.ts';
import { formatKept, MAX_KEPT_BYTES, parseKept } from './documents/signature.ts';
import type { RegistryParts } from './parts.ts';
import { formatModelSig, formatProof } from './proofs.ts';
import type { Readers } from './readers.ts';
import type { Content, LargeDocumentName, PublishedRelease, WhoReads } from './registry.ts';
import type { Statements } from './statements.ts';

/** Files of the manifests that are kept parsed: a few dozen large releases. */
const KEPT_FILES = 200_000;
/** Records of published releases that are kept. */
const KEPT_RECORDS = 50_000;

export class Releases {
  readonly #parts: RegistryParts;
  readonly #contents: Contents;
  readonly #statements: Statements;
  readonly #damages: Damages;
  readonly #readers: Readers;
  /** Of releases that are public: from then on nothing of this changes. */
  readonly #records = new BoundedMap<Key, ReleaseRecord>(KEPT_RECORDS);
  readonly #manifests = new BoundedMap<Digest, Manifest>(KEPT_FILES, ({ files }) => files.length);
  /** The published log was seen to have so many entries; it never has fewer. */
  #publishedSize = 0;

  constructor(parts: RegistryParts, statements: Statements, readers: Readers) {
    this.#parts = parts;
    this.#readers = readers;
    this.#contents = new Contents(parts);
    this.#statements = statements;
    this.#damages = parts.damages ?? new Damages(parts);
  }

  /** The published release, or undefined. */
  async find(release: ReleaseName): Promise<ReleaseRecord | undefined> {
    const key = keys.release(release);
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const held = await load(this.#parts.store, key, releaseForm);
    if (held === undefined || !(await this.#isPublic(held.value))) return undefined;
    this.#records.set(key, held.value);
    return held.value;
  }

  /** The published release. Throws `not-found`, also for one that is logged and not yet public. */
  async get(release: ReleaseName): Promise<ReleaseRecord> {
    const found = await this.find(release);
    if (found !== undefined) return found;
    throw new CodedError('not-found', `there is no release ${formatReleaseName(release)}`);
  }

  async describe(release: ReleaseName): Promise<PublishedRelease | undefined> {
    const record = await this.find(release);
    if (record === undefined) return undefined;
    const { digest, index, time } = record;
    const manifest = await this.#manifest(digest);
    return { release: parseReleaseName(record.release), digest, index, time, manifest };
  }

  /** The published release of `model` with that revision, or undefined. */
  async byRevision(model: Model, revision: Revision): Promise<PublishedRelease | undefined> {
    const held = await load(this.#parts.store, keys.revision(model, revision), revisionForm);
    return held && this.describe(parseReleaseName(held.value.release));
  }

  /** A document of the release, exactly as it is served. */
  async document(release: ReleaseName, document: DocumentName): Promise<Uint8Array> {
    const record = await this.get(release);
    switch (document) {
      case 'manifest.json':
        return this.#statements.get(record.digest);
      case 'entry':
        return this.#parts.reader.entry(record.index);
      case 'release.dsse':
        return this.#statements.get(record.release_dsse);
      case 'model.sig':
        return this.#modelSig(record);
      case 'release.tlog-proof':
        return formatProof(this.#parts, record.index);
      case 'model-sig.tlog-proof':
        return formatProof(this.#parts, record.index + 1);
      case 'tensors.json':
        return this.#named(record, (await this.#manifest(record.digest)).tensors?.sha256, document);
      case 'decisions.json':
        return this.#named(record, record.decisions, document);
      case 'verdict.dsse':
        return this.#named(record, record.verdict, document);
      case 'intent.dsse':
        return this.#named(record, record.intent, document);
    }
  }

  /** As `document`, for those that may be large: their bytes are not read yet. */
  async largeDocument(release: ReleaseName, document: LargeDocumentName): Promise<Content> {
    const { digest, release: name } = await this.get(release);
    if (document === 'manifest.json') return this.#statement(digest, document);
    const { tensors } = await this.#manifest(digest);
    if (tensors !== undefined) return this.#statement(tensors.sha256, document);
    throw new CodedError('not-found', `${name} has no ${document}`);
  }

  async #statement(digest: Digest, document: LargeDocumentName): Promise<Content> {
    await this.#damages.refuse(keys.statement(digest), document);
    return this.#statements.content(digest, document);
  }

  /** The chunk list of the file at `path`, checked against the manifest. */
  async chunkList(release: ReleaseName, path: string): Promise<Uint8Array> {
    return this.#chunkListOf(await this.#file(release, path));
  }

  /** The bytes of the file at `path`, for whoever may read them. Throws `not-authorised`. */
  async content(
    release: ReleaseName,
    path: string,
    who: WhoReads = async () => undefined,
  ): Promise<Content> {
    const file = await this.#file(release, path);
    const forReaders = await this.#readers.admit(release, file, who);
    const content = await this.#open(file);
    return forReaders ? { ...content, forReaders } : content;
  }

  /** The same bytes for the registry itself, which says what is in them. */
  async contentToDescribe(release: ReleaseName, path: string): Promise<Content> {
    return this.#open(await this.#file(release, path));
  }

  async #open(file: ManifestFile): Promise<Content> {
    const { store, direct } = this.#parts;
    const binding = await this.#contents.find(file.sha256);
    if (binding === undefined) throw lost(this.#parts, keys.digest(file.sha256));
    const key = keys.blob(binding.blob);
    await this.#damages.refuse(key, file.path);
    return {
      path: file.path,
      size: file.size,
      sha256: file.sha256,
      chunkSize: file.chunks.size,
      chunkList: () => this.#chunkListOf(file),
      read: (range, signal) => store.read(key, range, signal),
      localPath: store.localPath?.(key),
      signedUrl: direct && ((as, seconds) => direct.signRead(key, as, seconds)),
    };
  }

  /**
   * The signature with its proof, in the bytes in which somebody was first shown it: clients
   * that know the release by its files' digests must get the same file for ever.
   */
  async #modelSig(record: ReleaseRecord): Promise<Uint8Array> {
    const { store, host } = this.#parts;
    const key = keys.signature(parseReleaseName(record.release));
    await this.#damages.refuse(key, 'model.sig');
    const shown = await this.#keptSignature(key);
    if (shown !== undefined) return shown;
    const envelope = await this.#statements.get(record.model_sig);
    const made = await formatModelSig(this.#parts, record, envelope);
    // A store that takes no writes is read all the same; who asks next may get it kept.
    const kept = await store.create(key, formatKept(host, made)).catch(() => 'not kept' as const);
    return kept === 'exists' ? ((await this.#keptSignature(key)) ?? made) : made;
  }

  async #keptSignature(key: Key): Promise<Uint8Array | undefined> {
    const { store, host } = this.#parts;
    const stored = await store.get(key, MAX_KEPT_BYTES);
    if (stored === undefined) return undefined;
    const signature = parseKept(host, stored.bytes);
    if (signature !== undefined) return signature;
    throw damaged(`${key} in ${store.name}`, new Error('its bytes do not have their digest'));
  }

  /** Bytes appear to the public only once the published checkpoint covers both leaves. */
  async #isPublic({ index }: ReleaseRecord): Promise<boolean> {
    const covers = () => index + 2 <= this.#publishedSize;
    if (!covers()) this.#publishedSize = (await this.#parts.reader.published()).size;
    return covers();
  }

  async #file(release: ReleaseName, path: string): Promise<ManifestFile> {
    const record = await this.get(release);
    const file = findFile(await this.#manifest(record.digest), path);
    if (file !== undefined) return file;
    throw new CodedError('not-found', `${record.release} has no file of that path`, { path });
  }

  async #chunkListOf({ path, size, chunks }: ManifestFile): Promise<Uint8Array> {
    const { store, host } = this.#parts;
    const stored = await store.get(keys.chunks(chunks.root), MAX_CHUNK_LIST_BYTES);
    if (stored === undefined) throw lost(this.#parts, keys.chunks(chunks.root));
    try {
      parseChunkList(host, stored.bytes, size, chunks, path);
    } catch (error) {
      throw damaged(`${keys.chunks(chunks.root)} in ${store.name}`, error);
    }
    return stored.bytes;
  }

  async #named(
    { release }: ReleaseRecord,
    digest: Digest | undefined,
    document: DocumentName,
  ): Promise<Uint8Array> {
    if (digest !== undefined) return this.#statements.get(digest);
    throw new CodedError('not-found', `${release} has no ${document}`);
  }

  /** A manifest, parsed; those asked for last are kept. */
  async #manifest(digest: Digest): Promise<Manifest> {
    const known = this.#manifests.get(digest);
    const manifest = known ?? parseManifest(await this.#statements.get(digest));
    this.#manifests.set(digest, manifest);
    return manifest;
  }
}

function lost({ store }: RegistryParts, key: string): CodedError {
  return new CodedError('storage', `${key} in ${store.name} is missing; restore it`, { key });
}
