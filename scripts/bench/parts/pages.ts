/**
 * What people are shown: how long a server takes for a page, and how much of it goes over the wire,
 * of a release of a thousand files.
 */
import { BenchRegistry } from '../bench-registry.ts';
import { median, type Part, percentile, tenths } from '../figure.ts';
import { FILES, manyFiles } from '../many-files.ts';
import { steadyLoad } from '../steady-load.ts';

const REFERENCE = 'acme/many@v1';
const LOAD = { perSecond: 100, seconds: 10 };
/** Milliseconds. */
const AT_MOST = 50;
/** Bytes of HTML. */
const MAX_BYTES = 50_000;
const PAGES = [
  { what: 'the first page', path: '/' },
  { what: 'a model’s page', path: '/acme/many' },
  { what: 'a release’s page', path: '/acme/many/v1' },
] as const;

export const part: Part = {
  about: 'pages of a release of 1,000 files, at 100 requests a second, and their size',
  async *measure(bench) {
    const registry = await BenchRegistry.start(bench.folder, { flags: ['--rate-limit', 'read=0'] });
    try {
      registry.release(REFERENCE, manyFiles(registry.folder));
      for (const { what, path } of PAGES) {
        const url = registry.url + path;
        await steadyLoad([url], { ...LOAD, seconds: 1 });
        const runs: { p99: number; median: number }[] = [];
        for (let round = 0; round < bench.rounds; round++) {
          const waits = await steadyLoad([url], LOAD);
          runs.push({ p99: tenths(percentile(waits, 0.99)), median: tenths(median(waits)) });
        }
        yield {
          figure: `${what} at ${LOAD.perSecond} requests/s: 99th percentile`,
          unit: 'ms',
          ours: median(runs.map(({ p99 }) => p99)),
          atMost: AT_MOST,
          command: { ours: 'npm run bench -- pages' },
          runs,
        };
        const { length } = Buffer.from(await (await fetch(url)).arrayBuffer());
        yield {
          figure: `${what}, of a release of ${FILES} files: HTML`,
          unit: 'bytes',
          ours: length,
          atMost: MAX_BYTES,
          command: { ours: 'npm run bench -- pages' },
          runs: [{ bytes: length }],
        };
      }
    } finally {
      await registry.close();
    }
  },
};
