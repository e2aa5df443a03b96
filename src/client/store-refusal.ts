/**
 * What a store says when it refuses a signed request (S3, "Error responses"): a status, and XML
 * with a code. Its words are not passed on, and its address only without the signature.
 */
import { CodedError, type ErrorCode } from '../core/error.ts';
import type { Refusal } from './problem.ts';
import { parseRetryAfter } from './retry.ts';
import { isTransient } from './status.ts';

/** Bytes that do not have the digest they were signed with. */
const OTHER_BYTES: ReadonlySet<string> = new Set(['BadDigest', 'XAmzContentChecksumMismatch']);
/** The store waited too long for the body: 400, yet worth trying again. */
const SLOW_BODY = 'RequestTimeout';

/** The address without its signature. */
export function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'the store';
}

/**
 * The error that a store's refusal means. `isStale` in its details says that the request is no
 * good, or no more: another one is to be asked for.
 */
export function storeRefusal(url: string, refusal: Refusal, body: Uint8Array): CodedError {
  const { status, headers } = refusal;
  const place = placeOf(url);
  const name = /<Code>([A-Za-z0-9]{1,100})<\/Code>/.exec(new TextDecoder().decode(body))?.[1];
  const retryAfterSeconds = parseRetryAfter(headers.get('retry-after'), Date.now());
  const details = {
    status,
    url: place,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  const said = name === undefined ? String(status) : `${status} ${name}`;
  const message = `the registry’s store at ${place} answered ${said}`;
  if (name !== undefined && OTHER_BYTES.has(name)) {
    return new CodedError('digest-mismatch', message, { ...details, transient: false });
  }
  if (status >= 500 || isTransient(status) || name === SLOW_BODY) {
    return new CodedError(codeOf(status), message, { ...details, transient: true });
  }
  // Expired, or signed with credentials that have changed meanwhile; or the upload is no more.
  return new CodedError('network', message, { ...details, transient: true, isStale: true });
}

function codeOf(status: number): ErrorCode {
  return status === 503 || status === 429 ? 'overloaded' : 'network';
}
