/**
 * Reads a file from front to back in little-endian fields, holding one block of it at a time.
 *
 *     if (!(await cursor.need(8))) …the file ends here
 *     const count = cursor.u64();
 *
 * Every length is checked against the file before anything is read or allocated for it.
 */
import { type ByteReader, readExactly } from './reader.ts';

/** Bytes read ahead: at first, and after doubling at each block. A store may be a network away. */
const FIRST_BLOCK = 64 * 1024;
const LARGEST_BLOCK = 4 * 1024 * 1024;

const EMPTY = new DataView(new ArrayBuffer(0));

export class Cursor {
  readonly #reader: ByteReader;
  readonly #end: number;
  #block: DataView = EMPTY;
  #blockStart = 0;
  #position = 0;
  #ahead = FIRST_BLOCK;

  /** `end` bounds what is read; by default the whole file. */
  constructor(reader: ByteReader, end: number = reader.size) {
    this.#reader = reader;
    this.#end = Math.min(end, reader.size);
  }

  /** Where the next byte lies in the file. */
  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Brings the next `length` bytes to hand; false when there are not that many. */
  async need(length: number): Promise<boolean> {
    if (length > this.remaining) return false;
    const at = this.#position - this.#blockStart;
    if (at >= 0 && at + length <= this.#block.byteLength) return true;
    const size = Math.min(Math.max(length, this.#ahead), this.remaining);
    const bytes = await readExactly(this.#reader, this.#position, size);
    this.#block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#blockStart = this.#position;
    this.#ahead = Math.min(2 * this.#ahead, LARGEST_BLOCK);
    return true;
  }

  /** Leaves out `length` bytes without reading them; false when there are not that many. */
  skip(length: number): boolean {
    if (!(length <= this.remaining)) return false;
    this.#position += length;
    return true;
  }

  u8(): number {
    return this.#block.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#block.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#block.getUint32(this.#advance(4), true);
  }

  i64(): bigint {
    return this.#block.getBigInt64(this.#advance(8), true);
  }

  /** Above 2^53 only nearly right, and then no safe integer: every limit refuses it. */
  u64(): number {
    return Number(this.#block.getBigUint64(this.#advance(8), true));
  }

  f32(): number {
    return this.#block.getFloat32(this.#advance(4), true);
  }

  f64(): number {
    return this.#block.getFloat64(this.#advance(8), true);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return new Uint8Array(this.#block.buffer, this.#block.byteOffset + at, length);
  }

  #advance(length: number): number {
    const at = this.#position - this.#blockStart;
    this.#position += length;
    return at;
  }
}
