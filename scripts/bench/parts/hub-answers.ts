/**
 * What Hugging Face clients ask before they download, of a release of a thousand files with a
 * hundred thousand tensors: model information, and the first page of the tree.
 */
import { BenchRegistry } from '../bench-registry.ts';
import { median, type Part, percentile, tenths } from '../figure.ts';
import { FILES, manyFiles } from '../many-files.ts';
import { steadyLoad } from '../steady-load.ts';

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
