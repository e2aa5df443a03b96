/**
 * An artifact at an OCI registry (distribution-spec 1.1, "Pulling manifests"): a ModelPack, as
 * Weighhouse and modctl write them, or any artifact whose layers have the names of files, as
 * oras does. What is pinned is the SHA-256 of the manifest's bytes, and the manifest names every
 * layer by its own.
 */
import * as v from 'valibot';
import { type Digest, digestHex, digestOf } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { IMAGE_MANIFEST_TYPE } from '../../core/oci/artifact.ts';
import { MANIFEST_LIMITS } from '../../core/release/manifest.ts';
import { parseSource } from '../../core/release/source.ts';
import { count, digest, record } from '../../core/shape.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { Selection } from '../glob.ts';
import type { OciAddress } from './address.ts';
import type { Remote } from './remote.ts';
import { type ListedFile, requireFewFiles, type Snapshot, selectFiles } from './snapshot.ts';

const layerShape = v.object({
  mediaType: v.pipe(v.string(), v.maxLength(255)),
  digest,
  size: count,
  annotations: v.optional(record(v.string()), {}),
});
type Layer = v.InferOutput<typeof layerShape>;

const manifestShape = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string(), IMAGE_MANIFEST_TYPE),
  /** An index has none. */
  layers: v.optional(v.array(layerShape), []),
});

/** Layers that are packed: `….tar`, `….tar+gzip`, `…+zstd`, Docker's `….tar.gzip`. */
const PACKED = /[.+](?:tar|t?gz|gzip|zstd)\b/;

/** The files of the artifact, as its tag stands now. `registry` is `http(s)://HOST`. */
export async function openOci(
  remote: Remote,
  registry: string,
  { host, repository, reference }: OciAddress,
  selection: Selection,
): Promise<Snapshot> {
  const at = `${registry}/v2/${repository}`;
  const { layers, pin } = await readManifest(remote, at, reference);
  requireFewFiles(layers.length);
  const source = parseSource({ url: `oci://${host}/${repository}`, revision: pin });
  const files = layers.map((layer) => listed(layer, at));
  return { source, remote, ...selectFiles(files, selection) };
}

async function readManifest(
  remote: Remote,
  at: string,
  reference: string,
): Promise<{ readonly layers: readonly Layer[]; readonly pin: Digest }> {
  const url = `${at}/manifests/${reference}`;
  const request = { accept: IMAGE_MANIFEST_TYPE, maxBytes: MANIFEST_LIMITS.maxBytes };
  const { value, bytes, headers } = await remote.json(manifestShape, url, request);
  const pin = digestOf(nodeHost, bytes);
  const stated = reference.startsWith('sha256:')
    ? reference
    : (headers.get('docker-content-digest') ?? pin);
  if (stated !== pin) {
    throw new CodedError(
      'digest-mismatch',
      `${url} has the digest ${pin}, not ${stated.slice(0, 80)}; import from elsewhere`,
    );
  }
  if (value.mediaType !== IMAGE_MANIFEST_TYPE) throw notAnArtifact(url);
  return { layers: value.layers, pin };
}

function listed({ mediaType, digest: name, size, annotations }: Layer, at: string): ListedFile {
  const path =
    annotations['org.cncf.model.filepath'] ?? annotations['org.opencontainers.image.title'];
  const isPacked = PACKED.test(mediaType) || annotations['io.deis.oras.content.unpack'] === 'true';
  if (isPacked || path === undefined) throw unusableLayer(name, mediaType, isPacked);
  const url = `${at}/blobs/${name}`;
  return { path, size, url, name: { form: 'sha256', hex: digestHex(name) } };
}

function unusableLayer(name: Digest, mediaType: string, isPacked: boolean): CodedError {
  const what = isPacked
    ? `is packed (${mediaType}), and only layers that are files as they stand can be imported`
    : 'has no file name (org.cncf.model.filepath or org.opencontainers.image.title)';
  const advice = 'unpack the model and import the directory';
  return new CodedError('bad-document', `the layer ${name} ${what}; ${advice}`);
}

function notAnArtifact(url: string): CodedError {
  const message = `${url} is no manifest of one artifact; name one by its digest`;
  return new CodedError('bad-document', message);
}
