/**
 * The two values that stand alone on a line in every format of the log: a decimal number and
 * a hash in base64. Both have exactly one spelling.
 */
import { formatBase64, parseBase64 } from '../bytes.ts';
import { CodedError, type ErrorCode, isCoded } from '../error.ts';

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32;

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;

/** A decimal without sign or leading zeros, up to 2^53 − 1. Throws `code`; `what` names the field. */
export function parseDecimal(text: string, code: ErrorCode, what: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new CodedError(code, `${what} is not a decimal number from 0 to 2^53 - 1`);
  }
  return value;
}

/** The decimal form of a safe, non-negative integer. Throws `code` for anything else. */
export function formatDecimal(value: number, code: ErrorCode, what: string): string {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new CodedError(code, `${what} is not a whole number from 0 to 2^53 - 1`);
  }
  return String(value);
}

/** Canonical base64 of exactly 32 bytes. Throws `code`. */
export function parseHash(text: string, code: ErrorCode, what: string): Uint8Array {
  const hash = recode(code, what, () => parseBase64(text));
  if (hash.length !== HASH_BYTES) {
    throw new CodedError(
      code,
      `${what} has ${hash.length} bytes; a SHA-256 hash has ${HASH_BYTES}`,
    );
  }
  return hash;
}

/** Base64 of exactly 32 bytes. Throws `code`. */
export function formatHash(hash: Uint8Array, code: ErrorCode, what: string): string {
  if (hash.length !== HASH_BYTES) {
    throw new CodedError(
      code,
      `${what} has ${hash.length} bytes; a SHA-256 hash has ${HASH_BYTES}`,
    );
  }
  return formatBase64(hash);
}

/** Runs `read`, and says of a spelling it refuses in which field of which format it stood. */
export function recode<T>(code: ErrorCode, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isCoded(error, 'bad-encoding')) throw error;
    throw new CodedError(code, `${what}: ${error.message}`, {}, { cause: error });
  }
}
