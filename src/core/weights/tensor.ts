/** What every weight format comes down to: named arrays of numbers at places in a file. */
import { compareCodePoints } from '../bytes.ts';

export interface Tensor {
  readonly name: string;
  /** As the format writes it: `BF16` in safetensors, `Q4_K` in GGUF. */
  readonly dtype: string;
  /** As the file writes it; GGUF has the innermost dimension first. */
  readonly shape: readonly number[];
  /** Of the first byte, from the beginning of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** Elements of a shape, 1 for `[]`; undefined when that is no safe integer at any step. */
export function countElements(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) return undefined;
    count *= dimension;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** How many elements tensors have together, by dtype. */
export function countByDtype(
  tensors: Iterable<Pick<Tensor, 'dtype' | 'shape'>>,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { dtype, shape } of tensors) {
    counts[dtype] = (counts[dtype] ?? 0) + (countElements(shape) ?? 0);
  }
  return counts;
}

/** The order of tensors everywhere: as they lie in the file; the empty ones at one place by name. */
export function compareTensors(a: Tensor, b: Tensor): number {
  return a.offset - b.offset || a.size - b.size || compareCodePoints(a.name, b.name);
}
