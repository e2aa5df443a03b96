/** A directory that a release was pulled into (`transfer/left-documents.ts`). */
import { createReadStream } from 'node:fs';
import { type Digest, digestHex, digestOf } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import { MAX_CHUNK_LIST_BYTES } from '../../core/release/chunks.ts';
import { type ManifestFile, parseManifest } from '../../core/release/manifest.ts';
import { parseBundle } from '../../core/statement/bundle.ts';
import { formatEnvelope } from '../../core/statement/dsse.ts';
import { nodeHost } from '../../hashing/host.ts';
import { readLeft, readLeftRoot } from '../../transfer/left-documents.ts';
import { CONTROL_FOLDER, Target } from '../../transfer/target.ts';
import type { RepairSource } from './source.ts';

/** Opens it. Throws `not-found` for a folder that holds no pull. */
export async function openFolderSource(folder: string): Promise<RepairSource> {
  const target = await Target.open(folder);
  const { documents } = await readLeft(target);
  const statements = new Map<Digest, Uint8Array>();
  const keep = (bytes: Uint8Array) => statements.set(digestOf(nodeHost, bytes), bytes);
  keep(documents.manifest);
  keep(documents.releaseDsse);
  const { payloadType, payload, signature } = parseBundle(documents.modelSig).envelope;
  keep(formatEnvelope(payloadType, payload, signature));
  const byDigest = new Map<Digest, ManifestFile>();
  for (const file of parseManifest(documents.manifest).files) byDigest.set(file.sha256, file);

  return {
    name: target.folder,
    root: (version) => readLeftRoot(target, version),
    modelSig: async () => documents.modelSig,
    statement: async (digest) => statements.get(digest),
    chunkList: (root) =>
      target.read(`${CONTROL_FOLDER}/chunks/${digestHex(root)}`, MAX_CHUNK_LIST_BYTES),
    async content(sha256, _, { offset, length }) {
      const file = byDigest.get(sha256);
      if (file === undefined || (await sizeOf(target, file.path)) !== file.size) return undefined;
      if (length === 0) return nothing();
      // `find` has seen that it is a regular file below the folder, through no link.
      const path = target.locate(file.path);
      return createReadStream(path, { start: offset, end: offset + length - 1 });
    },
  };
}

async function sizeOf(target: Target, path: string): Promise<number | undefined> {
  try {
    return (await target.find(path))?.size;
  } catch (error) {
    if (isCoded(error, 'bad-path')) return undefined;
    throw error;
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}
