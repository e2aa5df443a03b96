/**
 * Multipart uploads. Completing is unconditional (conditions on it are not kept everywhere),
 * so an upload goes to a key that nobody else can want.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CodedError } from '../../core/error.ts';
import type { Part, UploadId, UploadShape } from '../contract.ts';
import type { Key } from '../keys.ts';
import { checkAllParts, checkPartLength, checkShape, missingPart } from '../upload-shape.ts';
import { type Bucket, targetOf } from './client.ts';
import { unknownOutcome } from './conditional-put.ts';
import { bucketFailure, doing, nameOf, verdictOf } from './failure.ts';
import { partBody } from './part-body.ts';
import { MAX_UNDECIDED, pause } from './pause.ts';
import { sizeOf } from './reading.ts';
import { formatUploadId, parseUploadId } from './upload-id.ts';

export class BucketUploads {
  readonly #bucket: Bucket;
  readonly #completing = new Map<UploadId, Promise<void>>();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  begin(key: Key, shape: UploadShape): Promise<UploadId> {
    return doing(`write ${key}`, async () => {
      checkShape(shape);
      const begun = await this.#bucket.client.send(
        new CreateMultipartUploadCommand(targetOf(this.#bucket, key)),
      );
      return formatUploadId({ shape, id: begun.UploadId ?? '' });
    });
  }

  async putPart(
    key: Key,
    upload: UploadId,
    number: number,
    length: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Part> {
    const { shape, id } = parseUploadId(upload);
    checkPartLength(shape, number, length);
    const { stream, signal, failure } = partBody(body, number, length);
    const put = new UploadPartCommand({
      ...targetOf(this.#bucket, key),
      UploadId: id,
      PartNumber: number,
      ContentLength: length,
      Body: stream,
    });
    try {
      const { ETag: tag = '' } = await this.#bucket.client.send(put, { abortSignal: signal });
      return { number, tag };
    } catch (error) {
      const failed = failure();
      if (failed !== undefined) throw failed.error;
      if (nameOf(error) === 'NoSuchUpload') throw noSuchUpload(upload);
      throw bucketFailure(`write part ${number} of ${key}`, error);
    } finally {
      stream.destroy(); // and with it what the sender has not sent yet
    }
  }

  /** One at a time for each upload: some servers let two of them spoil each other. */
  async complete(key: Key, upload: UploadId, parts: readonly Part[]): Promise<void> {
    const earlier = this.#completing.get(upload) ?? Promise.resolve();
    const completing = earlier.catch(() => {}).then(() => this.#complete(key, upload, parts));
    this.#completing.set(upload, completing);
    try {
      await completing;
    } finally {
      if (this.#completing.get(upload) === completing) this.#completing.delete(upload);
    }
  }

  abort(key: Key, upload: UploadId): Promise<void> {
    const { id } = parseUploadId(upload);
    return doing(`abort the upload of ${key}`, async () => {
      try {
        await this.#bucket.client.send(
          new AbortMultipartUploadCommand({ ...targetOf(this.#bucket, key), UploadId: id }),
        );
      } catch (error) {
        if (nameOf(error) !== 'NoSuchUpload') throw error;
      }
    });
  }

  async #complete(key: Key, upload: UploadId, parts: readonly Part[]): Promise<void> {
    const { shape, id } = parseUploadId(upload);
    checkAllParts(shape, parts);
    const named = parts.toSorted((a, b) => a.number - b.number);
    for (let attempt = 0; attempt < MAX_UNDECIDED; attempt++) {
      await pause(attempt);
      try {
        await this.#refuseMissingParts(key, id, named);
        await this.#bucket.client.send(
          new CompleteMultipartUploadCommand({
            ...targetOf(this.#bucket, key),
            UploadId: id,
            MultipartUpload: {
              Parts: named.map(({ number, tag }) => ({ PartNumber: number, ETag: tag })),
            },
          }),
        );
        return;
      } catch (error) {
        // Also what a second or a late one is answered with, although the object is there.
        if (await this.#isThere(key, shape.size)) return;
        const name = nameOf(error);
        if (name === 'NoSuchUpload') throw noSuchUpload(upload);
        if (name === 'InvalidPart') throw new CodedError('conflict', `a part of ${key} is missing`);
        if (verdictOf(error) === 'refused' || error instanceof CodedError) {
          throw bucketFailure(`complete the upload of ${key}`, error);
        }
      }
    }
    throw unknownOutcome(key);
  }

  /** False also when nobody says: a bucket that failed once may fail the next question too. */
  async #isThere(key: Key, size: number): Promise<boolean> {
    return (await sizeOf(this.#bucket, key).catch(() => undefined)) === size;
  }

  /**
   * Not every server notices, when it completes, that a part never came. SeaweedFS lists a
   * part that was sent again with its old tag and with its new one.
   */
  async #refuseMissingParts(key: Key, id: string, parts: readonly Part[]): Promise<void> {
    const there = new Set<string>();
    let marker: string | undefined;
    do {
      const page = await this.#bucket.client.send(
        new ListPartsCommand({
          ...targetOf(this.#bucket, key),
          UploadId: id,
          PartNumberMarker: marker,
        }),
      );
      for (const { PartNumber, ETag } of page.Parts ?? []) there.add(nameOfPart(PartNumber, ETag));
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    for (const { number, tag } of parts) {
      if (!there.has(nameOfPart(number, tag))) throw missingPart(number);
    }
  }
}

/** Some servers quote ETags in one answer and not in another. */
function nameOfPart(number: number | undefined, tag: string | undefined): string {
  return `${number} ${tag?.replaceAll('"', '')}`;
}

function noSuchUpload(upload: UploadId): CodedError {
  return new CodedError('not-found', `there is no upload ${upload}: begin it anew`);
}
