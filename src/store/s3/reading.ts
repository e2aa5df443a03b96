/**
 * What answers with an object's bytes need. A body that nobody reads would keep its socket for
 * ever, and one that stalls its reader: each is read to its end, or destroyed.
 */
import type { Readable } from 'node:stream';
import {
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { CodedError } from '../../core/error.ts';
import type { Key } from '../keys.ts';
import { type Bucket, REQUEST_TIMEOUT_MS, targetOf } from './client.ts';
import { bucketFailure, isAbsent } from './failure.ts';

/** Milliseconds without a byte, while one is waited for, after which a body counts as dead. */
const STALL_MS = REQUEST_TIMEOUT_MS;

/** Bytes of the object, or undefined when there is none. */
export async function sizeOf(bucket: Bucket, key: Key): Promise<number | undefined> {
  return (await headOf(bucket, key))?.ContentLength;
}

/** What the store says of an object without its bytes; undefined when there is none. */
export function headOf(bucket: Bucket, key: Key): Promise<HeadObjectCommandOutput | undefined> {
  return absentAsUndefined(bucket.client.send(new HeadObjectCommand(targetOf(bucket, key))));
}

/** The answer, or undefined when it says that there is no such object. */
export async function absentAsUndefined<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Lets go of a body that is not read. */
export function cancel(object: GetObjectCommandOutput): void {
  const body = object.Body as Readable | undefined;
  body?.once('error', () => {});
  body?.destroy();
}

/**
 * The body as a stream of exactly `length` bytes. It fails with `storage` when fewer or more
 * come, when the connection breaks, and when it stalls; `stallMs` is less only in tests. A
 * reader that stops early closes the connection.
 */
export function bodyOf(
  key: Key,
  object: GetObjectCommandOutput,
  length: number,
  stallMs = STALL_MS,
): ReadableStream<Uint8Array> {
  const body = object.Body as Readable | undefined;
  if (body === undefined) throw cutShort(key, 0, length);
  body.on('error', () => {}); // heard by the iterator; also when it stands still
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let received = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await next(key, body, chunks, stallMs);
        received += value?.length ?? 0;
        if (received > length || (done && received < length)) {
          body.destroy();
          throw cutShort(key, received, length);
        }
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => void body.destroy(),
    },
    { highWaterMark: 0 },
  );
}

/** The next chunk. What is asked of the network here is the only thing that may not stand still. */
async function next(
  key: Key,
  body: Readable,
  chunks: AsyncIterator<Uint8Array>,
  stallMs: number,
): Promise<IteratorResult<Uint8Array, undefined>> {
  const stall = setTimeout(
    () => body.destroy(new Error(`nothing came for ${stallMs / 1000} s`)),
    stallMs,
  );
  try {
    return await chunks.next();
  } catch (error) {
    throw bucketFailure(`read ${key} to its end`, error);
  } finally {
    clearTimeout(stall);
  }
}

/** Reads a body of `length` bytes into one piece. Throws as `bodyOf`. */
export async function bytesOf(
  key: Key,
  object: GetObjectCommandOutput,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const chunk of bodyOf(key, object, length)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** What an object is refused with of which too few bytes came, or too many. */
export function cutShort(key: Key, found: number, wanted: number): CodedError {
  return new CodedError('storage', `${key} gave ${found} bytes instead of ${wanted}`, { key });
}
