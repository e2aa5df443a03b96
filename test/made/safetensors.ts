/** Makes small safetensors files, right ones and, piece by piece, wrong ones. */
import { concat, utf8 } from '../../src/core/bytes.ts';
import { safetensorsSize } from '../../src/core/weights/safetensors.ts';

export interface MadeTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** By default bytes that count up, so that no two tensors look alike. */
  readonly bytes?: Uint8Array;
}

/** A well-formed file with the tensors in the given order. */
export function makeSafetensors(
  tensors: Readonly<Record<string, MadeTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = metadata === undefined ? [] : [['__metadata__', metadata]];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    const content = bytes ?? countingBytes(safetensorsSize(dtype, shape)!, offset);
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + content.length] }]);
    parts.push(content);
    offset += content.length;
  }
  return frameSafetensors(JSON.stringify(Object.fromEntries(entries)), concat(...parts));
}

/** Any header text before any data, under the header's true length unless another is given. */
export function frameSafetensors(
  header: string | Uint8Array,
  content: Uint8Array = new Uint8Array(0),
  length?: bigint,
): Uint8Array {
  const bytes = typeof header === 'string' ? utf8(header) : header;
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, length ?? BigInt(bytes.length), true);
  return concat(prefix, bytes, content);
}

/** `size` bytes that count up from `start`. */
export function countingBytes(size: number, start = 0): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (start + i * 7 + 1) & 0xff);
}
