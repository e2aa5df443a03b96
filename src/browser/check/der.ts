/**
 * ECDSA signatures in the two forms that there are. Envelopes have the DER of RFC 3279, section
 * 2.2.3; Web Crypto takes the two numbers alone, each of the curve's length (IEEE P1363).
 *
 *     30 44 02 20 <r, 32 bytes> 02 20 <s, 32 bytes>     ↔     r ‖ s, 64 bytes
 */
import { isSignature } from '../../core/statement/signature.ts';

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

/** The DER of `r ‖ s`, as Web Crypto signs. */
export function derSignature(raw: Uint8Array): Uint8Array {
  const numbers = [raw.subarray(0, NUMBER), raw.subarray(NUMBER)].map(integerOf);
  const body = numbers.flatMap((number) => [0x02, number.length, ...number]);
  return Uint8Array.from([0x30, body.length, ...body]);
}

/** A positive number in as few bytes as it takes. */
function integerOf(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  const bytes = number.subarray(first);
  return bytes[0]! < 0x80 ? bytes : Uint8Array.from([0, ...bytes]);
}

/** The number without the zero before it that says that it is not negative, and where it begins. */
function numberIn(integer: Uint8Array, end: number): [number: Uint8Array, at: number] {
  const number = integer[0] === 0 ? integer.subarray(1) : integer;
  return [number, end - number.length];
}
