/** The one client of a process, and where in the bucket things lie. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Key } from '../keys.ts';

/** SeaweedFS lets losers of a race wait for up to 11 s; a time-out below that is a false alarm. */
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** The SDK's default of 50 is fewer than the readers of one busy server. */
const MAX_SOCKETS = 256;
/** Requests that the SDK makes of one that failed in transit. */
const MAX_ATTEMPTS = 4;

export interface BucketOptions {
  /** Of a server other than AWS; then keys are addressed path-style. */
  readonly endpoint?: string;
  /** Otherwise region and credentials come from the standard AWS environment. */
  readonly region?: string;
  readonly credentials?: S3ClientConfig['credentials'];
}

/** A bucket, or what lies below a prefix in it. */
export interface Bucket {
  readonly client: S3Client;
  readonly bucket: string;
  /** In front of every key: empty, or ending in `/`. */
  readonly root: string;
}

/** What every request about one object has in common. */
export interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

export function targetOf({ bucket, root }: Bucket, key: Key): Target {
  return { Bucket: bucket, Key: root + key };
}

export function openClient({ endpoint, region, credentials }: BucketOptions): S3Client {
  return new S3Client({
    // The SDK looks into the environment for each of these that is not there at all.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: MAX_ATTEMPTS,
    logger: SILENT, // it writes to the console what we throw
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
  });
}

const silence = (): void => {};
const SILENT = { trace: silence, debug: silence, info: silence, warn: silence, error: silence };
