import { expect, test } from '@jest/globals';
import type { InventoryFile } from '../../../src/core/weights/inventory.ts';
import { paramSize, summariseWeights } from '../../../src/core/weights/summary.ts';

/** A file of tensors with those dtypes, each of so many elements. */
function file(path: string, ...tensors: readonly [dtype: string, elements: number][]) {
  return {
    path,
    format: 'gguf',
    tensors: tensors.map(([dtype, elements], i) => ({ name: `${i}`, dtype, shape: [elements] })),
  } as unknown as InventoryFile;
}

test('parameters are counted by dtype, over all files that hold them', () => {
  const files = [file('a', ['F32', 10], ['Q4_K', 5]), file('b', ['Q4_K', 20])];
  expect(summariseWeights({ files })).toEqual({
    parameters: 35,
    dtypes: { F32: 10, Q4_K: 25 },
    shards: 2,
    quantization: 'Q4_K',
  });
});

test.each([
  ['Q8_0', true],
  ['IQ2_XXS', true],
  ['MXFP4', true],
  ['BF16', false],
  ['F8_E4M3', false],
  ['I8', false],
])('most parameters are %s: quantised %p', (dtype, isQuantised) => {
  const { quantization } = summariseWeights({ files: [file('a', [dtype, 3], ['F32', 2])] });
  expect(quantization).toBe(isQuantised ? dtype : undefined);
});

test('a few quantised tensors do not make a model quantised; none has nothing', () => {
  const { quantization } = summariseWeights({ files: [file('a', ['F16', 3], ['Q4_0', 2])] });
  expect(quantization).toBeUndefined();
  expect(summariseWeights({ files: [] })).toEqual({ parameters: 0, dtypes: {}, shards: 0 });
});

test.each([
  [999, undefined],
  [1_000, '1K'],
  [137_022_720, '137M'],
  [7_241_732_096, '7.2B'],
  [8_030_261_248, '8B'],
  [1_040_000_000_000, '1T'],
])('%d parameters are %s', (count, said) => {
  expect(paramSize(count)).toBe(said);
});
