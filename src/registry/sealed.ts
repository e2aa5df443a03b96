/** What a seal writes down of the files that it has read: the tensor inventory and the manifest. */
import { compareCodePoints } from '../core/bytes.ts';
import { type Digest, formatDigest } from '../core/digest.ts';
import { type Claims, claimsOf, isSameClaims } from '../core/release/claims.ts';
import type { Manifest } from '../core/release/manifest.ts';
import type { Inspection } from '../core/weights/inspect.ts';
import type { InventoryFile, InventoryFormat } from '../core/weights/inventory.ts';
import { DIGEST_BYTES } from '../hashing/plan.ts';
import type { DraftIn } from './documents/draft.ts';
import type { StoredFile } from './documents/file.ts';
import type { SealRequest } from './registry.ts';

/** A file that was read, and what it turned out to be. */
export interface ReadFile {
  readonly file: StoredFile;
  readonly inspection: Inspection;
  /** SHA-256 of each of its tensors, 32 bytes each. */
  readonly tensors: Uint8Array;
}

type Asked = Pick<SealRequest, 'nonce' | keyof Claims>;
type Inspected = Pick<ReadFile, 'inspection' | 'tensors'>;

/** The files that have tensors, as the inventory lists them. */
export function inventoryOf(files: readonly Inspected[]): InventoryFile[] {
  return files.filter(({ inspection }) => inspection.tensors?.length).map(inventoryFile);
}

/** The manifest of these files, which stand by code point of their path. */
export function manifestOf(
  origin: string,
  draft: DraftIn<'draft'>,
  asked: Asked,
  files: readonly ReadFile[],
  inventory: { readonly sha256: Digest; readonly size: number } | undefined,
): Manifest {
  const executes = files
    .filter(({ inspection }) => inspection.executesCode !== undefined)
    .map(({ file }) => file.path);
  return {
    v: 1,
    origin,
    release: draft.release,
    draft: { revision: draft.revision, former: draft.former, nonce: asked.nonce },
    files: files.map(({ file, inspection }) => ({
      path: file.path,
      size: file.size,
      sha256: file.sha256,
      format: inspection.format,
      chunks: file.chunks,
    })),
    ...(inventory !== undefined && { tensors: inventory }),
    ...(executes.length > 0 && { executes }),
    size: files.reduce((sum, { file }) => sum + file.size, 0),
    ...claimsOf(asked),
  };
}

/** Does the manifest say what is asked for now, and of each file what is declared? */
export function isManifestOf(
  manifest: Manifest,
  asked: Asked,
  files: readonly { path: string; size: number; sha256: Digest }[],
): boolean {
  if (manifest.draft.nonce !== asked.nonce || !isSameClaims(manifest, asked)) return false;
  if (manifest.files.length !== files.length) return false;
  return manifest.files.every((file, i) => {
    const { path, size, sha256 } = files[i]!;
    return file.path === path && file.size === size && file.sha256 === sha256;
  });
}

/** The order of files in a manifest. */
export function compareFiles(a: { path: string }, b: { path: string }): number {
  return compareCodePoints(a.path, b.path);
}

function inventoryFile({ inspection, tensors: digests }: Inspected): InventoryFile {
  const { path, format, tensors = [] } = inspection;
  return {
    path,
    format: format as InventoryFormat,
    tensors: tensors.map(({ name, dtype, shape, offset, size }, i) => {
      const at = i * DIGEST_BYTES;
      const sha256 = formatDigest(digests.subarray(at, at + DIGEST_BYTES));
      return { name, dtype, shape, offset, size, sha256 };
    }),
  };
}
