/** A refusal as people and programs get it: code, sentence and details. */
import { expect } from '@jest/globals';
import { CodedError, type ErrorCode } from '../../src/core/error.ts';

/** The call is refused with that code and exactly that sentence, or one like it; its details. */
export async function refused(
  call: Promise<unknown>,
  code: ErrorCode,
  sentence: string | RegExp,
): Promise<CodedError['details']> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!(error instanceof CodedError)) throw error ?? new Error('it was not refused');
  const message = typeof sentence === 'string' ? sentence : expect.stringMatching(sentence);
  expect([error.code, error.message]).toEqual([code, message]);
  return error.details;
}
