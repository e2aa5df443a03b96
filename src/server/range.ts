/**
 * The `Range` header (RFC 9110, section 14), as far as it is honoured: one range of bytes.
 *
 *     bytes=0-499    the first 500         bytes=500-    all but the first 500
 *     bytes=-500     the last 500, or all there are
 *
 * Anything else is answered with the whole file, as section 14.2 allows: several ranges, other
 * units, nonsense. Against thousands of overlapping ranges there is no other defence.
 */
import type { ByteRange } from '../store/contract.ts';

const ONE_RANGE = /^bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))$/i;

/** The range of a file of `size` bytes that is asked for; undefined for the whole file. */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last, suffix] = ONE_RANGE.exec(header ?? '') ?? [];
  if (suffix !== undefined) return between(size - Math.min(Number(suffix), size), size, size);
  if (first === undefined) return undefined;
  const offset = Number(first);
  const end = last ? Number(last) + 1 : size;
  if (last && end <= offset) return undefined;
  return between(offset, Math.min(end, size), size);
}

function between(offset: number, end: number, size: number): ByteRange | 'unsatisfiable' {
  return offset < size ? { offset, length: end - offset } : 'unsatisfiable';
}
