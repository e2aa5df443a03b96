/** The one client of a process, and where in the bucket things lie. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { CodedError } from '../../core/error.ts';
import type { Key } from '../keys.ts';
import { RepeatBudget } from './pause.ts';

/**
 * Milliseconds until an answer begins. SeaweedFS lets losers of a race wait for up to 11 s; a
 * time-out below that is a false alarm.
 */
export const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** The SDK's default of 50 is fewer than the readers of one busy server. */
const MAX_SOCKETS = 256;
/** Requests that the SDK makes of one that failed in transit. */
const MAX_ATTEMPTS = 4;

export interface BucketOptions {
  /** Of a server other than AWS; then keys are addressed path-style. */
  readonly endpoint?: string;
  /** Where clients reach the server: `https://host[:port]`; by default where we do. */
  readonly publicEndpoint?: string;
  /** Otherwise region and credentials come from the standard AWS environment. */
  readonly region?: string;
  readonly credentials?: S3ClientConfig['credentials'];
}

/** A bucket, or what lies below a prefix in it. */
export interface Bucket {
  readonly client: S3Client;
  /** Signs requests that others make; sends none itself. */
  readonly signer: S3Client;
  readonly repeats: RepeatBudget;
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

/** The bucket with its one client. Throws `usage` for a public endpoint that is none. */
export function openClients(options: BucketOptions, bucket: string, root: string): Bucket {
  const { endpoint, publicEndpoint = endpoint } = options;
  if (publicEndpoint !== undefined) requireOrigin(publicEndpoint);
  const client = new S3Client({
    ...commonOptions(options, endpoint),
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
  const signer = new S3Client({
    ...commonOptions(options, publicEndpoint),
    // Otherwise the CRC32 of a body that is not there yet would be signed along.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    logger: SILENT,
  });
  return { client, signer, repeats: new RepeatBudget(), bucket, root };
}

function commonOptions({ region, credentials }: BucketOptions, endpoint: string | undefined) {
  return {
    // The SDK looks into the environment for each of these that is not there at all.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
  };
}

/** A signature covers the host and the whole path: nothing in between may add to either. */
function requireOrigin(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (isHttp && (endpoint === url.origin || endpoint === `${url.origin}/`)) return;
  throw new CodedError(
    'usage',
    `"${endpoint}" is no address of an S3 server: write https://host or https://host:port`,
  );
}

const silence = (): void => {};
const SILENT = { trace: silence, debug: silence, info: silence, warn: silence, error: silence };
