/**
 * The cache of Hugging Face's clients (huggingface_hub, "Understand caching"):
 *
 *     models--NAMESPACE--NAME/blobs/<sha256>          the bytes of each file
 *     models--NAMESPACE--NAME/snapshots/<revision>/…  links to them, by the files' paths
 *     models--NAMESPACE--NAME/refs/<version>          the revision; `main` for the newest
 *
 * With `HF_HUB_CACHE` at the folder and `HF_HUB_OFFLINE=1` a client finds the release without
 * a network.
 */
import { createHash } from 'node:crypto';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { digestHex, formatDigest } from '../../core/digest.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { revisionOf } from '../../core/release/revision.ts';
import { makeFolder } from '../../folders.ts';
import { MODEL_SIGNATURE } from '../target.ts';
import type { Pulled } from './export.ts';

/** Puts the release into the cache at `folder`. */
export async function intoHfCache(pulled: Pulled, folder: string): Promise<void> {
  const { manifest, documents, result } = pulled;
  const { namespace, name, version } = parseReleaseName(manifest.release);
  const model = join(folder, `models--${namespace}--${name}`);
  const revision = revisionOf(result.digest);
  const signature = createHash('sha256').update(documents.modelSig).digest();
  const files = [...manifest.files, { path: MODEL_SIGNATURE, sha256: formatDigest(signature) }];
  const snapshot = join(model, 'snapshots', revision);
  const unfinished = `${snapshot}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  for (const each of ['blobs', 'refs']) await makeFolder(join(model, each));
  for (const { path, sha256 } of files) {
    const blob = join(model, 'blobs', digestHex(sha256));
    const link = join(unfinished, path);
    await makeFolder(dirname(link));
    await rename(join(pulled.folder, path), blob);
    await symlink(relative(dirname(join(snapshot, path)), blob), link);
  }
  await rm(snapshot, { recursive: true, force: true });
  await rename(unfinished, snapshot);
  for (const ref of [version, ...(pulled.isNewest ? ['main'] : [])]) {
    await writeFile(join(model, 'refs', ref), revision);
  }
}
