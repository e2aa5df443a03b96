/**
 * Releases as OCI artifacts. Their objects are made when somebody first asks, and kept: a digest
 * that was once shown is a name that people pin, so it must open the same bytes for ever, also
 * when a later version of this program would write them another way, and though the checkpoint
 * in a proof would be a newer one.
 */
import { BoundedMap } from '../core/bounded-map.ts';
import type { Digest } from '../core/digest.ts';
import {
  EMPTY_BYTES,
  EVIDENCE,
  type EvidenceName,
  emptyConfig,
  type ArtifactObject as Made,
  modelArtifact,
  referrer,
} from '../core/oci/artifact.ts';
import { ollamaArtifact, ollamaModel } from '../core/oci/ollama.ts';
import type { Manifest } from '../core/release/manifest.ts';
import type { Model, ReleaseName } from '../core/release/name.ts';
import { readGguf } from '../core/weights/gguf.ts';
import { type Inventory, parseInventory } from '../core/weights/inventory.ts';
import { MAX_SUMMARISED_BYTES } from '../core/weights/summary.ts';
import { type Key, keys } from '../store/keys.ts';
import { checkedReaderOf } from './checked-reader.ts';
import { type ArtifactsRecord, artifactObjectForm, artifactsForm } from './documents/artifact.ts';
import { load } from './documents/form.ts';
import type { RegistryParts } from './parts.ts';
import type { ArtifactObject, PublishedRelease } from './registry.ts';
import type { Releases } from './releases.ts';
import type { Statements } from './statements.ts';

/** Records of artifacts and of their objects that stay in memory, of each so many. */
const KEPT_RECORDS = 10_000;

type ObjectRecord = ReturnType<typeof artifactObjectForm.parse>;

export class Artifacts {
  readonly #parts: RegistryParts;
  readonly #releases: Releases;
  readonly #statements: Statements;
  /** What was shown once stays. */
  readonly #kept = new BoundedMap<Key, ArtifactsRecord>(KEPT_RECORDS);
  readonly #objects = new BoundedMap<Key, ObjectRecord>(KEPT_RECORDS);

  constructor(parts: RegistryParts, releases: Releases, statements: Statements) {
    this.#parts = parts;
    this.#releases = releases;
    this.#statements = statements;
  }

  /** The artifacts of a published release; undefined when there is no such release. */
  async of(release: ReleaseName): Promise<ArtifactsRecord | undefined> {
    const published = await this.#releases.describe(release);
    if (published === undefined) return undefined;
    const key = keys.artifacts(release);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const record = await this.#shown(key, published);
    this.#kept.set(key, record);
    return record;
  }

  async #shown(key: Key, published: PublishedRelease): Promise<ArtifactsRecord> {
    const { store } = this.#parts;
    const kept = await load(store, key, artifactsForm);
    if (kept !== undefined) return kept.value;

    const record = await this.#make(published);
    if ((await store.create(key, artifactsForm.format(record))) === 'created') return record;
    // Another server was first: its proof may have another checkpoint.
    return (await load(store, key, artifactsForm))?.value ?? record;
  }

  /** The object with that digest among the artifacts of the model, or undefined. */
  async object(model: Model, digest: Digest): Promise<ArtifactObject | undefined> {
    const key = keys.artifactObject(model, digest);
    const record =
      this.#objects.get(key) ?? (await load(this.#parts.store, key, artifactObjectForm))?.value;
    if (record === undefined) return undefined;
    this.#objects.set(key, record);
    const { kind, mediaType } = record;
    return { kind, mediaType, bytes: await this.#statements.get(digest) };
  }

  async #make({ release, digest, manifest, time }: PublishedRelease): Promise<ArtifactsRecord> {
    const { host } = this.#parts;
    const inventory = await this.#inventory(release, manifest);
    const model = modelArtifact(host, manifest, { digest, created: time, inventory });
    await this.#keep(release, 'manifest', model.manifest);
    await this.#keep(release, 'blob', model.config);
    const referrers = await this.#referrers(release, model.manifest);
    const ollama = await this.#ollama(release, manifest);
    return {
      v: 1,
      manifest: named(model.manifest),
      referrers: referrers.map(named),
      ...(ollama === undefined ? {} : { ollama: named(ollama) }),
    };
  }

  async #referrers(release: ReleaseName, subject: Made): Promise<Made[]> {
    const { host } = this.#parts;
    await this.#keep(release, 'blob', { ...emptyConfig(host), bytes: EMPTY_BYTES });
    const referrers: Made[] = [];
    for (const title of Object.keys(EVIDENCE) as EvidenceName[]) {
      const bytes = await this.#documentOf(release, title);
      if (bytes === undefined) continue;
      const made = referrer(host, subject, { title, bytes });
      await this.#keep(release, 'blob', made.layer);
      await this.#keep(release, 'manifest', made.manifest);
      referrers.push(made.manifest);
    }
    return referrers;
  }

  async #inventory(release: ReleaseName, { tensors }: Manifest): Promise<Inventory | undefined> {
    if (tensors === undefined || tensors.size > MAX_SUMMARISED_BYTES) return undefined;
    return parseInventory(await this.#releases.document(release, 'tensors.json'));
  }

  /** What Ollama pulls: made from the metadata of the release's GGUF file, if it has one. */
  async #ollama(release: ReleaseName, manifest: Manifest): Promise<Made | undefined> {
    const file = ollamaModel(manifest);
    if (file === undefined) return undefined;
    // What is made is kept for ever: not out of bytes that have rotted.
    const content = await this.#releases.contentToDescribe(release, file.path);
    const gguf = await readGguf(checkedReaderOf(this.#parts.host, content), file.path);
    const made = ollamaArtifact(this.#parts.host, manifest, file, gguf);
    await this.#keep(release, 'blob', made.config);
    await this.#keep(release, 'manifest', made.manifest);
    return made.manifest;
  }

  async #keep(model: Model, kind: ArtifactObject['kind'], object: Made): Promise<void> {
    const { bytes, digest, mediaType } = object;
    await this.#statements.put(bytes);
    const document = artifactObjectForm.format({ v: 1, mediaType, kind });
    await this.#parts.store.create(keys.artifactObject(model, digest), document);
  }

  /** Undefined for what the release does not have. */
  async #documentOf(release: ReleaseName, name: EvidenceName): Promise<Uint8Array | undefined> {
    const { decisions, verdict } = await this.#releases.get(release);
    if (name === 'decisions.json' && decisions === undefined) return undefined;
    if (name === 'verdict.dsse' && verdict === undefined) return undefined;
    return this.#releases.document(release, name);
  }
}

function named({ mediaType, digest, size, artifactType = mediaType, annotations }: Made) {
  return {
    mediaType,
    digest,
    size,
    artifactType,
    ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
  };
}
