/**
 * The tensor inventory of a release: every tensor with the SHA-256 of its bytes, so that two
 * releases can be compared tensor by tensor without their weights. A document of its own,
 * named in the manifest by digest and size; canonical JSON (RFC 8785):
 *
 *     {"files":[{"format":"safetensors","path":"model.safetensors","tensors":[
 *        {"dtype":"F32","name":"w","offset":72,"sha256":"sha256:9f86d0…","shape":[2,3],"size":24}
 *      ]}],"v":1}
 *
 * Files stand by code point of their path, each with at least one tensor; tensors as they lie
 * in the file. `offset` is where the tensor's bytes begin in the file, `size` how many they are.
 */
import { compareCodePoints } from '../bytes.ts';
import { type Digest, parseDigest } from '../digest.ts';
import { CodedError } from '../error.ts';
import {
  formatCanonical,
  type Json,
  type JsonLimits,
  type JsonObject,
  parseCanonical,
} from '../json.ts';
import { MAX_DOCUMENT_BYTES } from '../release/documents.ts';
import { type FilePath, parseFilePath } from '../release/path.ts';
import { ggmlSize } from './ggml.ts';
import { safetensorsSize } from './safetensors.ts';
import { compareTensors, type Tensor } from './tensor.ts';

/** Some 750,000 tensors; the largest known models have a fifth of that. */
export const INVENTORY_LIMITS: JsonLimits = { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 6 };

export type InventoryFormat = 'safetensors' | 'gguf';

export interface InventoryTensor extends Tensor {
  /** Of the tensor's bytes. */
  readonly sha256: Digest;
}

export interface InventoryFile {
  readonly path: FilePath;
  readonly format: InventoryFormat;
  readonly tensors: readonly InventoryTensor[];
}

export interface Inventory {
  readonly files: readonly InventoryFile[];
}

/** Canonical bytes. Throws as `parseInventory` does for one that no reader would accept. */
export function formatInventory(inventory: Inventory): Uint8Array {
  const bytes = formatCanonical({ v: 1, files: inventory.files.map(fileJson) });
  parseInventory(bytes);
  return bytes;
}

/** Throws `bad-document`, `bad-json`, `bad-path`, `too-large`. */
export function parseInventory(bytes: Uint8Array): Inventory {
  const value = parseCanonical(bytes, 'the tensor inventory', INVENTORY_LIMITS);
  const { v, files } = members(value, ['files', 'v'], 'the document');
  if (v !== 1) throw bad(`v is ${JSON.stringify(v)}; only 1 is known`);
  const parsed = list(files, 'files').map(parseFile);
  refuseDisorder(parsed, (a, b) => compareCodePoints(a.path, b.path), 'files');
  return { files: parsed };
}

function fileJson({ path, format, tensors }: InventoryFile): Json {
  return {
    path,
    format,
    tensors: tensors.map(({ name, dtype, shape, offset, size, sha256 }) => ({
      name,
      dtype,
      shape,
      offset,
      size,
      sha256,
    })),
  };
}

function parseFile(value: Json, i: number): InventoryFile {
  const where = `files[${i}]`;
  const { path, format, tensors } = members(value, ['format', 'path', 'tensors'], where);
  if (format !== 'safetensors' && format !== 'gguf') throw bad(`${where}.format is unknown`);
  const parsed = list(tensors, `${where}.tensors`).map((tensor, j) =>
    parseTensor(tensor, format, `${where}.tensors[${j}]`),
  );
  if (parsed.length === 0) throw bad(`${where} has no tensor`);
  refuseDisorder(parsed, compareTensors, `${where}.tensors`);
  refuseOverlaps(parsed, `${where}.tensors`);
  return { path: parseFilePath(text(path, `${where}.path`)), format, tensors: parsed };
}

const TENSOR_MEMBERS = ['dtype', 'name', 'offset', 'sha256', 'shape', 'size'] as const;

function parseTensor(value: Json, format: InventoryFormat, where: string): InventoryTensor {
  const tensor = members(value, TENSOR_MEMBERS, where);
  const name = text(tensor.name, `${where}.name`);
  const dtype = text(tensor.dtype, `${where}.dtype`);
  const sha256 = digest(tensor.sha256, `${where}.sha256`);
  const shape = list(tensor.shape, `${where}.shape`).map((n) => count(n, `${where}.shape`));
  const offset = count(tensor.offset, `${where}.offset`);
  const size = count(tensor.size, `${where}.size`);
  const expected = format === 'gguf' ? ggmlSize(dtype, shape) : safetensorsSize(dtype, shape);
  if (size !== expected) throw bad(`${where}.size is not what dtype and shape make`);
  return { name, dtype, shape, offset, size, sha256 };
}

/** Strictly ascending: so nothing stands twice. */
function refuseDisorder<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  where: string,
): void {
  items.forEach((item, i) => {
    if (i > 0 && compare(items[i - 1]!, item) >= 0) throw bad(`${where}[${i}] is out of order`);
  });
}

function refuseOverlaps(tensors: readonly Tensor[], where: string): void {
  const names = new Set<string>();
  let end = 0;
  tensors.forEach(({ name, offset, size }, i) => {
    if (names.has(name)) throw bad(`${where}[${i}] has a name that stands twice`);
    if (offset < end || !Number.isSafeInteger(offset + size)) throw bad(`${where}[${i}] overlaps`);
    names.add(name);
    end = offset + size;
  });
}

function members<K extends string>(
  value: Json,
  keys: readonly K[],
  where: string,
): Record<K, Json> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (
    !isObject ||
    Object.keys(value).length !== keys.length ||
    !keys.every((key) => Object.hasOwn(value, key))
  ) {
    throw bad(`${where} must have exactly the members ${keys.join(', ')}`);
  }
  return value as JsonObject as Record<K, Json>;
}

function list(value: Json, where: string): readonly Json[] {
  if (!Array.isArray(value)) throw bad(`${where} is no list`);
  return value;
}

function text(value: Json, where: string): string {
  if (typeof value !== 'string') throw bad(`${where} is no text`);
  return value;
}

function digest(value: Json, where: string): Digest {
  try {
    return parseDigest(text(value, where), where);
  } catch (error) {
    throw bad((error as Error).message);
  }
}

function count(value: Json, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw bad(`${where} is no size`);
  return value as number;
}

function bad(fault: string): CodedError {
  return new CodedError('bad-document', `the tensor inventory: ${fault}`);
}
