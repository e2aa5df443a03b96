/**
 * What people have already: `hf download` and `oras pull` of a release, as whole commands, from
 * the registry and from nginx with the same bytes, which hashes nothing: as the first reader, for whom
 * the registry hashes what it sends, and as a later one, for whom it has done so a while ago.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installHuggingFaceHub } from '../../peers/hugging-face.ts';
import { installOras } from '../../peers/oci.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, type Part, withoutPeer } from '../figure.ts';
import { madeWeights, shardNames } from '../made-weights.ts';
import { Nginx } from '../nginx.ts';
import { findProgram, timeAll } from '../programs.ts';
import { type Stubbed, stubOf } from '../stub.ts';
import { takeTurns } from '../turns.ts';

const MiB = 1024 * 1024;
const SHARDS = 8;
const HUB_VERSION = '2.4.0';
const REFERENCE = 'acme/bench@v1';

/** How a client pulls the release from a server into a folder. */
interface Client {
  readonly name: string;
  command(url: string, folder: string): readonly string[];
  environment(url: string, folder: string): NodeJS.ProcessEnv;
}

export const part: Part = {
  about: 'hf download and oras pull, from the server and from nginx with the same bytes',
  async *measure(bench) {
    const nginx = findProgram('nginx');
    const weights = madeWeights(bench.folder, { size: bench.size, shards: SHARDS, seed: 1 });
    const registry = await BenchRegistry.start(bench.folder);
    try {
      registry.release(REFERENCE, weights);
      const peer = nginx === undefined ? undefined : await startStub(nginx, registry, weights);
      try {
        for (const client of await clients()) {
          yield await measure(bench, registry, peer, client, true);
          yield await measure(bench, registry, peer, client, false);
        }
      } finally {
        await peer?.close();
      }
    } finally {
      await registry.close();
    }
  },
};

async function measure(
  bench: Bench,
  registry: BenchRegistry,
  peer: Nginx | undefined,
  { name, command, environment }: Client,
  first: boolean,
): Promise<Figure> {
  const who = first ? 'the first reader' : 'a later reader';
  const about = {
    figure: `${name} of ${bench.size / MiB} MiB in ${SHARDS} files, ${who}, beside nginx with the same bytes`,
    unit: 'MB/s',
    atLeast: 0.9,
    command: { ours: name, peer: `${name}, from nginx` },
  };
  if (peer === undefined) return withoutPeer(about, 'nginx');
  const folder = join(registry.folder, 'pulled');
  const pull = async (url: string) => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const seconds = await timeAll([command(url, folder)], {
      ...process.env,
      ...environment(url, folder),
    });
    return bench.size / 1e6 / seconds;
  };
  const runs = await takeTurns(bench.rounds, {
    ours: () => {
      if (first) registry.touch();
      return pull(registry.url);
    },
    peer: () => pull(peer.url),
  });
  rmSync(folder, { recursive: true, force: true });
  return compare(about, runs);
}

async function clients(): Promise<Client[]> {
  const python = await installHuggingFaceHub(HUB_VERSION);
  const oras = await installOras();
  const hub = ['-m', 'huggingface_hub.cli.hf', 'download', 'acme/bench', '--local-dir'];
  return [
    {
      name: 'hf download',
      command: (_url, folder) => [python, ...hub, join(folder, 'model')],
      environment: (url, folder) => ({
        HF_ENDPOINT: url,
        HF_HOME: join(folder, 'home'),
        HF_HUB_DISABLE_UPDATE_CHECK: '1',
        HF_HUB_DISABLE_PROGRESS_BARS: '1',
        HF_HUB_DISABLE_TELEMETRY: '1',
      }),
    },
    {
      name: 'oras pull',
      command: (url, folder) => {
        const model = `${new URL(url).host}/acme/bench:v1`;
        return [oras, 'pull', '--plain-http', '--no-tty', '-o', join(folder, 'model'), model];
      },
      environment: () => ({}),
    },
  ];
}

/** nginx that answers both clients as the registry does. */
async function startStub(program: string, registry: BenchRegistry, weights: string) {
  const { url, folder } = registry;
  const documents = async (path: string) => (await fetch(url + path)).json();
  const { sha } = (await documents('/api/models/acme/bench/revision/main')) as { sha: string };
  const manifest = (await documents('/v2/acme/bench/manifests/v1')) as OciManifest;
  const onDisk = new Set([...shardNames(SHARDS), 'model.safetensors.index.json']);
  const file = (path: string) => (onDisk.has(path) ? { file: join(weights, path) } : {});
  const blobs = manifest.layers.map(
    ({ digest, annotations }): Stubbed => ({
      path: `/v2/acme/bench/blobs/${digest}`,
      ...file(annotations['org.opencontainers.image.title'] ?? ''),
    }),
  );
  const tree = `/api/models/acme/bench/tree/${sha}`;
  const listed = (await documents(`${tree}?recursive=true`)) as { path: string }[];
  const files = listed.map(
    ({ path }): Stubbed => ({ path: `/acme/bench/resolve/${sha}/${path}`, ...file(path) }),
  );
  const server = await stubOf(url, join(folder, 'stubbed'), [
    { path: '/api/models/acme/bench/revision/main' },
    { path: `/api/models/acme/bench/revision/${sha}` },
    { path: `${tree}?recursive=true` },
    { path: '/v2/' },
    { path: '/v2/acme/bench/manifests/v1' },
    { path: `/v2/acme/bench/blobs/${manifest.config.digest}` },
    ...blobs,
    ...files,
  ]);
  return Nginx.start(program, { parent: folder, server, probe: 'v2/' });
}

interface OciManifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly {
    readonly digest: string;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}
