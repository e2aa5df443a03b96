/**
 * What Weighhouse needs of an object store: the contract that a local directory
 * (`directory.ts`) and an S3 bucket keep, proved by one suite (`test/contract`).
 *
 * It is cut to what S3 can promise. Objects are written whole and never renamed. There are
 * two kinds of writes: `create`, which never replaces, for everything immutable, and `swap`,
 * a compare-and-swap for the few small documents that change. A write that resolved is
 * durable: it survives a kill and, as far as the store itself is honest, a power cut.
 *
 * Unknown outcomes (a time-out, a dropped response, 409) are settled inside the store by
 * reading back before the call resolves. Where even that fails the call throws
 * `unknown-outcome`, and the caller must look again before it acts. Other failures throw
 * `storage`, a full disk `disk-full`.
 *
 * A key is made by `create`, by an upload or by `swap`, and stays of that kind. No object
 * lies at a key that is the folder of another.
 */
import type { Digest } from '../core/digest.ts';
import type { Key, KeyPrefix } from './keys.ts';

declare const brand: unique symbol;

/** What `get` reads at most when it is not told. */
export const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/** Names one state of one document. Opaque, and only compared by the store that made it. */
export type Version = string & { readonly [brand]: 'Version' };

/** Names an upload in progress. Opaque; survives a restart, so that it may be kept in a document. */
export type UploadId = string & { readonly [brand]: 'UploadId' };

/** A small object, read whole. */
export interface Stored {
  readonly bytes: Uint8Array;
  readonly version: Version;
}

/** What a store knows of an object without reading it. */
export interface Stat {
  /** When it was written, by the store's own clock: milliseconds since 1970, to the second at least. */
  readonly modified: number;
  /** What `swap` takes to replace it. */
  readonly version: Version;
}

/** A run of bytes inside an object; both in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** How an upload will be cut: every part but the last has `partSize` bytes. */
export interface UploadShape {
  /** Bytes of the whole object; at least 1. An empty object is made with `create`. */
  readonly size: number;
  /** Bytes of a part; at least 5 MiB (S3's minimum), at most 10,000 parts (S3's maximum). */
  readonly partSize: number;
}

/** What the store answered to a part. A caller keeps it for `completeUpload`. */
export interface Part {
  /** From 1, as in S3. */
  readonly number: number;
  /** Opaque (S3: the ETag). */
  readonly tag: string;
  /** As it was put, where that is known: a bucket asks for it again. */
  readonly sha256?: Digest | undefined;
}

/** A part that is to be put by who has the bytes. */
export interface PartShape {
  readonly number: number;
  /** Bytes. */
  readonly length: number;
  readonly sha256: Digest;
}

/** A request that anybody may make who holds it, until it expires. */
export interface SignedRequest {
  readonly url: string;
  /** What must be sent with it, beside the length. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How a client is to take what it reads. */
export interface ReadAs {
  /** `Content-Type`, `Content-Disposition` and `Cache-Control` of the answer. */
  readonly type: string;
  readonly disposition: string;
  readonly cache: string;
}

/**
 * What a store lets clients do by themselves: requests to it, signed here. Nobody who holds
 * one can do anything but what it says: these bytes, that part, that object.
 */
export interface DirectAccess {
  /**
   * Requests to put exactly these bytes as these parts, good for `seconds`. The answer's ETag is
   * the part's tag. Throws `not-found` when there is no such upload (any more).
   */
  signParts(
    key: Key,
    upload: UploadId,
    parts: readonly PartShape[],
    seconds: number,
  ): Promise<SignedRequest[]>;

  /** The address of the object's bytes, good for `seconds`; whether there is one is not asked. */
  signRead(key: Key, as: ReadAs, seconds: number): Promise<string>;
}

export interface Store {
  /** For messages: a path or `s3://bucket/prefix`. */
  readonly name: string;

  /** The whole object, or undefined when there is none. Throws `too-large` above `maxBytes` (`DEFAULT_MAX_BYTES`). */
  get(key: Key, maxBytes?: number): Promise<Stored | undefined>;

  /**
   * A stream over `range` (default: all) of the object. Throws `not-found` when there is none,
   * `storage` when fewer bytes come than asked for. A consumer that stops early releases it;
   * one that stops before the stream is there says so by `signal`.
   */
  read(key: Key, range?: ByteRange, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;

  /** Bytes of the object, or undefined when there is none. */
  size(key: Key): Promise<number | undefined>;

  /** What is known of the object without its bytes, which may be damaged. Undefined when there is none. */
  stat(key: Key): Promise<Stat | undefined>;

  /**
   * Put-if-absent, never replacing. `exists` says only that some object is there: a caller
   * who needs these very bytes reads it back and compares.
   */
  create(key: Key, bytes: Uint8Array): Promise<'created' | 'exists'>;

  /**
   * Compare-and-swap of a small document: writes `bytes` if the document is still at
   * `expected`, or absent for `null`. Resolves to the new version, or to undefined when
   * another writer was first, or the document is gone. Never write the same bytes twice to
   * one key: documents carry a generation or a nonce, by which an unknown outcome is settled.
   */
  swap(key: Key, expected: Version | null, bytes: Uint8Array): Promise<Version | undefined>;

  /** Every key below `prefix`, in no particular order. Objects made or removed meanwhile may or may not come. */
  list(prefix: KeyPrefix): AsyncIterable<Key>;

  /** Removes the object; nothing happens when there is none. */
  delete(key: Key): Promise<void>;

  /** Begins an upload to `key`, which nobody else may want (a random key). */
  beginUpload(key: Key, shape: UploadShape): Promise<UploadId>;

  /**
   * Stores part `number`, exactly `length` bytes from `body`, durably. Parts may be written
   * in parallel and in any order; writing one again replaces it, and if both writes run at
   * the same time one of them may throw `conflict`. Throws `digest-mismatch` when more or
   * fewer bytes come; what `body` itself throws is passed on. After any failure the part is
   * absent, or what it was before. A chunk's memory may not be used again by the caller
   * before the call has ended. A store that can check `sha256` does: `digest-mismatch`.
   */
  putPart(
    key: Key,
    upload: UploadId,
    number: number,
    length: number,
    body: AsyncIterable<Uint8Array>,
    sha256?: Digest,
  ): Promise<Part>;

  /**
   * Makes the object out of all its parts, durably. Doing it twice is the same as once.
   * Throws `conflict` when a part is missing, from `parts` or from the upload (`details.part`
   * says which), `not-found` when there is neither such an upload nor the object. When it has resolved, no write of
   * a part that was begun earlier can change the object any more.
   */
  completeUpload(key: Key, upload: UploadId, parts: readonly Part[]): Promise<void>;

  /** Forgets an upload and its parts. Nothing happens when there is none. */
  abortUpload(key: Key, upload: UploadId): Promise<void>;

  /**
   * Forgets every upload into which nothing has come for `age` milliseconds; resolves to how
   * many. Several servers may do it at once. An upload that somebody is writing to stays.
   */
  abandonUploads(age: number): Promise<number>;

  /** What clients may be let do by themselves, for stores that they can reach. */
  readonly direct?: DirectAccess;

  /** A path under which a local process may read the object's bytes, for stores that have one. */
  localPath?(key: Key): string;

  /** Releases sockets and handles. */
  close(): Promise<void>;
}
