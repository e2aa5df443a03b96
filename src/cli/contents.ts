/**
 * What a model consists of, for comparison: its files by SHA-256, and its tensors by dtype,
 * shape and the SHA-256 of their bytes. Of a release all of it is known without its weights;
 * of a path on this machine everything is hashed.
 */
import { existsSync } from 'node:fs';
import { resolveRelease } from '../client/release.ts';
import { type Digest, digestOf, formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { parseReference, type Reference } from '../core/release/name.ts';
import { parseInventory } from '../core/weights/inventory.ts';
import { nodeHost } from '../hashing/host.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { OnProgress } from '../transfer/progress.ts';
import { ProgressSum } from '../transfer/progress.ts';
import type { Context } from './context.ts';
import { type InspectedFile, inspectPath } from './inspection.ts';
import { openReader } from './reach.ts';

export interface TensorContent {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: Digest;
  /** In which file. */
  readonly file: string;
}

export interface FileContent {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

export interface Contents {
  readonly files: readonly FileContent[];
  readonly tensors: readonly TensorContent[];
}

/** Reads the contents of a path or of a release: whatever lies on this machine is a path. */
export async function readContents(
  context: Context,
  pool: HashingPool,
  text: string,
  onProgress: OnProgress,
): Promise<Contents> {
  if (existsSync(text)) return hashPath(context, pool, text, onProgress);
  if (/^[./~]|^[A-Za-z]:\\/.test(text)) {
    throw new CodedError('not-found', `there is nothing at ${text}`);
  }
  return readRelease(context, parseReference(text));
}

async function hashPath(
  context: Context,
  pool: HashingPool,
  path: string,
  onProgress: OnProgress,
): Promise<Contents> {
  const { files, isDirectory } = await inspectPath(path);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const progress = new ProgressSum('hash', total, onProgress);
  const hashed = await Promise.all(
    files.map((file) => hashFile(pool, file, context.signal, progress)),
  );
  // Two single files are compared as what they hold, not by what they are called.
  const name = (file: string) => (isDirectory ? file : '');
  return {
    files: hashed.map(({ file }) => ({ ...file, path: name(file.path) })),
    tensors: hashed.flatMap(({ tensors }) =>
      tensors.map((tensor) => ({ ...tensor, file: name(tensor.file) })),
    ),
  };
}

async function hashFile(
  pool: HashingPool,
  { path, location, size, tensors = [] }: InspectedFile,
  signal: AbortSignal,
  progress: ProgressSum,
): Promise<{ file: FileContent; tensors: TensorContent[] }> {
  const pieces = tensors.map((tensor) => ({ offset: tensor.offset, length: tensor.size }));
  const hashes = await pool.hashFile(
    location,
    { size, whole: true, pieces },
    { signal, onProgress: (bytes) => progress.set(path, bytes) },
  );
  return {
    file: { path, size, sha256: hashes.sha256 },
    tensors: tensors.map(({ name, dtype, shape }, i) => {
      const sha256 = formatDigest(hashes.pieces.subarray(32 * i, 32 * i + 32));
      return { name, dtype, shape, sha256, file: path };
    }),
  };
}

/** The manifest and the tensor inventory of a release, both as its digest fixes them. */
async function readRelease(context: Context, reference: Reference): Promise<Contents> {
  const { signal } = context;
  const reader = await openReader(context);
  const { verified } = await resolveRelease(reader, reference, { acceptRecalled: true, signal });
  const { manifest, release } = verified;
  const files = manifest.files.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  if (manifest.tensors === undefined) return { files, tensors: [] };
  const bytes = await reader.api.document(release, 'tensors.json', { signal });
  const found = digestOf(nodeHost, bytes);
  if (found !== manifest.tensors.sha256) {
    throw new CodedError(
      'digest-mismatch',
      `tensors.json of ${manifest.release} is not the one that its manifest names`,
      { expected: manifest.tensors.sha256, found },
    );
  }
  const tensors = parseInventory(bytes).files.flatMap((file) =>
    file.tensors.map(({ name, dtype, shape, sha256 }) => ({
      name,
      dtype,
      shape,
      sha256,
      file: file.path as string,
    })),
  );
  return { files, tensors };
}
