/**
 * What monitors, mirrors and auditors ask for: one full tile, and the checkpoint, of one server
 * with a log of a hundred thousand entries, beside nginx with the same bytes in files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openDirectory } from '../../../src/store/directory.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { fillLog } from '../filled-log.ts';
import { Nginx } from '../nginx.ts';
import { findProgram } from '../programs.ts';
import { takeTurns } from '../turns.ts';
import { Wrk } from '../wrk.ts';

const ENTRIES = 100_000;
const CHECKPOINT = 'log/checkpoint';
const ASKED = [
  { what: 'a tile of 8 KiB', path: 'log/tile/0/100' },
  { what: 'the checkpoint', path: CHECKPOINT },
] as const;

export const part: Part = {
  about: 'tiles and checkpoints of one server, answers a second, against nginx',
  async *measure(bench) {
    const [program, nginx] = [findProgram('wrk'), findProgram('nginx')];
    // nginx keeps no log of requests either.
    const environment = { WEIGHHOUSE_LOG_LEVEL: 'warn' };
    const registry = await BenchRegistry.start(bench.folder, { environment });
    try {
      await registry.stop();
      const { store, keys } = BenchRegistry.places(registry.folder);
      await fillLog(await openDirectory(store), keys, ENTRIES);
      await registry.restart();
      const files = join(registry.folder, 'files');
      for (const { path } of ASKED) await save(`${registry.url}/${path}`, join(files, path));
      const peer =
        nginx === undefined
          ? undefined
          : await Nginx.start(nginx, {
              parent: registry.folder,
              server: `root ${files};`,
              probe: CHECKPOINT,
            });
      try {
        const wrk = program === undefined ? undefined : new Wrk(program, registry.folder);
        for (const asked of ASKED)
          yield await besideNginx(bench, registry, { wrk, peer, ...asked });
      } finally {
        await peer?.close();
      }
    } finally {
      await registry.close();
    }
  },
};

interface Contest {
  readonly wrk: Wrk | undefined;
  readonly peer: Nginx | undefined;
  readonly what: string;
  readonly path: string;
}

async function besideNginx(
  bench: Bench,
  registry: BenchRegistry,
  { wrk, peer, what, path }: Contest,
): Promise<Figure> {
  const about = {
    figure: `${what}, asked for over 64 connections, beside nginx`,
    unit: 'answers/s',
    atLeast: 0.5,
    command: { ours: `wrk -t1 -c64 URL/${path}`, peer: `wrk -t1 -c64 URL of nginx/${path}` },
  };
  if (wrk === undefined) return withoutPeer(about, 'wrk');
  if (peer === undefined) return withoutPeer(about, 'nginx');
  const runs = await takeTurns(bench.rounds, {
    ours: () => wrk.rate([registry.url], [`/${path}`]),
    peer: () => wrk.rate([peer.url], [`/${path}`]),
  });
  return compare(about, runs);
}

async function save(url: string, path: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.from(await response.arrayBuffer()));
}
