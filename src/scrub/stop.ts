/** A scrub that was asked to stop. */
import { CodedError } from '../core/error.ts';

export function interrupted({ reason }: AbortSignal): CodedError {
  const message = 'the scrub was stopped; the next one goes on from here';
  return new CodedError('interrupted', message, {}, { cause: reason });
}
