/**
 * The audit of a million entries over loopback: growth and hashing (every bundle, every hash
 * tile), in a process of its own beside a server of static files; and P-256 signatures on the
 * audit's threads beside `openssl speed` and bare `crypto.verify` in one thread.
 */
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { AuditThreads } from '../../../src/hashing/audit-threads.ts';
import { compiled } from '../compiled.ts';
import { type Bench, compare, type Figure, median, type Part, withoutPeer } from '../figure.ts';
import { madeLog } from '../made-log.ts';
import { findProgram } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const ENTRIES = 1_000_000;
const SIGNATURES = 20_000;
const COMMAND = { ours: 'npm run bench -- audit' };

export const part: Part = {
  about: 'audit of 10^6 entries over loopback, its memory, and its signatures',
  async *measure(bench) {
    yield* await measureGrowth(bench);
    yield await measureSignatures(bench);
  },
};

async function measureGrowth(bench: Bench): Promise<Figure[]> {
  const folder = madeLog(bench.folder, ENTRIES);
  const here = join(import.meta.dirname, '..');
  const dist = join(dirname(compiled(bench.folder)), '..', 'dist');
  const server = spawn(process.execPath, [join(here, 'static-server.ts'), folder]);
  const [port] = await once(server.stdout, 'data');
  const url = `http://127.0.0.1:${String(port).trim()}`;
  try {
    const runs = Array.from({ length: bench.rounds }, () => {
      const said = execFileSync(process.execPath, [join(here, 'follow-growth.mjs'), dist, url]);
      const { ok, seconds, mebibytes } = JSON.parse(said.toString());
      if (!ok) throw new Error('the audit found the made log wrong');
      return { seconds, mebibytes };
    });
    const about = { command: COMMAND, runs };
    const figure = 'audit of 10^6 entries over loopback, growth and hashing';
    const seconds = median(runs.map((run) => run.seconds));
    const mebibytes = median(runs.map((run) => run.mebibytes));
    return [
      { figure, unit: 's', ours: seconds, atMost: 6, ...about },
      { figure: `${figure}: memory`, unit: 'MiB', ours: mebibytes, atMost: 128, ...about },
    ];
  } finally {
    server.kill();
  }
}

async function measureSignatures(bench: Bench): Promise<Figure> {
  const openssl = findProgram('openssl');
  const cores = String(availableParallelism());
  const about = {
    figure: 'audit, P-256 signatures on all cores',
    unit: 'verifications/s',
    atLeast: 0.5,
    command: { ...COMMAND, peer: `openssl speed -multi ${cores} ecdsap256` },
  };
  if (openssl === undefined) return withoutPeer(about, 'openssl');
  const made = makeSignature();
  const threads = new AuditThreads();
  const runs = await takeTurns(bench.rounds, {
    ours: () =>
      rate(SIGNATURES, () => threads.host.verifyP256(made.spki, made.data, made.signature)),
    bare: () => rate(SIGNATURES / 4, async () => made.verify()),
    peer: async () => opensslRate(openssl, cores),
  });
  await threads.close();
  const bare = median(runs.map((run) => run.bare));
  bench.say(`  bare crypto.verify in one thread: ${Math.round(bare)} verifications/s`);
  return { ...compare(about, runs), runs };
}

function makeSignature() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  const data = new Uint8Array(600).fill(1);
  const signature = new Uint8Array(sign('sha256', data, privateKey));
  return { spki, data, signature, verify: () => verify('sha256', data, publicKey, signature) };
}

async function rate(count: number, check: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, check));
  if (!answers.every(Boolean)) throw new Error('a good signature was found bad');
  return count / ((performance.now() - begun) / 1000);
}

/** The last column of its table: verifications a second. */
function opensslRate(openssl: string, cores: string): number {
  const args = ['speed', '-seconds', '2', '-multi', cores, 'ecdsap256'];
  const said = execFileSync(openssl, args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  return Number(said.trim().split(/\s+/).at(-1));
}
