/**
 * The outcome of a verification. Malformed input is thrown as a CodedError; what was well
 * formed and found wanting is a value, so that nobody can forget to look at it, and so that
 * the evidence travels with it.
 */
import type { ErrorCode } from './error.ts';

/** Why something was not accepted. */
export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  /** One sentence: what is wrong, in which file or field. */
  readonly message: string;
  /** What a third party needs to see the same, as far as there is any. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What was found good, or a refusal. */
export type Verdict<Found extends object> = ({ readonly ok: true } & Found) | Refusal;

export function refusal(
  code: ErrorCode,
  message: string,
  evidence: Readonly<Record<string, unknown>> = {},
): Refusal {
  return { ok: false, code, message, evidence };
}
