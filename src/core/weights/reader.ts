/**
 * Random access to the bytes of one file, wherever they lie: in memory, on disk, in a store,
 * inside another file. The readers of weight formats see nothing else of the world.
 */
import { CodedError } from '../error.ts';

export interface ByteReader {
  /** Bytes of the file. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`; both lie within `size`. The array may be shared and
   * must not be changed. Throws when the bytes cannot be had.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A reader over bytes in memory. */
export function readerOf(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** A reader over a part of another. */
export function sliceOf(reader: ByteReader, offset: number, size: number): ByteReader {
  return { size, read: (from, length) => readExactly(reader, offset + from, length) };
}

/** Bytes at either end that `withEnds` keeps. */
const END_SIZE = 68 * 1024;

/**
 * The same file with its beginning and its end fetched once and kept. Formats are told by
 * many small reads there, and a store may be a network away.
 */
export function withEnds(reader: ByteReader): ByteReader {
  const size = Math.min(END_SIZE, reader.size);
  const tailStart = reader.size - size;
  let head: Promise<Uint8Array> | undefined;
  let tail: Promise<Uint8Array> | undefined;
  return {
    size: reader.size,
    async read(offset, length) {
      if (offset + length <= size) {
        head ??= readExactly(reader, 0, size);
        return (await head).subarray(offset, offset + length);
      }
      if (offset < tailStart) return readExactly(reader, offset, length);
      tail ??= readExactly(reader, tailStart, size);
      return (await tail).subarray(offset - tailStart, offset - tailStart + length);
    },
  };
}

/** Reads `length` bytes from `offset`; throws `file-changed` when the file ends before. */
export async function readExactly(
  reader: ByteReader,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  if (offset < 0 || length < 0 || offset + length > reader.size) {
    throw new CodedError('internal', `read of ${length} bytes at ${offset} beyond ${reader.size}`);
  }
  if (length === 0) return new Uint8Array(0);
  const bytes = await reader.read(offset, length);
  if (bytes.length !== length) {
    throw new CodedError(
      'file-changed',
      `the file ended at ${offset + bytes.length} while it was read`,
    );
  }
  return bytes;
}

/** Up to `length` bytes from the beginning. */
export function readHead(reader: ByteReader, length: number): Promise<Uint8Array> {
  return readExactly(reader, 0, Math.min(length, reader.size));
}

/** Up to `length` bytes at the end. */
export function readTail(reader: ByteReader, length: number): Promise<Uint8Array> {
  const size = Math.min(length, reader.size);
  return readExactly(reader, reader.size - size, size);
}
