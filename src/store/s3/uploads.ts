/**
 * Multipart uploads. Completing is unconditional (conditions on it are not kept everywhere),
 * so an upload goes to a key that nobody else can want.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { formatBase64 } from '../../core/bytes.ts';
import { type Digest, digestBytes, formatDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Part, PartShape, UploadId, UploadShape } from '../contract.ts';
import type { Key } from '../keys.ts';
import { checkAllParts, checkPartLength, checkShape, missingPart } from '../upload-shape.ts';
import { type Bucket, REQUEST_TIMEOUT_MS, type Target, targetOf } from './client.ts';
import { unknownOutcome } from './conditional-put.ts';
import { bucketFailure, doing, nameOf, verdictOf } from './failure.ts';
import { partBody } from './part-body.ts';
import { Attempts } from './pause.ts';
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
        // AWS takes the parts' own SHA-256 only for an upload that was begun so.
        new CreateMultipartUploadCommand({
          ...targetOf(this.#bucket, key),
          ChecksumAlgorithm: 'SHA256',
        }),
      );
      return formatUploadId({ shape, id: begun.UploadId ?? '' });
    });
  }

  async putPart(
    key: Key,
    upload: UploadId,
    { number, length, sha256 }: Unhashed,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Part> {
    const { shape, id } = parseUploadId(upload);
    checkPartLength(shape, number, length);
    const hash = createHash('sha256');
    const source = sha256 === undefined ? hashed(body, hash) : body;
    const { stream, signal, failure, close } = partBody(source, number, length, REQUEST_TIMEOUT_MS);
    const put = new UploadPartCommand({
      ...targetOf(this.#bucket, key),
      UploadId: id,
      PartNumber: number,
      ContentLength: length,
      Body: stream,
      // Unknown, it is computed on the way and sent behind the bytes.
      ...(sha256 === undefined
        ? { ChecksumAlgorithm: 'SHA256' }
        : { ChecksumSHA256: formatBase64(digestBytes(sha256)) }),
    });
    try {
      // The SDK's clock would count the sender's time; the body has one of its own.
      const options = { abortSignal: signal, requestTimeout: 0 };
      const { ETag: tag = '' } = await this.#bucket.client.send(put, options);
      this.#bucket.repeats.earn();
      return { number, tag, sha256: sha256 ?? formatDigest(hash.digest()) };
    } catch (error) {
      const failed = failure();
      if (failed !== undefined) throw failed.error;
      if (nameOf(error) === 'NoSuchUpload') throw noSuchUpload(upload);
      if (isWrongDigest(error)) throw otherBytes(number);
      throw bucketFailure(`write part ${number} of ${key}`, error);
    } finally {
      close();
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
    return doing(`abort the upload of ${key}`, () =>
      this.#abort({ ...targetOf(this.#bucket, key), UploadId: id }),
    );
  }

  /** Throws `not-found` unless parts can still be put. */
  async requireOpen(key: Key, upload: UploadId): Promise<void> {
    const { id } = parseUploadId(upload);
    const asked = { ...targetOf(this.#bucket, key), UploadId: id, MaxParts: 1 };
    try {
      await this.#bucket.client.send(new ListPartsCommand(asked));
    } catch (error) {
      if (nameOf(error) === 'NoSuchUpload') throw noSuchUpload(upload);
      throw bucketFailure(`look at the upload of ${key}`, error);
    }
  }

  /** Forgets every upload below the root into which nothing has come for `age` milliseconds. */
  async abandon(age: number): Promise<number> {
    const before = Date.now() - age;
    let abandoned = 0;
    await doing('list uploads', async () => {
      for await (const { Key, UploadId, Initiated } of this.#uploads()) {
        if (Key === undefined || UploadId === undefined) continue;
        const upload = { Bucket: this.#bucket.bucket, Key, UploadId };
        if (!(timeOf(Initiated) < before && (await this.#isIdle(upload, before)))) continue;
        await this.#abort(upload);
        abandoned++;
      }
    });
    return abandoned;
  }

  async *#uploads() {
    const { client, bucket, root } = this.#bucket;
    for (let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; marker; ) {
      const query = { Bucket: bucket, Prefix: root, ...marker };
      const page: ListMultipartUploadsCommandOutput = await client.send(
        new ListMultipartUploadsCommand(query),
      );
      yield* page.Uploads ?? [];
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      const isMore = page.IsTruncated === true && KeyMarker !== undefined;
      marker = isMore ? { KeyMarker, ...(UploadIdMarker && { UploadIdMarker }) } : undefined;
    }
  }

  async #complete(key: Key, upload: UploadId, parts: readonly Part[]): Promise<void> {
    const { shape, id } = parseUploadId(upload);
    checkAllParts(shape, parts);
    const named = parts.toSorted((a, b) => a.number - b.number);
    const target = { ...targetOf(this.#bucket, key), UploadId: id };
    const attempts = new Attempts(this.#bucket.repeats);
    while (await attempts.next()) {
      try {
        await this.#refuseMissingParts(target, named);
        const MultipartUpload = { Parts: named.map(nameInS3) };
        await this.#bucket.client.send(
          new CompleteMultipartUploadCommand({ ...target, MultipartUpload }),
        );
        this.#bucket.repeats.earn();
        return;
      } catch (error) {
        if (await this.#isComplete(key, shape)) return;
        const name = nameOf(error);
        if (name === 'NoSuchUpload') throw noSuchUpload(upload);
        if (name === 'InvalidPart' || isWrongDigest(error))
          throw new CodedError('conflict', `a part of ${key} is missing`);
        if (verdictOf(error) === 'refused' || error instanceof CodedError) {
          throw bucketFailure(`complete the upload of ${key}`, error);
        }
      }
    }
    throw unknownOutcome(key);
  }

  /**
   * A second Complete, or a late one, may be refused although the object is there. What cannot
   * be looked at now is looked at by the next attempt.
   */
  async #isComplete(key: Key, shape: UploadShape): Promise<boolean> {
    const size = await sizeOf(this.#bucket, key).catch(() => undefined);
    return size === shape.size;
  }

  /**
   * Not every server notices, when it completes, that a part never came. SeaweedFS lists a
   * part that was sent again with its old tag and with its new one.
   */
  async #refuseMissingParts(target: UploadTarget, parts: readonly Part[]): Promise<void> {
    const there = new Set<string>();
    for await (const { PartNumber, ETag } of this.#partsOf(target)) {
      there.add(nameOfPart(PartNumber, ETag));
    }
    for (const { number, tag } of parts) {
      if (!there.has(nameOfPart(number, tag))) throw missingPart(number);
    }
  }

  async *#partsOf(target: UploadTarget) {
    let marker: string | undefined;
    do {
      const asked = { ...target, PartNumberMarker: marker };
      const page: ListPartsCommandOutput = await this.#bucket.client.send(
        new ListPartsCommand(asked),
      );
      yield* page.Parts ?? [];
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
  }

  /** Is every part older? One that has gone meanwhile is nobody's to abandon. */
  async #isIdle(upload: UploadTarget, before: number): Promise<boolean> {
    try {
      for await (const { LastModified } of this.#partsOf(upload)) {
        if (timeOf(LastModified) >= before) return false;
      }
      return true;
    } catch (error) {
      if (nameOf(error) === 'NoSuchUpload') return false;
      throw error;
    }
  }

  async #abort(upload: UploadTarget): Promise<void> {
    try {
      await this.#bucket.client.send(new AbortMultipartUploadCommand(upload));
    } catch (error) {
      if (nameOf(error) !== 'NoSuchUpload') throw error;
    }
  }
}

/** A part of which the SHA-256 need not be known. */
type Unhashed = Omit<PartShape, 'sha256'> & { readonly sha256: Digest | undefined };

/** Completing takes the SHA-256 of every part: one that nobody has told is taken on the way. */
async function* hashed(body: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    hash.update(bytes);
    yield bytes;
  }
}

interface UploadTarget extends Target {
  readonly UploadId: string;
}

function nameInS3({ number, tag, sha256 }: Part) {
  const checksum = sha256 && formatBase64(digestBytes(sha256));
  return { PartNumber: number, ETag: tag, ChecksumSHA256: checksum };
}

/** What is not dated counts as new. */
function timeOf(date: Date | undefined): number {
  return date?.getTime() ?? Number.POSITIVE_INFINITY;
}

/** Servers have two names for bytes that do not have their checksum. */
function isWrongDigest(error: unknown): boolean {
  return ['BadDigest', 'XAmzContentChecksumMismatch'].includes(nameOf(error));
}

function otherBytes(number: number): CodedError {
  const message = `part ${number} has another digest than was said: send it again`;
  return new CodedError('digest-mismatch', message, { part: number });
}

/** Some servers quote ETags in one answer and not in another. */
function nameOfPart(number: number | undefined, tag: string | undefined): string {
  return `${number} ${tag?.replaceAll('"', '')}`;
}

function noSuchUpload(upload: UploadId): CodedError {
  return new CodedError('not-found', `there is no upload ${upload}: begin it anew`);
}
