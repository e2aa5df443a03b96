/** Publishes weights as a seal would have found them: with formats and a tensor inventory. */
import { utf8 } from '../../src/core/bytes.ts';
import { digestBytes, digestOf } from '../../src/core/digest.ts';
import { parseFilePath } from '../../src/core/release/path.ts';
import { inspectFile } from '../../src/core/weights/inspect.ts';
import { formatInventory, type Inventory } from '../../src/core/weights/inventory.ts';
import { readerOf } from '../../src/core/weights/reader.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { inventoryOf } from '../../src/registry/sealed.ts';
import { GGUF, ggufKey, ggufString, makeGguf } from './gguf.ts';
import { noise } from './noise.ts';
import { makeSafetensors } from './safetensors.ts';
import type { Contents, ServedRegistry } from './served-registry.ts';

/** What a seal may get wrong, for tests of who notices. */
type Forge = (inventory: Inventory) => Inventory;

export async function publishWeights(
  served: ServedRegistry,
  reference: string,
  files: Contents,
  forge: Forge = (honest) => honest,
): Promise<void> {
  const paths = Object.keys(files).sort();
  const read = await Promise.all(paths.map((path) => readBack(path, files[path]!)));
  const inventory = formatInventory(forge({ files: inventoryOf(read) }));
  const tensors = { sha256: digestOf(nodeHost, inventory), size: inventory.length };
  const formats = Object.fromEntries(
    read.map(({ inspection }) => [inspection.path, inspection.format]),
  );
  served.publish(reference, files, { formats, tensors }, inventory);
}

async function readBack(path: string, bytes: Uint8Array) {
  const inspection = await inspectFile(parseFilePath(path), readerOf(bytes));
  const digests = (inspection.tensors ?? []).map(({ offset, size }) =>
    digestBytes(digestOf(nodeHost, bytes.subarray(offset, offset + size))),
  );
  return { inspection, tensors: Buffer.concat(digests) };
}

/** So small that the chunks in which its headers lie are read whole. */
export const SMALL: Contents = {
  'config.json': utf8('{"model_type":"tiny"}'),
  'model.safetensors': makeSafetensors(
    { v: { dtype: 'F32', shape: [64, 64] }, w: { dtype: 'BF16', shape: [3] } },
    { format: 'pt' },
  ),
  'vocabulary.gguf': makeGguf({
    keys: [ggufKey('general.architecture', GGUF.string, ggufString('llama'))],
  }),
};

/** Of so many shards that their headers are read alone. */
export const SHARDED: Contents = Object.fromEntries(
  ['a', 'b', 'c'].map((name, seed) => {
    const size = 3 * 2 ** 20;
    const tensor = { dtype: 'U8', shape: [size], bytes: noise(seed, size) };
    return [`${name}.safetensors`, makeSafetensors({ [name]: tensor }, { format: 'pt' })];
  }),
);
