/**
 * Weights of any size to measure with: safetensors shards with an index, filled from a seed.
 * The content is the key stream of AES-128 in counter mode: as fast as memory, never
 * compressible, the same for the same arguments.
 */
import { createCipheriv, createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface WeightsShape {
  /** Bytes of all shards together, headers included; a multiple of `shards` × 4096. */
  readonly size: number;
  readonly shards: number;
  readonly seed: number;
}

/** BF16 values in a tensor of 32 MiB, as models of some billion parameters have them. */
const TENSOR_SHAPE = [4096, 4096] as const;
const TENSOR_BYTES = 4096 * 4096 * 2;

/** The header is padded so that the data begins at a page. */
const PAGE = 4096;

const ZEROS = new Uint8Array(1024 * 1024);

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The directory below `folder` with such weights, made unless it is there already. */
export function madeWeights(folder: string, shape: WeightsShape): string {
  const { size, shards, seed } = shape;
  if (size % (shards * PAGE) !== 0) throw new Error(`size must be a multiple of ${shards * PAGE}`);
  const directory = join(folder, `weights-${size}-${shards}-${seed}`);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  writeModel(unfinished, shape);
  renameSync(unfinished, directory);
  return directory;
}

/** The names of the shards, in order. */
export function shardNames(shards: number): string[] {
  if (shards === 1) return ['model.safetensors'];
  const number = (n: number) => String(n).padStart(5, '0');
  return Array.from(
    { length: shards },
    (_, i) => `model-${number(i + 1)}-of-${number(shards)}.safetensors`,
  );
}

function writeModel(directory: string, { size, shards, seed }: WeightsShape): void {
  const weightMap: Record<string, string> = {};
  let total = 0;
  for (const [index, name] of shardNames(shards).entries()) {
    const tensors = writeShard(join(directory, name), size / shards, seed, index);
    for (const tensor of tensors) weightMap[tensor.name] = name;
    total += tensors.at(-1)?.end ?? 0;
  }
  writeFileSync(join(directory, 'config.json'), '{"model_type":"made"}\n');
  if (shards === 1) return;
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify(index));
}

function writeShard(path: string, size: number, seed: number, shard: number): Tensor[] {
  // One page holds the entries of some 40 tensors; the padding takes up the difference.
  const headerEnd = PAGE * Math.ceil((size / TENSOR_BYTES + 1) / 32);
  const tensors = layOut(size - headerEnd, shard);
  const file = openSync(path, 'w');
  try {
    writeSync(file, formatHeader(tensors, headerEnd));
    writeKeyStream(file, size - headerEnd, seed, shard);
  } finally {
    closeSync(file);
  }
  return tensors;
}

function layOut(bytes: number, shard: number): Tensor[] {
  const tensors: Tensor[] = [];
  for (let begin = 0; begin < bytes; ) {
    const end = Math.min(bytes, begin + TENSOR_BYTES);
    const shape = end - begin === TENSOR_BYTES ? TENSOR_SHAPE : [(end - begin) / 2];
    tensors.push({ name: `layers.${shard}.${tensors.length}.weight`, shape, begin, end });
    begin = end;
  }
  return tensors;
}

/** `end` bytes: the length, the JSON, spaces. */
function formatHeader(tensors: readonly Tensor[], end: number): Uint8Array {
  const entries = tensors.map(({ name, shape, begin, end }) => [
    name,
    { dtype: 'BF16', shape, data_offsets: [begin, end] },
  ]);
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.alloc(end, ' ');
  header.writeBigUInt64LE(BigInt(end - 8));
  if (header.write(json, 8) !== json.length) throw new Error('the header has too little room');
  return header;
}

function writeKeyStream(file: number, bytes: number, seed: number, shard: number): void {
  const key = createHash('sha256').update(`weights ${seed} ${shard}`).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16));
  for (let left = bytes; left > 0; left -= ZEROS.length) {
    writeSync(file, cipher.update(ZEROS.subarray(0, Math.min(left, ZEROS.length))));
  }
}
