/** What answers with an object's bytes need. */
import {
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { CodedError } from '../../core/error.ts';
import type { Key } from '../keys.ts';
import { type Bucket, targetOf } from './client.ts';
import { isAbsent } from './failure.ts';

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

/** An answer's body that nobody reads would keep its socket for ever. */
export async function cancel(object: GetObjectCommandOutput): Promise<void> {
  await object.Body?.transformToWebStream().cancel();
}

/** Passes a stream on; it fails with `storage` when fewer bytes come. */
export function ofLength(key: Key, length: number): TransformStream<Uint8Array, Uint8Array> {
  let received = 0;
  return new TransformStream({
    transform(chunk, controller) {
      received += chunk.length;
      controller.enqueue(chunk);
    },
    flush(controller) {
      if (received !== length) controller.error(cutShort(key, received, length));
    },
  });
}

/** What an object is refused with of which too few bytes came. */
export function cutShort(key: Key, found: number, wanted: number): CodedError {
  return new CodedError('storage', `${key} gave ${found} bytes instead of ${wanted}`, { key });
}
