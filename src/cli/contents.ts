/**
 * What a model consists of, for comparison: its files by SHA-256, and its tensors by dtype,
 * shape and the SHA-256 of their bytes. Of a release all of it is known without its weights;
 * of a path on this machine everything is hashed.
 */
import { readInventory } from '../client/inventory.ts';
import { type Reader, resolveRelease } from '../client/release.ts';
import { formatDigest } from '../core/digest.ts';
import type { Reference } from '../core/release/name.ts';
import type { FileContent, TensorContent } from '../core/weights/compare.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { OnProgress } from '../transfer/progress.ts';
import { ProgressSum } from '../transfer/progress.ts';
import type { Context } from './context.ts';
import { inspectPath, type LocalFile } from './inspection.ts';
import { openSource } from './source.ts';

export interface Contents {
  readonly files: readonly FileContent[];
  readonly tensors: readonly TensorContent[];
}

/** Reads the contents of a path or of a release. */
export async function readContents(
  context: Context,
  pool: HashingPool,
  text: string,
  onProgress: OnProgress,
): Promise<Contents> {
  const source = await openSource(context, text);
  if ('path' in source) return hashPath(context, pool, source.path, onProgress);
  return readRelease(source.reader, source.reference, context.signal);
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
  { path, location, size, tensors = [] }: LocalFile,
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
    tensors: tensors.map(({ name, dtype, shape, size: bytes }, i) => {
      const sha256 = formatDigest(hashes.pieces.subarray(32 * i, 32 * i + 32));
      return { name, dtype, shape, size: bytes, sha256, file: path };
    }),
  };
}

/** The manifest and the tensor inventory of a release, both as its digest fixes them. */
async function readRelease(
  reader: Reader,
  reference: Reference,
  signal: AbortSignal,
): Promise<Contents> {
  const { verified } = await resolveRelease(reader, reference, { acceptRecalled: true, signal });
  const files = verified.manifest.files.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  const inventory = await readInventory(reader, verified, signal);
  const tensors = inventory.files.flatMap((file) =>
    file.tensors.map(({ name, dtype, shape, size, sha256 }) => ({
      name,
      dtype,
      shape,
      size,
      sha256,
      file: file.path as string,
    })),
  );
  return { files, tensors };
}
