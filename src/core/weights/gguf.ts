/**
 * GGUF (ggml/docs/gguf.md), little-endian, versions 2 and 3, whose layout is the same.
 *
 *     "GGUF"  u32 version  u64 tensors  u64 keys
 *     keys     string name   u32 type   value          string = u64 length, bytes
 *     tensors  string name   u32 n_dims   u64 dims[]   u32 type   u64 offset
 *     padding to general.alignment (32 unless it says otherwise)
 *     data     each tensor at its offset, padded to the alignment
 *
 * Hostile counts and lengths have broken other readers (CVE-2026-7482, CVE-2026-27940):
 * here each is checked against its cap and against the bytes that are left before it is used.
 * Arrays, such as vocabularies, are checked and passed over, not kept.
 */
import { parseUtf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { Cursor } from './cursor.ts';
import { GGML_TYPES, ggmlSize } from './ggml.ts';
import type { ByteReader } from './reader.ts';
import { compareTensors, type Tensor } from './tensor.ts';

/** Everything before the data; the same as for safetensors. */
export const MAX_GGUF_HEADER = 100_000_000;
export const MAX_GGUF_KEYS = 100_000;
export const MAX_GGUF_TENSORS = 10_000_000;
export const MAX_GGUF_KEY_BYTES = 65_535;
export const MAX_GGUF_STRING = 10_000_000;
/** Elements of one array. */
export const MAX_GGUF_ARRAY = 1_000_000;
/** Arrays in arrays. */
export const MAX_GGUF_ARRAY_DEPTH = 4;
export const MAX_GGUF_TENSOR_NAME = 64;
export const MAX_GGUF_DIMENSIONS = 4;
export const MAX_GGUF_ALIGNMENT = 65_536;

const DEFAULT_ALIGNMENT = 32;
const MAGIC = 0x46554747;
const ALIGNMENT_KEY = 'general.alignment';

/** Types of values, as numbered in the file. */
const STRING = 8;
const ARRAY = 9;
const BOOL = 7;
const UINT32 = 4;
/** Bytes of the types that have a fixed size. */
const SCALAR_SIZES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [UINT32, 4],
  [5, 4],
  [6, 4],
  [BOOL, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
/** name length, n_dims, type, offset */
const SMALLEST_TENSOR_INFO = 24;
/** key length, type, a value of one byte */
const SMALLEST_KEY = 13;

/** 64-bit integers beyond 2^53 and numbers that JSON lacks are given as text. */
/** What tells people what the model is; the rest is for those who run it. */
const KEPT_KEY = /^general\.|^[a-z0-9_-]+\.context_length$/;

export type GgufValue = string | number | boolean;

export interface Gguf {
  readonly version: number;
  readonly alignment: number;
  /** The scalar `general.*` keys (architecture, name, licence, …), and the context length. */
  readonly metadata: Readonly<Record<string, GgufValue>>;
  /** In the order in which they lie in the file; shapes have the innermost dimension first. */
  readonly tensors: readonly Tensor[];
}

/**
 * Reads and checks everything before the data of a whole file; nothing from byte `headerEnd` on
 * is read. Throws `bad-weights`.
 */
export function readGguf(
  reader: ByteReader,
  what: string,
  headerEnd = MAX_GGUF_HEADER,
): Promise<Gguf> {
  return new GgufReader(reader, what, headerEnd).read();
}

class GgufReader {
  readonly #cursor: Cursor;
  readonly #headerEnd: number;
  readonly #fileSize: number;
  readonly #what: string;
  #alignment = DEFAULT_ALIGNMENT;

  constructor(reader: ByteReader, what: string, headerEnd: number) {
    this.#headerEnd = Math.min(headerEnd, MAX_GGUF_HEADER);
    this.#cursor = new Cursor(reader, this.#headerEnd);
    this.#fileSize = reader.size;
    this.#what = what;
  }

  async read(): Promise<Gguf> {
    const version = await this.#readVersion();
    await this.#need(16, 'counts');
    const tensorCount = this.#count('tensors', MAX_GGUF_TENSORS, SMALLEST_TENSOR_INFO);
    const keyCount = this.#count('keys', MAX_GGUF_KEYS, SMALLEST_KEY);
    const metadata = await this.#readMetadata(keyCount);
    const tensors = await this.#readTensors(tensorCount);
    const placed = this.#place(tensors);
    return { version, alignment: this.#alignment, metadata, tensors: placed };
  }

  async #readVersion(): Promise<number> {
    await this.#need(8, 'magic and version');
    if (this.#cursor.u32() !== MAGIC) throw this.#bad('does not begin with "GGUF"');
    const version = this.#cursor.u32();
    if (version === 2 || version === 3) return version;
    const swapped = version !== 0 && (version & 0xffff) === 0;
    throw this.#bad(swapped ? 'is big-endian GGUF' : `has the GGUF version ${version}, not 2 or 3`);
  }

  async #readMetadata(count: number): Promise<Record<string, GgufValue>> {
    const seen = new Set<string>();
    const kept = new Map<string, GgufValue>();
    for (let i = 0; i < count; i++) {
      const key = await this.#readKey();
      if (seen.has(key)) throw this.#bad(`has the key "${key}" twice`);
      seen.add(key);
      await this.#need(4, `type of "${key}"`);
      const type = this.#cursor.u32();
      const value =
        type === ARRAY ? await this.#skipArray(key, 1) : await this.#readScalar(type, key);
      if (key === ALIGNMENT_KEY) this.#alignment = this.#checkAlignment(type, value);
      if (value !== undefined && KEPT_KEY.test(key)) kept.set(key, value);
    }
    return Object.fromEntries(kept);
  }

  async #readKey(): Promise<string> {
    const bytes = await this.#readString('key', MAX_GGUF_KEY_BYTES);
    const key = String.fromCharCode(...bytes.subarray(0, 1_000));
    if (bytes.length === 0 || !bytes.every((byte) => byte > 0x20 && byte < 0x7f)) {
      throw this.#bad('has a key that is not printable ASCII');
    }
    return bytes.length <= 1_000 ? key : parseUtf8(bytes);
  }

  async #readScalar(type: number, key: string): Promise<GgufValue> {
    if (type === STRING)
      return this.#text(await this.#readString(`"${key}"`, MAX_GGUF_STRING), key);
    const size = SCALAR_SIZES.get(type);
    if (size === undefined) throw this.#bad(`gives "${key}" the unknown type ${type}`);
    await this.#need(size, `value of "${key}"`);
    switch (type) {
      case 0:
        return this.#cursor.u8();
      case 1:
        return (this.#cursor.u8() << 24) >> 24;
      case 2:
        return this.#cursor.u16();
      case 3:
        return (this.#cursor.u16() << 16) >> 16;
      case UINT32:
        return this.#cursor.u32();
      case 5:
        return this.#cursor.u32() | 0;
      case 6:
        return jsonNumber(this.#cursor.f32());
      case BOOL:
        return this.#checkBool(this.#cursor.u8(), key);
      case 10:
        return jsonInteger(BigInt.asUintN(64, this.#cursor.i64()));
      case 11:
        return jsonInteger(this.#cursor.i64());
      default:
        return jsonNumber(this.#cursor.f64());
    }
  }

  /** Passes over the elements of an array, checking all that bounds them. */
  async #skipArray(key: string, depth: number): Promise<undefined> {
    if (depth > MAX_GGUF_ARRAY_DEPTH) {
      throw this.#bad(`nests arrays deeper than ${MAX_GGUF_ARRAY_DEPTH} in "${key}"`);
    }
    await this.#need(12, `array "${key}"`);
    const type = this.#cursor.u32();
    const count = this.#cursor.u64();
    if (count > MAX_GGUF_ARRAY) {
      throw this.#bad(`has ${count} elements in "${key}"; ${MAX_GGUF_ARRAY} are the limit`);
    }
    if (type === ARRAY) for (let i = 0; i < count; i++) await this.#skipArray(key, depth + 1);
    else if (type === STRING) for (let i = 0; i < count; i++) await this.#skipString(key);
    else if (type === BOOL) await this.#skipBools(count, key);
    else this.#skipScalars(type, count, key);
    return undefined;
  }

  async #skipString(key: string): Promise<void> {
    await this.#need(8, `string in "${key}"`);
    const length = this.#cursor.u64();
    if (length > MAX_GGUF_STRING) throw this.#bad(`has a string of ${length} bytes in "${key}"`);
    if (!this.#cursor.skip(length)) throw this.#cutOff(`string in "${key}"`);
  }

  async #skipBools(count: number, key: string): Promise<void> {
    await this.#need(count, `array "${key}"`);
    for (const byte of this.#cursor.bytes(count)) this.#checkBool(byte, key);
  }

  #skipScalars(type: number, count: number, key: string): void {
    const size = SCALAR_SIZES.get(type);
    if (size === undefined) throw this.#bad(`gives "${key}" elements of the unknown type ${type}`);
    if (!this.#cursor.skip(count * size)) throw this.#cutOff(`array "${key}"`);
  }

  async #readTensors(count: number): Promise<Tensor[]> {
    const tensors: Tensor[] = [];
    const names = new Set<string>();
    for (let i = 0; i < count; i++) {
      const tensor = await this.#readTensor();
      if (names.has(tensor.name)) throw this.#bad(`has the tensor ${quoted(tensor.name)} twice`);
      names.add(tensor.name);
      tensors.push(tensor);
    }
    return tensors.sort(compareTensors);
  }

  /** One tensor, its offset still counted from the beginning of the data. */
  async #readTensor(): Promise<Tensor> {
    const name = this.#text(
      await this.#readString('tensor name', MAX_GGUF_TENSOR_NAME),
      'tensor name',
    );
    const tensor = `the tensor ${quoted(name)}`;
    await this.#need(4, tensor);
    const dimensions = this.#cursor.u32();
    if (dimensions > MAX_GGUF_DIMENSIONS)
      throw this.#bad(`gives ${tensor} ${dimensions} dimensions`);
    await this.#need(8 * dimensions + 12, tensor);
    const shape = Array.from({ length: dimensions }, () => this.#cursor.u64());
    const typeNumber = this.#cursor.u32();
    const type = GGML_TYPES.get(typeNumber);
    if (type === undefined) throw this.#bad(`gives ${tensor} the unknown type ${typeNumber}`);
    const offset = this.#cursor.u64();
    if (!Number.isSafeInteger(offset) || offset % this.#alignment !== 0) {
      throw this.#bad(`gives ${tensor} an offset that is no multiple of ${this.#alignment}`);
    }
    const size = ggmlSize(type.name, shape);
    if (size === undefined) throw this.#bad(`gives ${tensor} a shape of no possible size`);
    return { name, dtype: type.name, shape, offset, size };
  }

  /**
   * Moves the offsets to the beginning of the file. The tensors must follow each other with
   * padding alone between and after them: so no byte belongs to two, and none lies hidden.
   */
  #place(tensors: readonly Tensor[]): Tensor[] {
    const dataStart = align(this.#cursor.position, this.#alignment);
    let end = 0;
    for (const { name, offset, size } of tensors) {
      if (offset < end) throw this.#bad(`has an overlap at the tensor ${quoted(name)}`);
      if (offset !== align(end, this.#alignment))
        throw this.#bad(`has a hole before the tensor ${quoted(name)}`);
      end = offset + size;
    }
    const missing = dataStart + end - this.#fileSize;
    if (missing > 0 && end > 0)
      throw this.#bad(`is cut off: ${missing} bytes are missing at its end`);
    if (this.#fileSize > align(dataStart + end, this.#alignment)) {
      throw this.#bad('has more than padding after its last tensor');
    }
    return tensors.map((tensor) => ({ ...tensor, offset: dataStart + tensor.offset }));
  }

  #count(of: string, limit: number, smallest: number): number {
    const count = this.#cursor.u64();
    if (count > limit) throw this.#bad(`says it has ${count} ${of}; ${limit} are the limit`);
    if (count * smallest > this.#cursor.remaining) throw this.#cutOff(`${count} ${of}`);
    return count;
  }

  /** A view of the string's bytes, valid until the next read. */
  async #readString(what: string, limit: number): Promise<Uint8Array> {
    await this.#need(8, what);
    const length = this.#cursor.u64();
    if (length > limit) throw this.#bad(`has a ${what} of ${length} bytes; ${limit} are the limit`);
    await this.#need(length, what);
    return this.#cursor.bytes(length);
  }

  #text(bytes: Uint8Array, what: string): string {
    try {
      return parseUtf8(bytes);
    } catch {
      throw this.#bad(`has text that is not UTF-8 in ${what}`);
    }
  }

  #checkAlignment(type: number, value: GgufValue | undefined): number {
    const fits =
      type === UINT32 &&
      typeof value === 'number' &&
      value >= 8 &&
      value <= MAX_GGUF_ALIGNMENT &&
      (value & (value - 1)) === 0;
    if (!fits)
      throw this.#bad(
        `has a ${ALIGNMENT_KEY} that is no power of two from 8 to ${MAX_GGUF_ALIGNMENT}`,
      );
    return value;
  }

  #checkBool(byte: number, key: string): boolean {
    if (byte > 1) throw this.#bad(`has a truth value of ${byte} in "${key}"`);
    return byte === 1;
  }

  async #need(length: number, what: string): Promise<void> {
    if (!(await this.#cursor.need(length))) throw this.#cutOff(what);
  }

  #cutOff(what: string): CodedError {
    const limit =
      this.#fileSize > this.#headerEnd ? ` or has over ${this.#headerEnd} bytes of header` : '';
    return this.#bad(`is cut off${limit}: it ends within its ${what}`);
  }

  #bad(fault: string): CodedError {
    return new CodedError('bad-weights', `${this.#what} ${fault}`);
  }
}

function align(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}

function jsonInteger(value: bigint): GgufValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function jsonNumber(value: number): GgufValue {
  return Number.isFinite(value) ? value : String(value);
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
