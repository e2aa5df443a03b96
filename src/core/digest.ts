/** `sha256:<64 lower-case hex>`: the only form in which a digest is named, stored or compared. */
import { formatHex, parseHex } from './bytes.ts';
import { CodedError } from './error.ts';
import type { Host } from './host.ts';

declare const brand: unique symbol;

/** A checked digest in text form. Made only by this file. */
export type Digest = string & { readonly [brand]: 'Digest' };

/** The form, for schemas. */
export const DIGEST_PATTERN = /^sha256:[0-9a-f]{64}$/;

/** Parses `sha256:<hex>`; throws `bad-encoding`. `what` names the field. */
export function parseDigest(text: string, what = 'digest'): Digest {
  if (!DIGEST_PATTERN.test(text)) {
    throw new CodedError('bad-encoding', `${what} must be sha256: and 64 lower-case hex digits`);
  }
  return text as Digest;
}

/** The digest of 32 raw bytes. */
export function formatDigest(raw: Uint8Array): Digest {
  if (raw.length !== 32) throw new CodedError('bad-encoding', 'a SHA-256 digest has 32 bytes');
  return `sha256:${formatHex(raw)}` as Digest;
}

/** The 32 raw bytes. */
export function digestBytes(digest: Digest): Uint8Array {
  return parseHex(digest.slice(7), 32);
}

/** The 64 hex digits, without the algorithm. */
export function digestHex(digest: Digest): string {
  return digest.slice(7);
}

/** Digest of `data`. */
export function digestOf(host: Pick<Host, 'sha256'>, data: Uint8Array): Digest {
  return formatDigest(host.sha256(data));
}
