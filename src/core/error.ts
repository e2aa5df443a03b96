/**
 * The one base error. Every failure that a person or a program may want to tell apart
 * carries a stable `code`; the command line maps codes to exit statuses (`cli/exit.ts`),
 * the server to HTTP statuses (`server/problem.ts`). The message is one sentence: what is
 * wrong, in which file or field, what to do.
 */

/** Stable codes. Never reuse one for another meaning. */
export type ErrorCode =
  // input that is refused as it stands
  | 'bad-encoding'
  | 'bad-json'
  | 'bad-name'
  | 'bad-path'
  | 'bad-reference'
  | 'bad-document'
  | 'bad-weights'
  | 'code-carrying-format'
  | 'too-large'
  | 'file-changed'
  | 'usage'
  // formats of the log and of signatures
  | 'bad-note'
  | 'bad-key'
  | 'bad-checkpoint'
  | 'bad-tile'
  | 'bad-proof'
  | 'bad-policy'
  | 'bad-entry'
  | 'bad-envelope'
  | 'bad-statement'
  | 'bad-bundle'
  // verdicts
  | 'digest-mismatch'
  | 'signature-invalid'
  | 'untrusted'
  | 'proof-invalid'
  | 'fork'
  | 'stale'
  | 'rolled-back'
  | 'recalled'
  | 'gate-unmet'
  | 'already-published'
  // the world
  | 'not-authorised'
  | 'not-found'
  | 'conflict'
  | 'overloaded'
  | 'rate-limited'
  | 'quota-exceeded'
  | 'network'
  | 'storage'
  | 'disk-full'
  | 'damaged'
  | 'unknown-outcome'
  | 'interrupted'
  | 'internal';

/** An error with a stable code and, where there is any, machine-readable evidence. */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** True when `error` is a CodedError, and has that code if one is given. */
export function isCoded(error: unknown, code?: ErrorCode): error is CodedError {
  return error instanceof CodedError && (code === undefined || error.code === code);
}

/** What went wrong, in words, of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
