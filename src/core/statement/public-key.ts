/**
 * ECDSA P-256 public keys, in the two forms that everybody else uses.
 *
 * DER is the SubjectPublicKeyInfo of RFC 5480 with the named curve and an uncompressed
 * point: 26 bytes that never change, `04`, 32 bytes X, 32 bytes Y, 91 bytes in all. PEM is
 * its base64 in lines of 64 between two marks, with a newline at the end, byte for byte as
 * OpenSSL and Node write it:
 *
 *     -----BEGIN PUBLIC KEY-----
 *     MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE… (64 characters)
 *     …                                     (60 characters)
 *     -----END PUBLIC KEY-----
 *
 * P-256 is the one curve that model_signing, sigstore-js and cosign all accept. Whether the
 * point lies on the curve is for `Host.verifyP256` to find.
 */
import { compareBytes, formatBase64, formatHex, parseBase64, parseHex, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';

declare const brand: unique symbol;

/** The DER SubjectPublicKeyInfo of a P-256 key. Made only by this file. */
export type Spki = Uint8Array & { readonly [brand]: 'Spki' };

/** Length of such a key in DER. */
export const SPKI_BYTES = 91;

/** SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04 … (RFC 5480, section 2). */
const SPKI_PREFIX = parseHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');

const PEM_BEGIN = '-----BEGIN PUBLIC KEY-----\n';
const PEM_END = '-----END PUBLIC KEY-----\n';
const PEM_LINE = 64;

/** Parses a key in DER; throws `bad-key`. `what` names it. */
export function parseSpki(der: Uint8Array, what = 'the public key'): Spki {
  const prefix = der.subarray(0, SPKI_PREFIX.length);
  if (der.length !== SPKI_BYTES || compareBytes(prefix, SPKI_PREFIX) !== 0) {
    throw new CodedError('bad-key', `${what} is no ECDSA P-256 key (SubjectPublicKeyInfo, DER)`);
  }
  return der as Spki;
}

/** Parses the base64 of a key in DER; throws `bad-key` or `bad-encoding`. */
export function parseSpkiBase64(text: string, what = 'the public key'): Spki {
  return parseSpki(parseBase64(text), what);
}

/** The PEM text of a key, with the newline at its end. */
export function formatPem(spki: Spki): string {
  const base64 = formatBase64(spki);
  let lines = '';
  for (let at = 0; at < base64.length; at += PEM_LINE) {
    lines += `${base64.slice(at, at + PEM_LINE)}\n`;
  }
  return PEM_BEGIN + lines + PEM_END;
}

/** Parses PEM text exactly as `formatPem` writes it; throws `bad-key`. */
export function parsePem(text: string, what = 'the public key'): Spki {
  const body = text.slice(PEM_BEGIN.length, -PEM_END.length);
  let spki: Spki;
  try {
    spki = parseSpkiBase64(body.replaceAll('\n', ''), what);
  } catch (cause) {
    throw new CodedError('bad-key', `${what} is no PEM text of an ECDSA P-256 key`, {}, { cause });
  }
  if (formatPem(spki) !== text) {
    throw new CodedError('bad-key', `${what} is not the PEM text that OpenSSL writes of its key`);
  }
  return spki;
}

/** What names a key inside our documents: lower-case hex SHA-256 of its DER form. */
export function keyId(host: Pick<Host, 'sha256'>, spki: Spki): string {
  return formatHex(host.sha256(spki));
}

/**
 * What names a key in a Sigstore bundle signed after the OpenSSF Model Signing specification:
 * lower-case hex SHA-256 of its PEM text, the newline at its end included.
 */
export function keyHint(host: Pick<Host, 'sha256'>, spki: Spki): string {
  return formatHex(host.sha256(utf8(formatPem(spki))));
}
