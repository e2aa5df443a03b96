/**
 * `inspect` of a published release: the part of its bytes that come from the server, whatever
 * they are for (weights, documents, proofs, heads of answers), and its time beside a whole pull.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { countingProxy } from '../../../test/made/counting-proxy.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, median, type Part } from '../figure.ts';
import { madeWeights } from '../made-weights.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
/** Many shards, of which headers are read alone, and one, whose first chunk is read whole. */
const SHARDS = [8, 1];

export const part: Part = {
  about: 'inspect of a release over the network: bytes that are read, and time beside a pull',
  async *measure(bench) {
    const registry = await BenchRegistry.start(bench.folder);
    try {
      for (const shards of SHARDS) {
        const reference = `acme/bench@shards-${shards}`;
        registry.release(reference, madeWeights(bench.folder, { ...bench, shards, seed: 1 }));
        yield await shareOfBytes(bench, registry, reference);
        yield await besidePull(bench, registry, reference);
      }
    } finally {
      await registry.close();
    }
  },
};

async function shareOfBytes(
  bench: Bench,
  registry: BenchRegistry,
  reference: string,
): Promise<Figure> {
  const proxy = await countingProxy(() => registry.url);
  const runs: { readonly ours: number; readonly bytes: number }[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    const before = proxy.down;
    await registry.time(['inspect', reference, '--url', `http://127.0.0.1:${proxy.port}`]);
    const bytes = proxy.down - before;
    runs.push({ ours: bytes / bench.size, bytes });
  }
  await proxy.close();
  return {
    figure: `inspect, ${about(bench, reference)}, bytes from the server`,
    unit: 'of all',
    ours: Number(median(runs.map(({ ours }) => ours)).toPrecision(3)),
    atMost: 0.01,
    command: { ours: `weighhouse inspect ${reference}` },
    runs,
  };
}

async function besidePull(
  bench: Bench,
  registry: BenchRegistry,
  reference: string,
): Promise<Figure> {
  const folder = join(registry.folder, 'pulled');
  const runs = await takeTurns(bench.rounds, {
    ours: () => registry.time(['inspect', reference]),
    peer: () =>
      registry
        .time(['pull', reference, folder])
        .finally(() => rmSync(folder, { recursive: true, force: true })),
  });
  const command = { ours: `weighhouse inspect ${reference}`, peer: `weighhouse pull ${reference}` };
  const figure = `inspect, ${about(bench, reference)}, beside a pull`;
  return compare({ figure, unit: 's', command }, runs);
}

function about({ size }: Bench, reference: string): string {
  return `${size / MiB} MiB, ${reference}`;
}
