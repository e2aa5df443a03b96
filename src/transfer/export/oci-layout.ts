/**
 * An OCI image layout (image-spec 1.1, "Image Layout"): the release as a ModelPack artifact, with
 * its signature, statement and proof as referrers. The manifests are made here, out of what was
 * verified; nothing of them is the registry's word. A layout may hold many releases.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestHex } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import {
  type ArtifactObject,
  type Descriptor,
  EMPTY_BYTES,
  emptyConfig,
  IMAGE_INDEX_TYPE,
  modelArtifact,
  referrer,
} from '../../core/oci/artifact.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { makeFolder } from '../../folders.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { Pulled } from './export.ts';

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** Adds the release to the layout at `folder`, under its version as a tag. */
export async function intoOciLayout(pulled: Pulled, folder: string): Promise<void> {
  const { manifest, inventory, documents, time: created, result } = pulled;
  const { version } = parseReleaseName(manifest.release);
  const blobs = join(folder, 'blobs', 'sha256');
  await makeFolder(blobs);
  const before = await readIndex(join(folder, 'index.json'));

  for (const { path, sha256 } of manifest.files) {
    await rename(join(pulled.folder, path), join(blobs, digestHex(sha256)));
  }
  const model = modelArtifact(nodeHost, manifest, { digest: result.digest, created, inventory });
  const evidence = [
    ['model.sig', documents.modelSig],
    ['release.dsse', documents.releaseDsse],
    ['release.tlog-proof', documents.releaseProof],
    ['manifest.json', documents.manifest],
  ] as const;
  const referrers = evidence.map(([title, bytes]) =>
    referrer(nodeHost, model.manifest, { title, bytes }),
  );
  const objects: ArtifactObject[] = [
    ...[model.config, { ...emptyConfig(nodeHost), bytes: EMPTY_BYTES }],
    ...referrers.flatMap((made) => [made.layer, made.manifest]),
    model.manifest,
  ];
  for (const { digest, bytes } of objects) {
    await writeFile(join(blobs, digestHex(digest)), bytes);
  }
  await writeFile(join(folder, 'oci-layout'), LAYOUT);
  const own = [
    { ...described(model.manifest), annotations: { [REF_NAME]: version } },
    ...referrers.map((made) => described(made.manifest)),
  ];
  await writeIndex(folder, [...before.filter((one) => !isReplaced(one, own, version)), ...own]);
}

function isReplaced(one: Descriptor, own: readonly Descriptor[], version: string): boolean {
  const isSame = own.some(({ digest }) => digest === one.digest);
  return isSame || one.annotations?.[REF_NAME] === version;
}

function described({ mediaType, digest, size, artifactType }: ArtifactObject): Descriptor {
  return { mediaType, digest, size, ...(artifactType === undefined ? {} : { artifactType }) };
}

/** What the layout has so far. Throws `conflict` for a folder with another `index.json`. */
async function readIndex(path: string): Promise<readonly Descriptor[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return [];
  try {
    const { manifests } = JSON.parse(text) as { manifests?: unknown };
    if (Array.isArray(manifests)) return manifests as Descriptor[];
  } catch {
    // Said below.
  }
  throw new CodedError('conflict', `${path} is no index of an OCI layout; name another directory`);
}

async function writeIndex(folder: string, manifests: readonly Descriptor[]): Promise<void> {
  const index = { schemaVersion: 2, mediaType: IMAGE_INDEX_TYPE, manifests };
  const unfinished = join(folder, 'index.json.unfinished');
  await writeFile(unfinished, `${JSON.stringify(index, undefined, 2)}\n`);
  await rename(unfinished, join(folder, 'index.json'));
}
