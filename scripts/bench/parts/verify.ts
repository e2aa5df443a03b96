/**
 * `verify` of a pulled release, as a whole command, beside programs that hash the same bytes.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BenchRegistry } from '../bench-registry.ts';
import { SOURCES } from '../compiled.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights } from '../made-weights.ts';
import { OPENSSL_COMMAND, timeOpenssl } from '../openssl.ts';
import { findProgram, run, timeAll } from '../programs.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;

const REFERENCE = 'acme/bench@v';

export const part: Part = {
  about: 'verify of a release in memory, against openssl on all cores and model_signing',
  async *measure(bench) {
    const registry = await BenchRegistry.start(bench.folder);
    try {
      const shards = pulled(bench, registry, SHARDS);
      yield await besideOpenssl(bench, registry, shards, SHARDS);
      yield await besideModelSigning(bench, registry, shards);
      yield await besideOpenssl(bench, registry, pulled(bench, registry, 1), 1);
      yield await fromSources(bench, registry, shards);
    } finally {
      await registry.close();
    }
  },
};

/** Made weights, published and pulled again: the folder. */
function pulled(bench: Bench, registry: BenchRegistry, shards: number): string {
  const weights = madeWeights(bench.folder, { size: bench.size, shards, seed: 1 });
  const folder = join(registry.folder, `pulled-${shards}`);
  registry.release(`${REFERENCE}${shards}`, weights);
  registry.run(['pull', `${REFERENCE}${shards}`, folder]);
  return folder;
}

/** The bare start of a process is taken off: openssl has none to speak of. */
async function besideOpenssl(
  bench: Bench,
  registry: BenchRegistry,
  directory: string,
  shards: number,
): Promise<Figure> {
  const openssl = findProgram('openssl');
  const about = {
    figure: `verify, ${bench.size / MiB} MiB in ${shards} files, start of the process taken off`,
    unit: 'MB/s',
    atLeast: 0.9,
    command: { ours: 'weighhouse verify DIR − node -e 0', peer: OPENSSL_COMMAND },
  };
  if (openssl === undefined) return withoutPeer(about, 'openssl');
  const speed = (seconds: number) => bench.size / 1e6 / seconds;
  const runs = await takeTurns(bench.rounds, {
    ours: async () => speed((await registry.time(['verify', directory])) - (await timeBareStart())),
    peer: async () => speed(await timeOpenssl(openssl, bench.folder, bench.size)),
  });
  return compare(about, runs);
}

/** Both as whole commands, each with its start. */
async function besideModelSigning(
  bench: Bench,
  registry: BenchRegistry,
  directory: string,
): Promise<Figure> {
  const modelSigning = findProgram('model_signing');
  const openssl = findProgram('openssl');
  const about = {
    figure: `verify, ${bench.size / MiB} MiB in ${SHARDS} files, whole commands`,
    unit: 'MB/s',
    atLeast: 1.4,
    command: { ours: 'weighhouse verify DIR', peer: 'model_signing verify key DIR' },
  };
  if (modelSigning === undefined) return withoutPeer(about, 'model_signing');
  if (openssl === undefined) return withoutPeer(about, 'openssl');
  const weights = madeWeights(bench.folder, { size: bench.size, shards: SHARDS, seed: 1 });
  const signed = await signModel(modelSigning, openssl, bench.folder, weights);
  const speed = (seconds: number) => bench.size / 1e6 / seconds;
  const runs = await takeTurns(bench.rounds, {
    ours: async () => speed(await registry.time(['verify', directory])),
    peer: async () => speed(await timeAll([signed.verify])),
  });
  return compare(about, runs);
}

/** The same command in a checkout, where Node takes the types out of the sources first. */
async function fromSources(
  bench: Bench,
  registry: BenchRegistry,
  directory: string,
): Promise<Figure> {
  const runs = await takeTurns(bench.rounds, {
    ours: () => registry.time(['verify', directory], SOURCES),
    peer: () => registry.time(['verify', directory]),
  });
  return compare(
    {
      figure: `verify from the sources, ${bench.size / MiB} MiB in ${SHARDS} files, beside compiled`,
      unit: 's',
      command: { ours: 'bin/weighhouse.js of a checkout', peer: 'the compiled program' },
    },
    runs,
  );
}

function timeBareStart(): Promise<number> {
  return timeAll([[process.execPath, '-e', '0']]);
}

/** Signs `directory` with a fresh key; gives the command that verifies the signature. */
async function signModel(
  modelSigning: string,
  openssl: string,
  folder: string,
  directory: string,
): Promise<{ verify: string[] }> {
  const keys = join(folder, 'model-signing');
  mkdirSync(keys, { recursive: true });
  const [privateKey, publicKey] = [join(keys, 'private.pem'), join(keys, 'public.pem')];
  const signature = join(keys, 'model.sig');
  const curve = ['-name', 'prime256v1', '-noout'];
  await run([openssl, 'ecparam', ...curve, '-genkey', '-out', privateKey]);
  await run([openssl, 'ec', '-in', privateKey, '-pubout', '-out', publicKey]);
  const where = ['--signature', signature, directory];
  await run([modelSigning, 'sign', 'key', '--private_key', privateKey, ...where]);
  return { verify: [modelSigning, 'verify', 'key', '--public_key', publicKey, ...where] };
}
