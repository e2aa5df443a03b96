/**
 * Ed25519 (RFC 8032, section 5.1), pure. The one place that knows which library does it.
 *
 * The library accepts a signature whose scalar S was raised by the group order L; RFC 8032,
 * section 5.1.7, step 1 does not, and neither do other programs that read our notes. Such a
 * second spelling of a signature is refused here.
 */
import nacl from 'tweetnacl';
import { concat, equal } from '../bytes.ts';

export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** The order of the base point, 2^252 + 27742317777372353535851937790883648493, big-endian. */
const GROUP_ORDER = Uint8Array.of(
  ...[0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6],
  ...[0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed],
);

/** The public key of a 32-byte private seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return nacl.sign.keyPair.fromSeed(seed).publicKey;
}

/** The 64-byte signature of `message` by the key of `seed`. */
export function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return nacl.sign.detached(message, nacl.sign.keyPair.fromSeed(seed).secretKey);
}

/**
 * What fitted last, byte for byte. The proofs of a release carry the same checkpoint several
 * times over, and in a program that has just started each check takes some 10 ms.
 */
let fitted: Uint8Array = new Uint8Array(0);

/** Does `signature` by `publicKey` fit `message`? False for anything of the wrong length. */
export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const asked = concat(publicKey, signature, message);
  if (equal(asked, fitted)) return true;
  const fits =
    hasReducedScalar(signature) && nacl.sign.detached.verify(message, signature, publicKey);
  if (fits) fitted = asked;
  return fits;
}

/** Is S, the little-endian second half, below the group order? */
function hasReducedScalar(signature: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = signature[63 - i]! - GROUP_ORDER[i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
