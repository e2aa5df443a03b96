/**
 * What an S3 server answered, by the error's name. The status is no guide: an error inside
 * the 200 of CompleteMultipartUpload surfaces as 503, and a reset connection has none.
 */
import { CodedError } from '../../core/error.ts';

/** Names under which an error says that the condition of a PUT was false. */
const PRECONDITION_FALSE = new Set([
  'PreconditionFailed',
  // If-Match on a key that is not there, on AWS and some others.
  'NoSuchKey',
  'NotFound',
]);

/** Names that say that the request was understood and refused: sending it again is in vain. */
const REFUSED = new Set([
  'AccessDenied',
  'AuthorizationHeaderMalformed',
  'BadDigest',
  'CredentialsProviderError',
  'EntityTooLarge',
  'EntityTooSmall',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidArgument',
  'InvalidBucketName',
  'InvalidPart',
  'InvalidPartOrder',
  'InvalidRange',
  'InvalidRequest',
  'InvalidToken',
  'KeyTooLongError',
  'MalformedXML',
  'MethodNotAllowed',
  'NoSuchBucket',
  'NoSuchUpload',
  'NotImplemented',
  'PermanentRedirect',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'XAmzContentChecksumMismatch',
]);

/** Names that say that the bucket has no room; servers differ. */
const FULL = new Set(['InsufficientStorage', 'QuotaExceeded', 'StorageFull', 'XMinioStorageFull']);

/** Names under which a bucket asks to be asked less. */
const BUSY = new Set(['SlowDown', 'ServiceUnavailable', 'RequestLimitExceeded', 'Throttling']);

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** There is no such object. */
export function isAbsent(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(nameOf(error));
}

/**
 * What a failed PUT says: its condition was `false`, it was `refused` as a whole, or it is
 * `undecided`: a time-out, a lost answer, a server's error, 409 ConditionalRequestConflict.
 */
export function verdictOf(error: unknown): 'false' | 'refused' | 'undecided' {
  const name = nameOf(error);
  if (PRECONDITION_FALSE.has(name)) return 'false';
  return REFUSED.has(name) || FULL.has(name) ? 'refused' : 'undecided';
}

/** Two writers met, and this one was not done (S3: "retry"). */
export function isConflict(error: unknown): boolean {
  return ['ConditionalRequestConflict', 'OperationAborted'].includes(nameOf(error));
}

/** True when the SDK sent a request more than once, so that the first may have had its effect. */
export function wasRepeated(error: unknown): boolean {
  const metadata = (error as { $metadata?: { attempts?: number } } | null)?.$metadata;
  return (metadata?.attempts ?? 1) > 1;
}

/** `error` as a CodedError; `doing` completes "cannot …". */
export function bucketFailure(doing: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  if (BUSY.has(nameOf(error))) {
    const message = 'the registry’s store is busy; try again in a moment';
    return new CodedError('overloaded', message, { retryAfterSeconds: 2 }, { cause: error });
  }
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const code = FULL.has(nameOf(error)) ? 'disk-full' : 'storage';
  return new CodedError(code, `cannot ${doing}: ${why}`, {}, { cause: error });
}

/** Runs `work`; what it throws becomes a CodedError. `what` completes "cannot …". */
export async function doing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isAbsent(error)
      ? new CodedError('not-found', `cannot ${what}: it is not there`)
      : bucketFailure(what, error);
  }
}
