/**
 * Bytes and the strict text forms of bytes. Each `parseX` accepts exactly what its
 * `formatX` writes and throws `bad-encoding` for everything else: a signature that is
 * read more leniently than it was written can be changed without being noticed.
 */
import { CodedError } from './error.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of `text`. Lone surrogates are refused, not replaced. */
export function utf8(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new CodedError('bad-encoding', 'text holds a lone surrogate');
  return encoder.encode(text);
}

/** The text of well-formed UTF-8 bytes; a byte order mark is kept as a character. */
export function parseUtf8(bytes: Uint8Array, what = 'text'): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new CodedError('bad-encoding', `${what} is not valid UTF-8`);
  }
}

/** One array holding all the parts, in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Byte equality. For public values only: it returns at the first difference. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal. */
export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of lower-case hexadecimal `text`; `length` in bytes when it is fixed. */
export function parseHex(text: string, length?: number): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text) || (length !== undefined && text.length !== 2 * length)) {
    throw new CodedError('bad-encoding', 'not lower-case hexadecimal of the right length');
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function formatBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

/** The bytes of canonical padded base64: unused bits must be zero, nothing else may stand there. */
export function parseBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new CodedError('bad-encoding', 'not base64');
  }
  if (btoa(binary) !== text) throw new CodedError('bad-encoding', 'not canonical padded base64');
  // A loop: `Uint8Array.from` takes ten times as long, and audits open much base64.
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Orders byte strings as memcmp does. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * Orders text by Unicode code point, as Python and Go sort. JavaScript's own `<` orders by
 * UTF-16 unit, which puts U+FFxx after the supplementary planes.
 */
export function compareCodePoints(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  let i = 0;
  while (i < shared && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === shared) return a.length - b.length;
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** A UTF-16 unit in the order of code points: surrogates, halves of U+10000 and up, come last. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Big-endian unsigned 64-bit form of a non-negative integer. */
export function formatUint64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
