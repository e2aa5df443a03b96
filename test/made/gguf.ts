/** Makes small GGUF files, right ones and, piece by piece, wrong ones. */
import { concat, utf8 } from '../../src/core/bytes.ts';
import { GGML_TYPES, ggmlSize } from '../../src/core/weights/ggml.ts';
import { countingBytes } from './safetensors.ts';

/** The number of a value's type in the file. */
export const GGUF = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

export interface MadeGgufTensor {
  readonly name: string;
  readonly dtype: string;
  /** Innermost dimension first. */
  readonly shape: readonly number[];
}

export interface MadeGguf {
  readonly version?: number;
  /** Made by `ggufKey`. */
  readonly keys?: readonly Uint8Array[];
  readonly tensors?: readonly MadeGgufTensor[];
  readonly alignment?: number;
}

/** A well-formed file; `alignment` other than 32 is written as a key. */
export function makeGguf({
  version = 3,
  keys = [],
  tensors = [],
  alignment = 32,
}: MadeGguf): Uint8Array {
  const written =
    alignment === 32 ? keys : [...keys, ggufKey('general.alignment', GGUF.u32, u32(alignment))];
  let end = 0;
  const infos: Uint8Array[] = [];
  const contents: Uint8Array[] = [];
  for (const { name, dtype, shape } of tensors) {
    infos.push(ggufTensor(name, shape, typeNumber(dtype), BigInt(end)));
    const content = countingBytes(ggmlSize(dtype, shape)!, end);
    contents.push(content, padding(content.length, alignment));
    end += Math.ceil(content.length / alignment) * alignment;
  }
  const header = ggufHeader({ version, tensors: tensors.length, keys: written.length });
  const front = concat(header, ...written, ...infos);
  return concat(front, padding(front.length, alignment), ...contents);
}

export function ggufHeader(of: {
  version?: number;
  tensors?: number | bigint;
  keys?: number | bigint;
}): Uint8Array {
  return concat(utf8('GGUF'), u32(of.version ?? 3), u64(of.tensors ?? 0), u64(of.keys ?? 0));
}

/** One key with a value of any type, right or wrong. */
export function ggufKey(key: string, type: number, value: Uint8Array): Uint8Array {
  return concat(ggufString(key), u32(type), value);
}

export function ggufArray(
  type: number,
  count: number | bigint,
  ...elements: Uint8Array[]
): Uint8Array {
  return concat(u32(type), u64(count), ...elements);
}

export function ggufTensor(
  name: string,
  shape: readonly (number | bigint)[],
  type: number,
  offset: bigint,
): Uint8Array {
  return concat(ggufString(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));
}

export function ggufString(text: string): Uint8Array {
  return concat(u64(utf8(text).length), utf8(text));
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function u64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

export function f32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

function padding(size: number, alignment: number): Uint8Array {
  return new Uint8Array((alignment - (size % alignment)) % alignment);
}

function typeNumber(dtype: string): number {
  for (const [number, type] of GGML_TYPES) if (type.name === dtype) return number;
  throw new Error(`no ggml type ${dtype}`);
}
