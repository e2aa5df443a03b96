/**
 * `push` with its seal, as a whole command, beside five passes of SHA-256 over the same bytes
 * on every core. That many there are: file and chunks by the client, parts as they arrive,
 * file and chunks again when the registry seals.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights } from '../made-weights.ts';
import { findProgram } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;
/** Passes of SHA-256 over every byte, from the folder to the sealed draft. */
const PASSES = 5;

export const part: Part = {
  about: 'push and seal, against five passes of openssl speed on all cores',
  async *measure(bench) {
    const registry = await BenchRegistry.start(bench.folder);
    try {
      yield await besideHashing(bench, registry);
    } finally {
      await registry.close();
    }
  },
};

async function besideHashing(bench: Bench, registry: BenchRegistry): Promise<Figure> {
  const openssl = findProgram('openssl');
  const speedOf = ['speed', '-multi', String(availableParallelism()), '-evp', 'sha256'];
  const about = {
    figure: `push and seal, ${bench.size / MiB} MiB in ${SHARDS} files, beside ${PASSES} passes of SHA-256`,
    unit: 'MB/s',
    atLeast: 0.5,
    command: {
      ours: 'weighhouse push DIR acme/bench@vN',
      peer: `openssl ${speedOf.join(' ')}, divided by ${PASSES}`,
    },
  };
  if (openssl === undefined) return withoutPeer(about, 'openssl');
  let pushed = 0;
  const runs = await takeTurns(bench.rounds, {
    // Other bytes each time: what the registry has already, it does not take again.
    ours: async () => {
      pushed += 1;
      const shape = { size: bench.size, shards: SHARDS, seed: 100 + pushed };
      const weights = madeWeights(registry.folder, shape);
      const seconds = await registry.time(['push', weights, `acme/bench@v${pushed}`]);
      return bench.size / 1e6 / seconds;
    },
    peer: async () => hashingSpeed(openssl, speedOf) / PASSES,
  });
  return compare(about, runs);
}

/** MB/s in blocks of 16 KiB: the last number of the last line, in thousands of bytes. */
function hashingSpeed(openssl: string, args: readonly string[]): number {
  const output = execFileSync(openssl, [...args, '-seconds', '1', '-bytes', '16384'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const number = /([0-9.]+)k\s*$/.exec(output.toString().trimEnd())?.[1];
  if (number === undefined) throw new Error(`openssl speed said no number: ${output}`);
  return Number(number) / 1000;
}
