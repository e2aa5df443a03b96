/**
 * A release with one GGUF file, as Ollama pulls it: a Docker manifest (schema 2) whose layers
 * Ollama tells apart by their media types, over the files of the release, and a configuration
 * made from the file's own metadata. Nobody has specified this; it is what Ollama's server/
 * package reads.
 */
import type { Digest } from '../digest.ts';
import type { Host } from '../host.ts';
import type { Manifest, ManifestFile } from '../release/manifest.ts';
import type { Gguf, GgufValue } from '../weights/gguf.ts';
import { paramSize } from '../weights/summary.ts';
import { countElements } from '../weights/tensor.ts';
import { type ArtifactObject, artifactObject } from './artifact.ts';

export const DOCKER_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const LAYER_TYPE = 'application/vnd.ollama.image';

/** Files that say how the model is used, by the names that they have beside GGUF files elsewhere, too. */
const COMPANIONS: readonly (readonly [RegExp, string])[] = [
  [/^template$/, 'template'],
  [/^system$/, 'system'],
  [/^params$/, 'params'],
  [/^licen[cs]e(?:\.(?:md|txt))?$/i, 'license'],
];

/** What `general.file_type` counts (ggml, `enum ggml_ftype` and llama.cpp, `enum llama_ftype`). */
const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  32: 'BF16',
};

/** The GGUF file that Ollama would run: the only one. Several are several models. */
export function ollamaModel({ files }: Manifest): ManifestFile | undefined {
  const models = files.filter(({ format }) => format === 'gguf');
  return models.length === 1 ? models[0] : undefined;
}

/** The manifest for Ollama, and its configuration. `model` is the release's GGUF file. */
export function ollamaArtifact(
  host: Pick<Host, 'sha256'>,
  { files }: Manifest,
  model: ManifestFile,
  gguf: Gguf,
): { readonly manifest: ArtifactObject; readonly config: ArtifactObject } {
  const companions = COMPANIONS.flatMap(([name, kind]) => {
    const file = files.find(({ path }) => name.test(path));
    return file === undefined ? [] : [layer(file, kind)];
  });
  const layers = [layer(model, 'model'), ...companions];
  const family = text(gguf.metadata['general.architecture']) ?? 'unknown';
  const config = artifactObject(host, CONFIG_TYPE, {
    model_format: 'gguf',
    model_family: family,
    model_families: [family],
    model_type: sizeOf(gguf),
    file_type: FILE_TYPES[Number(gguf.metadata['general.file_type'])] ?? 'unknown',
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const { mediaType, digest, size } = config;
  const manifest = artifactObject(host, DOCKER_MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST_TYPE,
    config: { mediaType, digest, size },
    layers,
  });
  return { manifest, config };
}

function layer({ sha256, size }: ManifestFile, kind: string) {
  return { mediaType: `${LAYER_TYPE}.${kind}`, digest: sha256 as Digest, size };
}

/** The number of parameters as people say it: `7.2B`. */
function sizeOf({ tensors }: Gguf): string {
  const count = tensors.reduce((sum, { shape }) => sum + (countElements(shape) ?? 0), 0);
  return paramSize(count) ?? String(count);
}

function text(value: GgufValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
