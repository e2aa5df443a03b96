/** Where a refusal stops a command: its code, its sentence and its evidence become an error. */
import { formatBase64 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Refusal, Verdict } from '../core/verdict.ts';

/** What was found good. Throws the refusal otherwise, with its code. */
export function accept<Found extends object>(
  verdict: Verdict<Found>,
): { readonly ok: true } & Found {
  if (verdict.ok) return verdict;
  throw refused(verdict);
}

/** The error that a refusal is. */
export function refused({ code, message, evidence }: Refusal): CodedError {
  return new CodedError(code, message, printable(evidence) as Record<string, unknown>);
}

/** Evidence goes into JSON: bytes as base64. */
function printable(value: unknown): unknown {
  if (value instanceof Uint8Array) return formatBase64(value);
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, printable(member)]));
}
