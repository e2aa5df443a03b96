/** What a bare HTTP status means for a client. */
import type { ErrorCode } from '../core/error.ts';

/** Statuses after which the same request may do better (RFC 9110, section 15; RFC 6585). */
const TRANSIENT: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

export function isTransient(status: number): boolean {
  return TRANSIENT.has(status);
}

/** The code for a refusal that gives none. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'not-authorised';
  if (status === 404 || status === 410) return 'not-found';
  if (status === 409) return 'conflict';
  if (status === 413) return 'too-large';
  if (status === 429) return 'rate-limited';
  if (status === 503) return 'overloaded';
  return 'network';
}
