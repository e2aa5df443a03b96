/**
 * ECDSA signatures in the two forms that there are. Envelopes have the DER of RFC 3279, section
 * 2.2.3; Web Crypto takes the two numbers alone, each of the curve's length (IEEE P1363).
 *
 *     30 44 02 20 <r, 32 bytes> 02 20 <s, 32 bytes>     →     r ‖ s, 64 bytes
 */
import { isSignature } from '../../core/statement/dsse.ts';

/** Bytes of a number of P-256. */
const NUMBER = 32;

/** `r ‖ s` of a P-256 signature in DER; undefined for what the core takes for none. */
export function rawSignature(der: Uint8Array): Uint8Array | undefined {
  if (!isSignature(der)) return undefined;
  const middle = 4 + der[3]!;
  const raw = new Uint8Array(2 * NUMBER);
  raw.set(...numberIn(der.subarray(4, middle), NUMBER));
  raw.set(...numberIn(der.subarray(middle + 2), 2 * NUMBER));
  return raw;
}

/** The number without the zero before it that says that it is not negative, and where it begins. */
function numberIn(integer: Uint8Array, end: number): [number: Uint8Array, at: number] {
  const number = integer[0] === 0 ? integer.subarray(1) : integer;
  return [number, end - number.length];
}
