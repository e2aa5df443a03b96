/**
 * What Hugging Face clients ask before they download, of a release of a thousand files with a
 * hundred thousand tensors: model information, and the first page of the tree.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchRegistry } from '../bench-registry.ts';
import { median, type Part, percentile } from '../figure.ts';
import { steadyLoad } from '../steady-load.ts';

const FILES = 1_000;
const TENSORS_EACH = 100;
const REFERENCE = 'acme/many@v1';
const LOAD = { perSecond: 200, seconds: 10 };
/** Milliseconds. */
const AT_MOST = 20;
const ASKED = [
  { what: 'model information', paths: ['/api/models/acme/many'] },
  { what: 'model information with sizes', paths: ['/api/models/acme/many?blobs=true'] },
  { what: 'the tree', paths: ['/api/models/acme/many/tree/main?recursive=true'] },
] as const;

export const part: Part = {
  about:
    'model information and trees of 1,000 files with 100,000 tensors, at 200 requests a second',
  async *measure(bench) {
    // Whoever asks here is one caller.
    const registry = await BenchRegistry.start(bench.folder, { flags: ['--rate-limit', 'read=0'] });
    try {
      registry.release(REFERENCE, manyFiles(registry.folder));
      for (const { what, paths } of ASKED) {
        const urls = paths.map((path) => registry.url + path);
        await steadyLoad(urls, { ...LOAD, seconds: 1 });
        const runs: { p99: number; median: number }[] = [];
        for (let round = 0; round < bench.rounds; round++) {
          const waits = await steadyLoad(urls, LOAD);
          runs.push({ p99: tenths(percentile(waits, 0.99)), median: tenths(median(waits)) });
        }
        yield {
          figure: `${what} of ${FILES} files at ${LOAD.perSecond} requests/s: 99th percentile`,
          unit: 'ms',
          ours: median(runs.map(({ p99 }) => p99)),
          atMost: AT_MOST,
          command: { ours: 'npm run bench -- hub-answers' },
          runs,
        };
      }
    } finally {
      await registry.close();
    }
  },
};

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** A folder of small files of safetensors below `parent`. */
function manyFiles(parent: string): string {
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
