/** The OCI artifacts of a release say of each manifest what the manifest says itself. */
import { equal } from '../../core/bytes.ts';
import { formatCanonical, type JsonObject, parseJson } from '../../core/json.ts';
import { artifactsForm } from '../../registry/documents/artifact.ts';
import { keys } from '../../store/keys.ts';
import { readStatement } from '../walk/statement.ts';
import { type CheckParts, damaged, type Problem } from './parts.ts';

const LIMITS = { maxBytes: 64 * 2 ** 20, maxDepth: 16 };

export async function checkArtifacts(
  parts: Pick<CheckParts, 'store' | 'host' | 'pace'>,
  bytes: Uint8Array,
): Promise<Problem | undefined> {
  const { manifest, referrers, ollama } = artifactsForm.parse(bytes);
  const all = [manifest, ...referrers, ...(ollama === undefined ? [] : [ollama])];
  for (const described of all) {
    const found = await readStatement(parts, described.digest);
    // A damaged statement is named by itself, and one that is not there may be a rotten name.
    if (found === undefined) {
      const isThere = (await parts.store.size(keys.statement(described.digest))) !== undefined;
      if (isThere) continue;
      return damaged(`it names ${described.digest}, which is not there`);
    }
    const said = parseJson(found, 'the manifest', LIMITS) as JsonObject;
    // Docker's form, which Ollama reads, has no type but its own.
    const { mediaType, artifactType = mediaType, annotations } = said;
    const { digest } = described;
    const right = { mediaType, digest, size: found.length, artifactType };
    const isReferrer = referrers.includes(described);
    const wanted = isReferrer ? { ...right, annotations } : right;
    if (equal(formatCanonical(described), formatCanonical(wanted as JsonObject))) continue;
    return damaged(`it does not describe ${digest} as that does itself`);
  }
  return undefined;
}
