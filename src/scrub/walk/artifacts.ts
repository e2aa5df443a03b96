/** The OCI artifacts of a release, where somebody has asked for them: their objects are named by digest. */
import * as v from 'valibot';
import { formatBase64 } from '../../core/bytes.ts';
import type { Digest } from '../../core/digest.ts';
import { parseJson } from '../../core/json.ts';
import type { ReleaseName } from '../../core/release/name.ts';
import { digest } from '../../core/shape.ts';
import { artifactObjectForm, artifactsForm } from '../../registry/documents/artifact.ts';
import { keys } from '../../store/keys.ts';
import { checkArtifacts } from '../check/oci.ts';
import { isProblem, readSmall } from '../check/parts.ts';
import { readStatement, statement } from './statement.ts';
import type { Walk, WalkParts } from './step.ts';

const LIMITS = { maxBytes: 64 * 2 ** 20, maxDepth: 16 };
const descriptor = v.object({ mediaType: v.string(), digest });
const manifestShape = v.object({ config: descriptor, layers: v.array(descriptor) });

type Kind = 'manifest' | 'blob';

export async function* walkArtifacts(parts: WalkParts, release: ReleaseName): Walk {
  const key = keys.artifacts(release);
  yield { key, due: { by: 'artifacts' }, optional: true };
  const bytes = await readSmall(parts, key);
  // A rotten record may name what never was.
  if (isProblem(bytes) || (await isWrong(parts, bytes))) return;
  const { manifest, referrers, ollama } = artifactsForm.parse(bytes);
  for (const named of [manifest, ...referrers, ...(ollama === undefined ? [] : [ollama])]) {
    yield* objectOf(release, 'manifest', named);
    const found = await readStatement(parts, named.digest);
    const made = found && v.safeParse(manifestShape, parseJson(found, 'the manifest', LIMITS));
    if (!made?.success) continue;
    const { config, layers } = made.output;
    // The layers of a model, in either form, are files of the release.
    const isModel = named === manifest || named === ollama;
    const blobs = isModel ? [config] : [config, ...layers];
    for (const blob of blobs) yield* objectOf(release, 'blob', blob);
  }
}

async function isWrong(parts: WalkParts, bytes: Uint8Array): Promise<boolean> {
  return checkArtifacts(parts, bytes).then(
    (problem) => problem !== undefined,
    () => true,
  );
}

function* objectOf(
  release: ReleaseName,
  kind: Kind,
  { mediaType, digest: of }: { readonly mediaType: string; readonly digest: Digest },
) {
  yield statement(of);
  const bytes = formatBase64(artifactObjectForm.format({ v: 1, mediaType, kind }));
  yield { key: keys.artifactObject(release, of), due: { by: 'bytes', bytes } } as const;
}
