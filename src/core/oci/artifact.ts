/**
 * A release as OCI artifacts (image-spec 1.1, "Guidelines for Artifact Usage"): one manifest in
 * the form of ModelPack (CNCF model-spec v1) over the very files of the release, each a raw
 * layer, and one manifest for each document that speaks about it, with the first as `subject`.
 *
 * The bytes are canonical JSON and depend on the release and its documents alone.
 */
import { utf8 } from '../bytes.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import { formatCanonical } from '../json.ts';
import type { Manifest, ManifestFile } from '../release/manifest.ts';
import { formatModel, parseReleaseName } from '../release/name.ts';
import type { Inventory } from '../weights/inventory.ts';
import { paramSize, summariseWeights, type WeightsSummary } from '../weights/summary.ts';

export const IMAGE_MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const IMAGE_INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
/** ModelPack: the artifact type of a model, and the media type of its configuration. */
export const MODEL_ARTIFACT_TYPE = 'application/vnd.cncf.model.manifest.v1+json';
export const MODEL_CONFIG_TYPE = 'application/vnd.cncf.model.config.v1+json';
/** The configuration of an artifact that needs none (image-spec, "Guidance for an Empty Descriptor"). */
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
export const EMPTY_BYTES: Uint8Array = utf8('{}');

/** Documents that hang on a release as referrers, and what each is: its artifact type. */
export const EVIDENCE = {
  'model.sig': 'application/vnd.dev.sigstore.bundle.v0.3+json',
  'release.dsse': 'application/vnd.weighhouse.release.dsse.v1+json',
  'release.tlog-proof': 'application/vnd.weighhouse.tlog-proof.v1',
  'manifest.json': 'application/vnd.weighhouse.manifest.v1+json',
  'decisions.json': 'application/vnd.weighhouse.decisions.v1+json',
  'verdict.dsse': 'application/vnd.weighhouse.verdict.dsse.v1+json',
} as const;

export type EvidenceName = keyof typeof EVIDENCE;

/** What an artifact is made of, and what names it (image-spec, "OCI Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One object of an artifact, with its bytes. */
export interface ArtifactObject extends Descriptor {
  readonly bytes: Uint8Array;
}

/** Formats of files that hold weights. */
const WEIGHTS = new Set([
  ...['safetensors', 'gguf', 'onnx', 'tflite', 'npy', 'npz'],
  ...['pickle', 'torch', 'keras', 'hdf5'],
]);
const DOCUMENTATION =
  /(?:^|\/)(?:readme|licen[cs]e|notice|changelog|citation|use_policy)[^/]*$|\.(?:md|txt|pdf)$/i;

/** What is known of a published release beside its manifest. */
export interface ModelFacts {
  readonly digest: Digest;
  /** The time of its entry. */
  readonly created: string;
  /** Its tensors; undefined where there are none, or more than are summed up. */
  readonly inventory?: Inventory | undefined;
}

/** The manifest of a published release, and its configuration. */
export function modelArtifact(
  host: Pick<Host, 'sha256'>,
  manifest: Manifest,
  { digest, created, inventory }: ModelFacts,
): { readonly manifest: ArtifactObject; readonly config: ArtifactObject } {
  const release = parseReleaseName(manifest.release);
  const weights = inventory && summariseWeights(inventory);
  const config = artifactObject(host, MODEL_CONFIG_TYPE, {
    descriptor: {
      createdAt: created,
      name: formatModel(release),
      revision: digest,
      vendor: release.namespace,
      version: release.version,
    },
    config: { format: mainFormat(manifest), ...(weights && technical(weights)) },
    modelfs: { type: 'layers', diffIds: manifest.files.map(({ sha256 }) => sha256) },
  });
  const annotations = {
    'org.opencontainers.image.created': created,
    'org.opencontainers.image.title': formatModel(release),
    'org.opencontainers.image.version': release.version,
    'dev.weighhouse.digest': digest,
    'dev.weighhouse.origin': manifest.origin,
    ...(weights && annotated(weights)),
  };
  const made = artifactObject(host, IMAGE_MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST_TYPE,
    artifactType: MODEL_ARTIFACT_TYPE,
    config: described(config),
    layers: manifest.files.map(layerOf),
    annotations,
  });
  return { manifest: { ...made, artifactType: MODEL_ARTIFACT_TYPE }, config };
}

/** The configuration of an artifact that has none. */
export function emptyConfig(host: Pick<Host, 'sha256'>): Descriptor {
  const digest = digestOf(host, EMPTY_BYTES);
  return { mediaType: EMPTY_TYPE, digest, size: EMPTY_BYTES.length };
}

/** The manifest of a document that speaks about `subject`; its one layer is the document. */
export function referrer(
  host: Pick<Host, 'sha256'>,
  subject: Descriptor,
  { title, bytes }: { readonly title: EvidenceName; readonly bytes: Uint8Array },
): { readonly manifest: ArtifactObject; readonly layer: ArtifactObject } {
  const mediaType = EVIDENCE[title];
  const layer = { mediaType, digest: digestOf(host, bytes), size: bytes.length, bytes };
  const annotations = { 'org.opencontainers.image.title': title };
  const made = artifactObject(host, IMAGE_MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST_TYPE,
    artifactType: mediaType,
    config: emptyConfig(host),
    layers: [{ ...described(layer), annotations }],
    subject: described(subject),
    annotations,
  });
  return { manifest: { ...made, artifactType: mediaType, annotations }, layer };
}

function layerOf(file: ManifestFile) {
  const { path, size, sha256 } = file;
  return {
    mediaType: layerType(file),
    digest: sha256,
    size,
    // oras skips a layer without a title.
    annotations: { 'org.cncf.model.filepath': path, 'org.opencontainers.image.title': path },
  };
}

/** Raw in every case: the layer is the file, and the registry keeps it once. */
function layerType({ path, format }: ManifestFile): string {
  if (WEIGHTS.has(format)) return 'application/vnd.cncf.model.weight.v1.raw';
  if (format === 'python' || format === 'executable')
    return 'application/vnd.cncf.model.code.v1.raw';
  if (DOCUMENTATION.test(path)) return 'application/vnd.cncf.model.doc.v1.raw';
  return 'application/vnd.cncf.model.weight.config.v1.raw';
}

/** The format that most bytes of weights have. */
function mainFormat({ files }: Manifest): string {
  const bytes = new Map<string, number>();
  for (const { format, size } of files) {
    if (WEIGHTS.has(format)) bytes.set(format, (bytes.get(format) ?? 0) + size);
  }
  const [most] = [...bytes].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 'other';
}

/** ModelPack's words for weights (model config, `config`). */
function technical({ parameters, dtypes, quantization }: WeightsSummary) {
  const size = paramSize(parameters);
  const [only, ...others] = Object.keys(dtypes);
  return {
    ...(size !== undefined && { paramSize: size }),
    ...(only !== undefined && { precision: others.length === 0 ? precisionOf(only) : 'mixed' }),
    ...(quantization !== undefined && { quantization: quantization.toLowerCase() }),
  };
}

/** `F16` → `fp16`, as ModelPack writes it; other names stay as they are. */
function precisionOf(dtype: string): string {
  return dtype
    .toLowerCase()
    .replace(/^f(?=[0-9])/, 'fp')
    .replace(/^i(?=[0-9])/, 'int');
}

/** The exact numbers, which ModelPack has no place for. */
function annotated({ parameters, dtypes, shards, quantization }: WeightsSummary) {
  return {
    'dev.weighhouse.parameters': String(parameters),
    'dev.weighhouse.dtypes': JSON.stringify(dtypes),
    'dev.weighhouse.shards': String(shards),
    ...(quantization !== undefined && { 'dev.weighhouse.quantization': quantization }),
  };
}

function described({ mediaType, digest, size }: Descriptor) {
  return { mediaType, digest, size };
}

/** An object of canonical JSON. */
export function artifactObject(
  host: Pick<Host, 'sha256'>,
  mediaType: string,
  value: object,
): ArtifactObject {
  const bytes = formatCanonical(value as never);
  return { mediaType, digest: digestOf(host, bytes), size: bytes.length, bytes };
}
