/**
 * The store in an S3 bucket: any number of servers over one bucket.
 *
 * Writes are made safe by conditional PUTs alone: `If-None-Match: *` and `If-Match`. Nothing
 * relies on a conditional DELETE, a conditional CompleteMultipartUpload or the order of a
 * listing, none of which all servers keep. An answer that was lost is settled by asking
 * again with the same condition and the same bytes, then by reading back.
 *
 * Several servers acknowledge a PUT before it is on their disk: what this store calls
 * durable is what the bucket calls so.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { equal } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import {
  type ByteRange,
  DEFAULT_MAX_BYTES,
  type DirectAccess,
  type Part,
  type Stat,
  type Store,
  type Stored,
  type UploadId,
  type UploadShape,
  type Version,
} from './contract.ts';
import { type Key, type KeyPrefix, parseKey } from './keys.ts';
import { type Bucket, type BucketOptions, openClients, targetOf } from './s3/client.ts';
import { putIf, unknownOutcome } from './s3/conditional-put.ts';
import { BucketDirect } from './s3/direct.ts';
import { bucketFailure, doing } from './s3/failure.ts';
import { Attempts } from './s3/pause.ts';
import {
  absentAsUndefined,
  bodyOf,
  bytesOf,
  cancel,
  cutShort,
  headOf,
  sizeOf,
} from './s3/reading.ts';
import { BucketUploads } from './s3/uploads.ts';

/** Times that an object is read whose bytes did not come whole. */
const MAX_READS = 3;

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** A prefix leaves 896 of S3's 1,024 bytes to our keys. */
const PREFIX = /^(?=.{0,127}$)(?:[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*)?$/;

/** Opens `s3://bucket/prefix`. Throws `usage` for another address; asks the bucket nothing yet. */
export function openBucket(address: string, options: BucketOptions = {}): Store {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]*)(?:\/(.*?)\/?)?$/.exec(address) ?? [];
  if (!BUCKET.test(bucket) || !PREFIX.test(prefix)) {
    throw new CodedError('usage', `"${address}" is no bucket: write s3://bucket/prefix`);
  }
  const root = prefix === '' ? '' : `${prefix}/`;
  return new BucketStore(openClients(options, bucket, root));
}

class BucketStore implements Store {
  readonly name: string;
  readonly #bucket: Bucket;
  readonly #uploads: BucketUploads;
  readonly direct: DirectAccess;

  constructor(bucket: Bucket) {
    this.name = `s3://${bucket.bucket}/${bucket.root}`;
    this.#bucket = bucket;
    this.#uploads = new BucketUploads(bucket);
    this.direct = new BucketDirect(bucket, this.#uploads);
  }

  get(key: Key, maxBytes = DEFAULT_MAX_BYTES): Promise<Stored | undefined> {
    return doing(`read ${key}`, async () => {
      const attempts = new Attempts(this.#bucket.repeats, MAX_READS);
      for (let failure: unknown; ; ) {
        if (!(await attempts.next())) throw failure;
        const object = await absentAsUndefined(this.#open(key));
        if (object === undefined) return undefined;
        const size = object.ContentLength ?? 0;
        if (size > maxBytes) {
          cancel(object);
          throw new CodedError('too-large', `${key} has ${size} bytes; the limit is ${maxBytes}`);
        }
        try {
          const bytes = await bytesOf(key, object, size);
          return { bytes, version: object.ETag as Version };
        } catch (error) {
          failure = error; // The SDK repeats what has no answer, not what broke off in the body.
        }
      }
    });
  }

  read(key: Key, range?: ByteRange, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return doing(`read ${key}`, async () => {
      if (range?.length === 0) return this.#nothingOf(key, range.offset);
      const object = await this.#open(key, range, signal).catch((error) => {
        throw signal?.aborted === true ? givenUp(key) : error;
      });
      const size = object.ContentLength ?? 0;
      if (range === undefined || size === range.length) return bodyOf(key, object, size);
      cancel(object);
      throw cutShort(key, size, range.length);
    });
  }

  size(key: Key): Promise<number | undefined> {
    return doing(`read ${key}`, () => sizeOf(this.#bucket, key));
  }

  stat(key: Key): Promise<Stat | undefined> {
    return doing(`read ${key}`, async () => {
      const head = await headOf(this.#bucket, key);
      if (head === undefined) return undefined;
      return { modified: head.LastModified?.getTime() ?? 0, version: head.ETag as Version };
    });
  }

  create(key: Key, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return doing(`write ${key}`, async () => {
      // 'perhaps' is 'exists' too: nobody may be told 'created' twice.
      const outcome = await putIf(this.#bucket, key, null, bytes);
      return outcome.kind === 'written' ? 'created' : 'exists';
    });
  }

  swap(key: Key, expected: Version | null, bytes: Uint8Array): Promise<Version | undefined> {
    return doing(`write ${key}`, async () => {
      const outcome = await putIf(this.#bucket, key, expected, bytes);
      if (outcome.kind === 'written') return outcome.version;
      if (outcome.kind === 'false') return undefined;
      const found = await this.get(key);
      // No bytes are ever written twice to one document, so these are ours.
      if (found !== undefined && equal(found.bytes, bytes)) return found.version;
      throw unknownOutcome(key);
    });
  }

  async *list(prefix: KeyPrefix): AsyncIterable<Key> {
    const { client, bucket, root } = this.#bucket;
    const query = { Bucket: bucket, Prefix: root + prefix };
    try {
      for await (const page of paginateListObjectsV2({ client }, query)) {
        for (const { Key: found = '' } of page.Contents ?? []) {
          const key = asKey(found.slice(root.length));
          if (key !== undefined) yield key;
        }
      }
    } catch (error) {
      throw bucketFailure(`list ${prefix}`, error);
    }
  }

  delete(key: Key): Promise<void> {
    return doing(`delete ${key}`, async () => {
      await this.#bucket.client.send(new DeleteObjectCommand(targetOf(this.#bucket, key)));
    });
  }

  beginUpload(key: Key, shape: UploadShape): Promise<UploadId> {
    return this.#uploads.begin(key, shape);
  }

  putPart(
    key: Key,
    upload: UploadId,
    number: number,
    length: number,
    body: AsyncIterable<Uint8Array>,
    sha256?: Digest,
  ): Promise<Part> {
    return this.#uploads.putPart(key, upload, { number, length, sha256 }, body);
  }

  completeUpload(key: Key, upload: UploadId, parts: readonly Part[]): Promise<void> {
    return this.#uploads.complete(key, upload, parts);
  }

  abortUpload(key: Key, upload: UploadId): Promise<void> {
    return this.#uploads.abort(key, upload);
  }

  abandonUploads(age: number): Promise<number> {
    return this.#uploads.abandon(age);
  }

  async close(): Promise<void> {
    this.#bucket.client.destroy();
    this.#bucket.signer.destroy();
  }

  #open(key: Key, range?: ByteRange, signal?: AbortSignal): Promise<GetObjectCommandOutput> {
    const bytes = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
    return this.#bucket.client.send(
      new GetObjectCommand({ ...targetOf(this.#bucket, key), Range: bytes }),
      signal === undefined ? {} : { abortSignal: signal },
    );
  }

  /** S3 has no empty ranges. */
  async #nothingOf(key: Key, offset: number): Promise<ReadableStream<Uint8Array>> {
    const size = await this.size(key);
    if (size === undefined) throw noSuchObject(key);
    if (offset > size) throw cutShort(key, size, offset);
    return ReadableStream.from<Uint8Array>([]);
  }
}

/** The key that a server lists, or undefined for an object that is not ours. */
function asKey(text: string): Key | undefined {
  try {
    return parseKey(text);
  } catch {
    return undefined;
  }
}

function givenUp(key: Key): CodedError {
  return new CodedError('interrupted', `nobody waits for ${key} any more`);
}

function noSuchObject(key: Key): CodedError {
  return new CodedError('not-found', `there is no object ${key}`);
}
