/**
 * Signatures, and by which keys. A key is either one that signs bytes as they are, or a passkey
 * (`passkey.ts`), which signs what an authenticator makes of their digest. Both are ECDSA P-256
 * with SHA-256 in ASN.1 DER, and neither is taken for the other: a passkey in a policy says where,
 * and how, its holder signs, and a bare signature by the same numbers would say nothing of that.
 */
import type { Host } from '../host.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type Assertion, checkAssertion, type Passkey } from './passkey.ts';
import type { Spki } from './public-key.ts';

/** What statements are signed with. */
export type SigningKey = Spki | Passkey;

/** What that gives: ASN.1 DER, or what a passkey's authenticator answers. */
export type Signature = Uint8Array | Assertion;

/** What is asked of a host to check either. */
export type Checking = Pick<Host, 'sha256' | 'verifyP256'>;

/** The longest P-256 signature: two 33-byte integers and three headers of two bytes. */
export const MAX_SIGNATURE_BYTES = 72;
/** The shortest that is well formed: two integers of one byte. */
export const MIN_SIGNATURE_BYTES = 8;

/** The numbers of a key, however it signs. */
export function spkiOf(key: SigningKey): Spki {
  return isPasskey(key) ? key.spki : key;
}

/** The DER of a signature, whatever it is over. */
export function derOf(signature: Signature): Uint8Array {
  return isAssertion(signature) ? signature.signature : signature;
}

export function isPasskey(key: SigningKey): key is Passkey {
  return 'rpId' in key;
}

export function isAssertion(signature: Signature): signature is Assertion {
  return 'clientDataJSON' in signature;
}

/** Did `key` sign `data`, in its own form? */
export async function checkSignature(
  host: Checking,
  key: SigningKey,
  data: Uint8Array,
  signature: Signature,
): Promise<Verdict<object>> {
  if (isPasskey(key)) {
    if (isAssertion(signature)) return checkAssertion(host, key, data, signature);
    return refusal('signature-invalid', 'the key is a passkey, and the signature is no passkey’s');
  }
  if (isAssertion(signature)) {
    return refusal('signature-invalid', 'the signature is a passkey’s, and the key is none');
  }
  if (await host.verifyP256(key, data, signature)) return { ok: true };
  return refusal('signature-invalid', 'the signature is not by the expected key');
}

/**
 * SEQUENCE of two positive INTEGERs in their shortest form (RFC 3279, section 2.2.3). Hosts
 * differ in how leniently they read DER; here nothing is left to differ in.
 */
export function isSignature(der: Uint8Array): boolean {
  if (der.length < MIN_SIGNATURE_BYTES || der.length > MAX_SIGNATURE_BYTES) return false;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return false;
  const middle = endOfInteger(der, 2);
  return middle > 0 && endOfInteger(der, middle) === der.length;
}

/** Where the positive INTEGER at `start` ends, or 0 when none of at most 33 bytes stands there. */
function endOfInteger(der: Uint8Array, start: number): number {
  const length = der[start + 1] ?? 0;
  const end = start + 2 + length;
  if (der[start] !== 0x02 || length < 1 || length > 33 || end > der.length) return 0;
  const first = der[start + 2]!;
  const second = length > 1 ? der[start + 3]! : 0;
  const negative = first >= 0x80;
  const padded = first === 0 && second < 0x80;
  return negative || padded || (length === 33 && first !== 0) ? 0 : end;
}
