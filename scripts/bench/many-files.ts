/** A release of a thousand files with a hundred thousand tensors, for answers that grow with either. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const FILES = 1_000;
const TENSORS_EACH = 100;

/** A folder of small files of safetensors below `parent`. */
export function manyFiles(parent: string): string {
  const folder = join(parent, 'many');
  mkdirSync(folder);
  for (let file = 0; file < FILES; file++) {
    const name = `model-${String(file + 1).padStart(5, '0')}-of-${String(FILES).padStart(5, '0')}`;
    writeFileSync(join(folder, `${name}.safetensors`), safetensors(file));
  }
  return folder;
}

/** The format of safetensors: the length of a JSON header, the header, the values. */
function safetensors(file: number): Buffer {
  const tensors = Array.from({ length: TENSORS_EACH }, (_, i) => {
    const about = { dtype: 'F32', shape: [1], data_offsets: [i * 4, i * 4 + 4] };
    return [`layers.${file}.${i}.weight`, about];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(tensors)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(TENSORS_EACH * 4, file)]);
}
