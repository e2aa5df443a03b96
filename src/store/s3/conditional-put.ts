/** PUT under a condition, until it is decided whether it was done. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CodedError } from '../../core/error.ts';
import type { Version } from '../contract.ts';
import type { Key } from '../keys.ts';
import { type Bucket, targetOf } from './client.ts';
import { isConflict, verdictOf, wasRepeated } from './failure.ts';
import { Attempts } from './pause.ts';

/** How a conditional PUT ended. */
export type Outcome =
  | { readonly kind: 'written'; readonly version: Version }
  /** The condition was false, and no earlier attempt of ours can have made it so. */
  | { readonly kind: 'false' }
  /** The condition is false now, but an answer was lost before: look at what is there. */
  | { readonly kind: 'perhaps' };

/**
 * Writes `bytes` if the object is still at `expected`; null: if there is none. An undecided
 * answer is followed by the same request: if the first one was done after all, the
 * condition is false now. Throws `unknown-outcome` when no answer decides.
 */
export async function putIf(
  bucket: Bucket,
  key: Key,
  expected: Version | null,
  bytes: Uint8Array,
): Promise<Outcome> {
  const condition = expected === null ? { IfNoneMatch: '*' } : { IfMatch: expected };
  const put = { ...targetOf(bucket, key), ...condition, Body: bytes, ContentLength: bytes.length };
  const attempts = new Attempts(bucket.repeats);
  let answerLost = false;
  for (let after: 'failure' | 'conflict' = 'failure'; await attempts.next(after); ) {
    try {
      const { ETag } = await bucket.client.send(new PutObjectCommand(put));
      bucket.repeats.earn();
      return { kind: 'written', version: ETag as Version };
    } catch (error) {
      const verdict = verdictOf(error);
      if (verdict === 'refused') throw error;
      after = isConflict(error) ? 'conflict' : 'failure';
      // What is answered with a conflict was not done, and the next answer is as good as a first.
      answerLost ||= wasRepeated(error) || (verdict === 'undecided' && after === 'failure');
      if (verdict === 'false') return { kind: answerLost ? 'perhaps' : 'false' };
    }
  }
  throw unknownOutcome(key);
}

/** What is thrown when the bucket does not say whether it did as it was told. */
export function unknownOutcome(key: Key): CodedError {
  return new CodedError(
    'unknown-outcome',
    `the bucket did not say whether ${key} was written: read it before you go on`,
  );
}
