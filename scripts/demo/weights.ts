/**
 * Real weights of a released model that come with `npm ci`: Spotify's basic-pitch 1.0.1
 * (Apache-2.0), which turns audio into notes. It ships for TensorFlow.js: a list of tensors
 * in `model.json` and their bytes, one after the other, in `group1-shard1of1.bin`. That is
 * safetensors but for the header, so the header is put in front, with the tensors in order.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

const DTYPES = { float32: 'F32', int32: 'I32' } as const;
/** Both kinds take four bytes. */
const WIDTH = 4;

/** Writes the model as a directory that could be published: weights, licence, model card. */
export function writeBasicPitch(directory: string): void {
  const source = dirname(
    createRequire(import.meta.url).resolve('@spotify/basic-pitch/package.json'),
  );
  const { weightsManifest } = JSON.parse(readFileSync(join(source, 'model/model.json'), 'utf8'));
  const [{ paths, weights }] = weightsManifest as [{ paths: [string]; weights: Weight[] }];
  mkdirSync(directory, { recursive: true });
  const data = readFileSync(join(source, 'model', paths[0]));
  writeFileSync(join(directory, 'model.safetensors'), withHeader(weights, data));
  writeFileSync(join(directory, 'LICENSE'), readFileSync(join(source, 'LICENSE')));
  writeFileSync(join(directory, 'README.md'), readFileSync(join(source, 'README.md')));
}

/** safetensors: u64-LE length of the header, the header (JSON), the bytes of the tensors. */
function withHeader(weights: readonly Weight[], data: Buffer): Buffer {
  let offset = 0;
  const tensors = weights.map(({ name, shape, dtype }) => {
    const begin = offset;
    offset += WIDTH * shape.reduce((product, side) => product * side, 1);
    return [name, { dtype: DTYPES[dtype], shape, data_offsets: [begin, offset] }];
  });
  if (offset !== data.length)
    throw new Error(`the weights have ${data.length} bytes, not ${offset}`);
  const json = JSON.stringify(Object.fromEntries(tensors));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8, ' '));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}
