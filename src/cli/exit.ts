/** From error codes to exit statuses: scripts rely on these, so a status never changes its meaning. */
import type { ErrorCode } from '../core/error.ts';

export const STATUS: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  'bad-reference': 2,

  'not-authorised': 3,
  'not-found': 4,
  network: 5,
  overloaded: 5,
  'rate-limited': 5,

  'digest-mismatch': 10,
  damaged: 10,

  'signature-invalid': 11,
  untrusted: 11,
  'bad-note': 11,
  'bad-key': 11,
  'bad-envelope': 11,
  'bad-statement': 11,
  'bad-bundle': 11,
  'bad-policy': 11,

  'proof-invalid': 12,
  fork: 12,
  'bad-checkpoint': 12,
  'bad-tile': 12,
  'bad-proof': 12,
  'bad-entry': 12,

  recalled: 13,
  'gate-unmet': 13,
  'already-published': 13,
  'quota-exceeded': 13,

  stale: 14,
  'rolled-back': 14,

  'bad-encoding': 20,
  'bad-json': 20,
  'bad-name': 20,
  'bad-path': 20,
  'bad-document': 20,
  'bad-weights': 20,
  'code-carrying-format': 20,
  'too-large': 20,
  'file-changed': 20,

  conflict: 1,
  storage: 1,
  'disk-full': 1,
  'unknown-outcome': 1,
  internal: 1,
  interrupted: 130,
};

/** A newer server may send a code that this version has no status for, and a hostile one any word. */
export function statusOf(code: ErrorCode): number {
  return Object.hasOwn(STATUS, code) ? STATUS[code] : STATUS.internal;
}
