/** The envelopes of owners that come with a request. */
import { CodedError } from '../core/error.ts';

/** Envelopes that one request may bring. */
export const MAX_SIGNED = 64;

/** Throws `too-large` when more envelopes come with `what` than anybody needs. */
export function requireFew(signed: readonly Uint8Array[], what: 'a policy' | 'a void'): void {
  if (signed.length <= MAX_SIGNED) return;
  throw new CodedError('too-large', `at most ${MAX_SIGNED} envelopes may come with ${what}`);
}
