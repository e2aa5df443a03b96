/**
 * The index over a log of a million entries: built anew, and found again by a start. A quarter
 * of the entries are releases, whose manifests are handed over from memory. Then a whole server,
 * whose log is filled up with commitments: how long a start takes that finds its index.
 */
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../../src/core/release/manifest.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { openCatalogue } from '../../../src/index/open.ts';
import { openLogReader } from '../../../src/log/reader.ts';
import { openStore } from '../../../src/open-store.ts';
import type { Store } from '../../../src/store/contract.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, type Figure, median, type Part } from '../figure.ts';
import { fillLog } from '../filled-log.ts';
import { madeLog } from '../made-log.ts';

const ENTRIES = 1_000_000;
const COMMAND = { ours: 'npm run bench -- index' };

export const part: Part = {
  about: 'the index of 10^6 entries: rebuild, and start; the start of a server with it',
  async *measure(bench) {
    const store = staticStore(madeLog(bench.folder, ENTRIES));
    const path = join(bench.folder, 'index.sqlite');
    const runs = [];
    for (let round = 0; round < bench.rounds; round++) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
      runs.push({ rebuild: await timeOpening(path, store), start: await timeOpening(path, store) });
    }
    const about = { unit: 's', command: COMMAND, runs };
    const rebuild = median(runs.map((run) => run.rebuild));
    const start = median(runs.map((run) => run.start));
    yield { figure: 'rebuild of the index of 10^6 entries', ours: rebuild, atMost: 60, ...about };
    yield { figure: 'start of the index of 10^6 entries', ours: start, atMost: 3, ...about };
    yield await startOfServer(bench);
  },
};

/** From the command to `listening on`, with everything that a start reads and compares. */
async function startOfServer(bench: Bench): Promise<Figure> {
  const registry = await BenchRegistry.start(bench.folder);
  try {
    await registry.stop();
    const { store, keys } = BenchRegistry.places(registry.folder);
    await fillLog(await openStore(store), keys, ENTRIES);
    const runs = [];
    // The first builds the index, and is no start that finds it.
    for (let round = 0; round <= bench.rounds; round++) {
      const start = await registry.restart();
      if (round > 0) runs.push({ start });
      if (round < bench.rounds) await registry.stop();
    }
    const figure = 'start of a server on a log of 10^6 entries, with its index';
    const ours = median(runs.map(({ start }) => start));
    return { figure, unit: 's', ours, atMost: 3, command: COMMAND, runs };
  } finally {
    await registry.close();
  }
}

async function timeOpening(path: string, store: Store): Promise<number> {
  const begun = performance.now();
  const log = openLogReader(store, nodeHost);
  const catalogue = await openCatalogue(path, log, async () => MANIFEST, { every: 0 });
  const seconds = (performance.now() - begun) / 1000;
  if (catalogue.size() !== ENTRIES) throw new Error('the index is not complete');
  catalogue.close();
  return seconds;
}

/** As much of a store as a log reader uses, over static files. */
function staticStore(directory: string): Store {
  const get: Store['get'] = async (key) => {
    const bytes = await readFile(join(directory, key)).catch(() => undefined);
    return bytes && { bytes: new Uint8Array(bytes), version: '' as never };
  };
  return { name: directory, get } as unknown as Store;
}

const MANIFEST = {
  size: 10,
  files: [{ path: 'model.safetensors', sha256: `sha256:${'a'.repeat(64)}`, format: 'safetensors' }],
} as unknown as Manifest;
