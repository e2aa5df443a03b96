/**
 * safetensors (huggingface/safetensors, "Format").
 *
 *     u64 LE  N                          bytes of the header
 *     N       {"__metadata__":{"format":"pt"},
 *              "w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   may end in spaces
 *     rest    the tensors' bytes, back to back, without holes, to the end of the file
 *
 * Read as strictly as the strictest reader in the field, and a little more: outside of its
 * strings a header holds nothing but digits and punctuation, so that `1e3`, `-0` or `null`
 * cannot mean one thing here and another elsewhere.
 */
import { CodedError, isCoded } from '../error.ts';
import { type Json, type JsonObject, parseJson } from '../json.ts';
import { type ByteReader, readExactly } from './reader.ts';
import { compareTensors, countElements, type Tensor } from './tensor.ts';

/** Bytes of a header: what the reference reader accepts. */
export const MAX_SAFETENSORS_HEADER = 100_000_000;
/** Bytes of a header above which other clients stop reading. */
export const WIDELY_READ_HEADER = 25_000_000;
/** Dimensions of a tensor: what numpy and PyTorch hold. */
export const MAX_DIMENSIONS = 64;

const METADATA_KEY = '__metadata__';
/** The header, one tensor's object, its shape. */
const HEADER_DEPTH = 3;

/** Bits of one element. */
export const SAFETENSORS_DTYPES: ReadonlyMap<string, number> = new Map([
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['BOOL', 8],
  ['U8', 8],
  ['I8', 8],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['F8_E8M0', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['I64', 64],
  ['U64', 64],
  ['F64', 64],
  ['C64', 64],
]);

export interface Safetensors {
  /** `__metadata__`; empty when there is none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order in which they lie in the file. */
  readonly tensors: readonly Tensor[];
  /** Bytes of the header, without the eight that say so. */
  readonly headerSize: number;
}

/** Reads and checks the header of a whole file. Throws `bad-weights`; `what` names the file. */
export async function readSafetensors(reader: ByteReader, what: string): Promise<Safetensors> {
  if (reader.size < 8) throw bad(what, 'is too short for a safetensors file');
  const headerSize = readLength(await readExactly(reader, 0, 8));
  if (headerSize > MAX_SAFETENSORS_HEADER) {
    throw bad(
      what,
      `says its header has ${headerSize} bytes; ${MAX_SAFETENSORS_HEADER} are the limit`,
    );
  }
  if (8 + headerSize > reader.size) throw bad(what, 'ends within its header: it is cut off');
  const header = parseHeader(await readExactly(reader, 8, headerSize), what);
  const tensors = readTensors(header, 8 + headerSize, what);
  refuseHolesAndOverlaps(tensors, 8 + headerSize, reader.size, what);
  return { metadata: readMetadata(header[METADATA_KEY], what), tensors, headerSize };
}

/** Bytes of one tensor, or undefined for an unknown dtype, a bad shape, or a broken last byte. */
export function safetensorsSize(dtype: string, shape: readonly number[]): number | undefined {
  const bits = SAFETENSORS_DTYPES.get(dtype);
  const count = countElements(shape);
  if (bits === undefined || count === undefined || shape.length > MAX_DIMENSIONS) return undefined;
  const size = (count * bits) / 8;
  return Number.isSafeInteger(count * bits) && Number.isInteger(size) ? size : undefined;
}

function readLength(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
}

function parseHeader(bytes: Uint8Array, what: string): JsonObject {
  if (bytes[0] !== 0x7b) throw bad(what, 'has a header that does not begin with "{"');
  refuseOddTokens(bytes, what);
  try {
    const limits = { maxBytes: MAX_SAFETENSORS_HEADER, maxDepth: HEADER_DEPTH };
    return parseJson(bytes, `the header of ${what}`, limits) as JsonObject;
  } catch (error) {
    if (isCoded(error)) throw new CodedError('bad-weights', error.message, {}, { cause: error });
    throw error;
  }
}

/** Outside of strings only digits, `{}[],:` and white space; see above. */
function refuseOddTokens(bytes: Uint8Array, what: string): void {
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === 0x22) inString = !inString;
    else if (inString) i += byte === 0x5c ? 1 : 0;
    else if (PLAIN[byte] === 0) {
      throw bad(what, `has a header with the byte 0x${byte.toString(16)} at ${8 + i}`);
    }
  }
}

const PLAIN = new Uint8Array(256);
for (const char of '0123456789{}[],: \t\r\n') PLAIN[char.charCodeAt(0)] = 1;

function readMetadata(value: Json | undefined, what: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw bad(what, `has a ${METADATA_KEY} that is no object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw bad(what, `has ${METADATA_KEY}[${JSON.stringify(key)}], which is not a string`);
    }
  }
  return value as Record<string, string>;
}

function readTensors(header: JsonObject, dataStart: number, what: string): Tensor[] {
  const tensors: Tensor[] = [];
  for (const name of Object.keys(header)) {
    if (name !== METADATA_KEY) tensors.push(readTensor(name, header[name]!, dataStart, what));
  }
  return tensors.sort(compareTensors);
}

function readTensor(name: string, value: Json, dataStart: number, what: string): Tensor {
  const tensor = `the tensor ${JSON.stringify(name)}`;
  if (!isObject(value) || Object.keys(value).length !== 3) {
    throw bad(what, `describes ${tensor} otherwise than by dtype, shape and data_offsets`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !SAFETENSORS_DTYPES.has(dtype)) {
    throw bad(what, `gives ${tensor} the unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isCounts(shape)) throw bad(what, `gives ${tensor} a shape that is no list of sizes`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw bad(what, `gives ${tensor} data_offsets that are not two positions`);
  }
  const [begin, end] = offsets as readonly [number, number];
  const size = safetensorsSize(dtype, shape);
  if (size === undefined) throw bad(what, `gives ${tensor} a shape of no possible size`);
  if (end - begin !== size) {
    throw bad(what, `gives ${tensor} ${end - begin} bytes where dtype and shape make ${size}`);
  }
  return { name, dtype, shape, offset: dataStart + begin, size };
}

/** Back to back from the header to the end of the file: so no byte belongs to none or to two. */
function refuseHolesAndOverlaps(
  tensors: readonly Tensor[],
  dataStart: number,
  fileSize: number,
  what: string,
): void {
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.offset !== end) {
      const fault = tensor.offset > end ? 'a hole' : 'an overlap';
      throw bad(what, `has ${fault} before the tensor ${JSON.stringify(tensor.name)}`);
    }
    end += tensor.size;
  }
  if (end > fileSize) throw bad(what, `is cut off: ${end - fileSize} bytes are missing at its end`);
  if (end < fileSize) throw bad(what, `has ${fileSize - end} bytes after its last tensor`);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of non-negative safe integers. */
function isCounts(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

function bad(what: string, fault: string): CodedError {
  return new CodedError('bad-weights', `${what} ${fault}`);
}
