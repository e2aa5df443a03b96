/**
 * The element types of GGUF tensors (ggml.h, `enum ggml_type`). Quantised types come in
 * blocks: so many elements share so many bytes, and a row is a whole number of blocks.
 */
import { countElements } from './tensor.ts';

export interface GgmlType {
  readonly name: string;
  /** Elements of a block. */
  readonly blockElements: number;
  /** Bytes of a block. */
  readonly blockBytes: number;
}

/** number in the file, name, elements and bytes of a block */
const TYPES: readonly (readonly [number, string, number, number])[] = [
  [0, 'F32', 1, 4],
  [1, 'F16', 1, 2],
  [2, 'Q4_0', 32, 18],
  [3, 'Q4_1', 32, 20],
  [6, 'Q5_0', 32, 22],
  [7, 'Q5_1', 32, 24],
  [8, 'Q8_0', 32, 34],
  [9, 'Q8_1', 32, 40],
  [10, 'Q2_K', 256, 84],
  [11, 'Q3_K', 256, 110],
  [12, 'Q4_K', 256, 144],
  [13, 'Q5_K', 256, 176],
  [14, 'Q6_K', 256, 210],
  [15, 'Q8_K', 256, 292],
  [16, 'IQ2_XXS', 256, 66],
  [17, 'IQ2_XS', 256, 74],
  [18, 'IQ3_XXS', 256, 98],
  [19, 'IQ1_S', 256, 50],
  [20, 'IQ4_NL', 32, 18],
  [21, 'IQ3_S', 256, 110],
  [22, 'IQ2_S', 256, 82],
  [23, 'IQ4_XS', 256, 136],
  [24, 'I8', 1, 1],
  [25, 'I16', 1, 2],
  [26, 'I32', 1, 4],
  [27, 'I64', 1, 8],
  [28, 'F64', 1, 8],
  [29, 'IQ1_M', 256, 56],
  [30, 'BF16', 1, 2],
  [34, 'TQ1_0', 256, 54],
  [35, 'TQ2_0', 256, 66],
  [39, 'MXFP4', 32, 17],
  [40, 'NVFP4', 64, 36],
  [41, 'Q1_0', 128, 18],
];

/** By the number in the file. Numbers that ggml withdrew (4, 5, 31–33, 36–38) are not there. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map(
  TYPES.map(([id, name, blockElements, blockBytes]) => [id, { name, blockElements, blockBytes }]),
);

const BY_NAME: ReadonlyMap<string, GgmlType> = new Map(
  [...GGML_TYPES.values()].map((type) => [type.name, type]),
);

/** Bytes of a tensor, or undefined for an unknown type, a bad shape or a broken row. */
export function ggmlSize(name: string, shape: readonly number[]): number | undefined {
  const type = BY_NAME.get(name);
  const count = countElements(shape);
  if (type === undefined || count === undefined) return undefined;
  if ((shape[0] ?? 1) % type.blockElements !== 0) return undefined;
  const size = (count / type.blockElements) * type.blockBytes;
  return Number.isSafeInteger(size) ? size : undefined;
}
