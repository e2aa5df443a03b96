/**
 * The header of a weights file whose weights lie far away. The signed inventory says where the
 * first tensor begins, so it is known before anything is read how long the header is:
 *
 *     model-00001-of-00008.safetensors    268,435,456 bytes, first tensor at 4,096: read 4,096
 *     vocabulary.gguf                     1,048,576 bytes, no tensor: it is all header
 *
 * What comes must then describe exactly the tensors of the inventory, or it is refused.
 */
import { CodedError, isCoded } from '../error.ts';
import type { FilePath } from '../release/path.ts';
import { MAX_GGUF_ALIGNMENT, MAX_GGUF_HEADER } from './gguf.ts';
import { type Inspection, inspectWeights } from './inspect.ts';
import type { InventoryFormat } from './inventory.ts';
import type { ByteReader } from './reader.ts';
import { MAX_SAFETENSORS_HEADER } from './safetensors.ts';
import type { Tensor } from './tensor.ts';

/** Bytes before the first tensor: the header itself, and its length or the padding behind it. */
export const MAX_HEADER_LENGTH: Readonly<Record<InventoryFormat, number>> = {
  safetensors: 8 + MAX_SAFETENSORS_HEADER,
  gguf: Math.ceil(MAX_GGUF_HEADER / MAX_GGUF_ALIGNMENT) * MAX_GGUF_ALIGNMENT,
};

/** In either format the first eight bytes tell what comes. */
const MIN_HEADER_LENGTH = 8;

/** A file of weights, as manifest and inventory have it. */
export interface WeightsFile {
  readonly path: FilePath;
  /** Bytes of the file. */
  readonly size: number;
  readonly format: InventoryFormat;
  /** In the order in which they lie in the file; there may be none. */
  readonly tensors: readonly Tensor[];
}

/** Bytes from the beginning of the file to its first tensor. Throws `bad-document` for what no header has. */
export function headerLength({ path, size, format, tensors }: WeightsFile): number {
  const length = tensors[0]?.offset ?? size;
  const limit = MAX_HEADER_LENGTH[format];
  if (length >= MIN_HEADER_LENGTH && length <= limit) return length;
  throw new CodedError(
    'bad-document',
    `the signed inventory gives ${path} a header of ${length} bytes; a ${format} file has ${MIN_HEADER_LENGTH} to ${limit}`,
    { path, length },
  );
}

/**
 * Looks into a header, all bytes up to the first tensor. Throws `digest-mismatch` unless it is
 * well formed and has exactly the tensors of `file`.
 */
export async function readHeader(file: WeightsFile, header: Uint8Array): Promise<Inspection> {
  const inspection = await inspectWeights(file, headReader(header, file.size), header.length).catch(
    (error: unknown) => {
      throw isCoded(error, 'bad-weights') ? wrongHeader(file, error.message, error) : error;
    },
  );
  const other = firstDifference(inspection.tensors ?? [], file.tensors);
  if (other === undefined) return inspection;
  throw wrongHeader(file, `they differ at the tensor ${JSON.stringify(other)}`);
}

/** A file of which only the beginning is there. */
function headReader(header: Uint8Array, size: number): ByteReader {
  return {
    size,
    async read(offset, length) {
      if (offset + length <= header.length) return header.subarray(offset, offset + length);
      throw new CodedError('bad-weights', `its header goes on beyond byte ${header.length}`);
    },
  };
}

/** The name of the first tensor that is not in both lists, or not the same there. */
function firstDifference(found: readonly Tensor[], signed: readonly Tensor[]): string | undefined {
  for (let i = 0; i < Math.max(found.length, signed.length); i++) {
    if (!isSame(found[i], signed[i])) return (found[i] ?? signed[i])!.name;
  }
  return undefined;
}

function isSame(a: Tensor | undefined, b: Tensor | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.name === b.name &&
    a.dtype === b.dtype &&
    a.offset === b.offset &&
    a.size === b.size &&
    a.shape.length === b.shape.length &&
    a.shape.every((dimension, i) => dimension === b.shape[i])
  );
}

function wrongHeader({ path }: WeightsFile, fault: string, cause?: unknown): CodedError {
  return new CodedError(
    'digest-mismatch',
    `the header of ${path} does not fit the release’s signed inventory: ${fault}; try another server, and tell the registry’s operator`,
    { path },
    { cause },
  );
}
