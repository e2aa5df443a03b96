/**
 * Requests to the bucket that clients make by themselves (presigned URLs, AWS Signature
 * Version 4). What binds them is in the signature: a part's number, its length and its SHA-256
 * are headers that the client must send as they were signed, and the bucket refuses other bytes.
 *
 * Once an upload is complete its parts cannot be put any more, so no request that is still good
 * by the clock can change an object.
 */
import { GetObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { BoundedMap } from '../../core/bounded-map.ts';
import { formatBase64 } from '../../core/bytes.ts';
import { digestBytes } from '../../core/digest.ts';
import type { DirectAccess, PartShape, ReadAs, SignedRequest, UploadId } from '../contract.ts';
import type { Key } from '../keys.ts';
import { checkPartLength } from '../upload-shape.ts';
import { type Bucket, targetOf } from './client.ts';
import { doing } from './failure.ts';
import { parseUploadId } from './upload-id.ts';
import type { BucketUploads } from './uploads.ts';

const CHECKSUM = 'x-amz-checksum-sha256';

/** Seconds for which readers of one object get the same address: to sign one takes milliseconds. */
export const SHARED_SECONDS = 10;
/** Addresses that are kept. */
const KEPT_ADDRESSES = 10_000;

interface Address {
  readonly signedAt: number;
  readonly url: Promise<string>;
}

export class BucketDirect implements DirectAccess {
  readonly #bucket: Bucket;
  readonly #uploads: BucketUploads;
  readonly #clock: () => number;
  readonly #addresses = new BoundedMap<string, Address>(KEPT_ADDRESSES);

  constructor(bucket: Bucket, uploads: BucketUploads, clock: () => number = Date.now) {
    this.#bucket = bucket;
    this.#uploads = uploads;
    this.#clock = clock;
  }

  async signParts(
    key: Key,
    upload: UploadId,
    parts: readonly PartShape[],
    seconds: number,
  ): Promise<SignedRequest[]> {
    const { shape, id } = parseUploadId(upload);
    for (const { number, length } of parts) checkPartLength(shape, number, length);
    await this.#uploads.requireOpen(key, upload);
    return doing(`sign parts of ${key}`, () =>
      Promise.all(parts.map((part) => this.#signPart(key, id, part, seconds))),
    );
  }

  signRead(key: Key, as: ReadAs, seconds: number): Promise<string> {
    const name = JSON.stringify([key, as.type, as.disposition, as.cache, seconds]);
    const known = this.#addresses.get(name);
    const now = this.#clock();
    if (known !== undefined && Math.abs(now - known.signedAt) < SHARED_SECONDS * 1_000) {
      return known.url;
    }
    // So that it is good for all of its seconds when the last one gets it.
    const url = this.#signRead(key, as, seconds + SHARED_SECONDS);
    this.#addresses.set(name, { signedAt: now, url });
    url.catch(() => this.#addresses.delete(name));
    return url;
  }

  #signRead(key: Key, { type, disposition, cache }: ReadAs, seconds: number): Promise<string> {
    const get = new GetObjectCommand({
      ...targetOf(this.#bucket, key),
      ResponseContentType: type,
      ResponseContentDisposition: disposition,
      ResponseCacheControl: cache,
    });
    return doing(`sign ${key}`, () =>
      getSignedUrl(this.#bucket.signer, get, { expiresIn: seconds }),
    );
  }

  async #signPart(
    key: Key,
    id: string,
    { number, length, sha256 }: PartShape,
    seconds: number,
  ): Promise<SignedRequest> {
    const checksum = formatBase64(digestBytes(sha256));
    const put = new UploadPartCommand({
      ...targetOf(this.#bucket, key),
      UploadId: id,
      PartNumber: number,
      ContentLength: length,
      ChecksumSHA256: checksum,
    });
    const url = await getSignedUrl(this.#bucket.signer, put, {
      expiresIn: seconds,
      // In the query, where the presigner would move it, no server looks at it.
      unhoistableHeaders: new Set([CHECKSUM]),
      signableHeaders: new Set(['content-length']),
    });
    return { url, headers: { [CHECKSUM]: checksum } };
  }
}
