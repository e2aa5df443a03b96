/** Reading files: whole and small, or streamed. */
import { type FileHandle, open } from 'node:fs/promises';
import { CodedError } from '../../core/error.ts';
import type { ByteRange } from '../contract.ts';
import { isErrno, storageFailure } from './failure.ts';

/** Bytes read at once by a stream: large enough for the disk, small enough for many readers. */
const READ_BUFFER_SIZE = 256 * 1024;

/** The open file, or undefined when there is none. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    // ENOTDIR: an object stands where the key would need a folder.
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** All `size` bytes of an open file. Throws `too-large`, or `storage` when it ends early. */
export async function readWhole(
  handle: FileHandle,
  path: string,
  size: number,
  maxBytes: number,
): Promise<Uint8Array> {
  if (size > maxBytes) {
    throw new CodedError('too-large', `${path} has ${size} bytes; the limit here is ${maxBytes}`);
  }
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) throw endedEarly(path, at, size);
    at += bytesRead;
  }
  return bytes;
}

/** Streams `range` of an open file and closes it: at the end, on failure, or when cancelled. */
export function streamRange(
  handle: FileHandle,
  path: string,
  range: ByteRange,
): ReadableStream<Uint8Array> {
  const end = range.offset + range.length;
  let at = range.offset;
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      if (at === end) await finish(controller);
    },
    async pull(controller) {
      try {
        const chunk = await readSome(handle, path, at, end);
        at += chunk.length;
        controller.enqueue(chunk);
      } catch (error) {
        await handle.close();
        throw storageFailure(`read ${path}`, error);
      }
      if (at === end) await finish(controller);
    },
    cancel: () => handle.close(),
  });

  async function finish(controller: ReadableStreamDefaultController): Promise<void> {
    await handle.close();
    controller.close();
  }
}

/** Throws `storage` unless `range` lies inside `size` bytes. */
export function checkRange(range: ByteRange, size: number, path: string): ByteRange {
  const { offset, length } = range;
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new CodedError('internal', `${offset}+${length} is no range of bytes`);
  }
  if (offset + length > size) throw endedEarly(path, size, offset + length);
  return range;
}

async function readSome(
  handle: FileHandle,
  path: string,
  at: number,
  end: number,
): Promise<Uint8Array> {
  // Not zeroed: every byte that is handed on was read.
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BUFFER_SIZE, end - at));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
  if (bytesRead === 0) throw endedEarly(path, at, end);
  return new Uint8Array(buffer.buffer, 0, bytesRead);
}

function endedEarly(path: string, at: number, end: number): CodedError {
  return new CodedError(
    'storage',
    `${path} ends at byte ${at}, but bytes up to ${end} were asked for: it is damaged, or the range is wrong`,
    { path },
  );
}
