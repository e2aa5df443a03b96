/** Weights in a few numbers, out of their signed inventory: what people ask of a model first. */
import type { Inventory, InventoryFormat } from './inventory.ts';
import { countByDtype } from './tensor.ts';

/** Inventories that are longer are not read for their sums; these have some 100,000 tensors. */
export const MAX_SUMMARISED_BYTES = 16 * 2 ** 20;

export interface WeightsSummary {
  readonly parameters: number;
  /** Parameters by dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** Files that hold them. */
  readonly shards: number;
  /** The quantised dtype that most parameters have, if most have one: `Q4_K`. */
  readonly quantization?: string;
}

/** Dtypes of ggml whose elements share a scale with their neighbours. */
const QUANTISED = /^(?:I?Q[0-9]|TQ[0-9]|MXFP|NVFP)/;

export function summariseWeights({ files }: Inventory): WeightsSummary {
  const dtypes = countByDtype(files.flatMap(({ tensors }) => tensors));
  const parameters = Object.values(dtypes).reduce((sum, count) => sum + count, 0);
  const [most] = Object.entries(dtypes).sort(([, a], [, b]) => b - a);
  const quantization = most !== undefined && QUANTISED.test(most[0]) ? most[0] : undefined;
  return {
    ...{ parameters, dtypes, shards: files.length },
    ...(quantization !== undefined && { quantization }),
  };
}

/** All of the weights, and of each format those that are in it. */
export interface WeightsSums {
  readonly whole: WeightsSummary;
  readonly byFormat: Readonly<Record<InventoryFormat, WeightsSummary>>;
}

export function sumWeights({ files }: Inventory): WeightsSums {
  const of = (format: InventoryFormat) =>
    summariseWeights({ files: files.filter((file) => file.format === format) });
  return {
    whole: summariseWeights({ files }),
    byFormat: { safetensors: of('safetensors'), gguf: of('gguf') },
  };
}

/** `8030261248` → `8B`, `7241732096` → `7.2B`; undefined below a thousand. (ModelPack, model config, `paramSize`) */
export function paramSize(count: number): string | undefined {
  for (const [unit, letter] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const) {
    if (count >= unit) return `${Math.round((count / unit) * 10) / 10}${letter}`;
  }
  return undefined;
}
