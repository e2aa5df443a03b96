/** OCI clients on a registry: pull, discover, copy, with nothing but its address. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installModelSigning } from '../../scripts/peers/model-signing.ts';
import {
  installCrane,
  installOras,
  installRegctl,
  installSkopeo,
  unpackContainerd,
} from '../../scripts/peers/oci.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 60_000;
const WEIGHTS = makeSafetensors({ 'layer.weight': { dtype: 'F32', shape: [4, 2] } });
const FILES = { 'README.md': '# Tiny\n', 'onnx/deep/model.safetensors': WEIGHTS };

let sandbox: Sandbox;
let host: string;
let oras: string;
let crane: string;
let regctl: string;
let skopeo: string;
let containerd: string;
let modelSigning: string;
let stop: () => Promise<unknown>;

beforeAll(async () => {
  oras = await installOras();
  crane = await installCrane();
  regctl = await installRegctl();
  skopeo = await installSkopeo();
  containerd = await unpackContainerd();
  modelSigning = await installModelSigning();
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  host = new URL(server.url).host;
  await sandbox.trust(made);
  await sandbox.publish('acme/tiny@1', FILES);
}, INSTALLING_MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

async function run(program: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sandbox.spawn(program, args).ended;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

async function tree(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

describe('oras', () => {
  test(
    'pulls the files, and the signature that hangs on them, for model_signing',
    async () => {
      const folder = sandbox.path('oras');
      await run(oras, 'pull', '--plain-http', `${host}/acme/tiny:1`, '-o', folder);
      expect(await tree(folder)).toEqual(Object.keys(FILES));
      const weights = await readFile(join(folder, 'onnx/deep/model.safetensors'));
      expect(new Uint8Array(weights)).toEqual(WEIGHTS);

      const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
      const found = JSON.parse(
        await run(
          oras,
          ...['discover', '--plain-http', '--format', 'json', '--artifact-type', type],
          `${host}/acme/tiny:1`,
        ),
      );
      const [referrer] = found.referrers ?? found.manifests;
      const reference = `${host}/acme/tiny@${referrer.digest}`;
      await run(oras, 'pull', '--plain-http', reference, '-o', folder);
      const { stdout: pem } = await sandbox.run('trust', 'export', '--format', 'pem');
      await sandbox.write('.', { 'registry.pem': pem });
      const keys = ['--signature', `${folder}/model.sig`, '--public_key', 'registry.pem'];
      await run(modelSigning, '-m', 'model_signing', 'verify', 'key', ...keys, folder);
    },
    RUNNING_MS,
  );

  test(
    'pulls from an exported layout, and discovers the signature in it',
    async () => {
      await sandbox.json('export', 'acme/tiny@1', '--oci-layout', 'layout');
      await run(oras, 'pull', '--oci-layout', 'layout:1', '-o', sandbox.path('from-layout'));
      expect(await tree(sandbox.path('from-layout'))).toEqual(Object.keys(FILES));
      const found = await run(oras, 'discover', '--oci-layout', 'layout:1');
      expect(found).toContain('application/vnd.dev.sigstore.bundle.v0.3+json');
    },
    RUNNING_MS,
  );

  test(
    'lists tags and repositories',
    async () => {
      const tags = await run(oras, 'repo', 'tags', '--plain-http', `${host}/acme/tiny`);
      expect(tags.trim().split('\n')).toEqual(['1', 'latest']);
      expect((await run(oras, 'repo', 'ls', '--plain-http', host)).trim()).toBe('acme/tiny');
    },
    RUNNING_MS,
  );

  test(
    'is told how a release is made when it pushes',
    async () => {
      await sandbox.write('pushed', { 'a.txt': 'a' });
      const args = ['push', '--plain-http', `${host}/acme/tiny:2`, 'pushed/a.txt:text/plain'];
      const { status, stderr } = await sandbox.spawn(oras, args).ended;
      expect(status).not.toBe(0);
      expect(stderr).toContain('weighhouse push DIR REF');
    },
    RUNNING_MS,
  );
});

describe('crane', () => {
  test(
    'finds the artifact whole: every digest and size that it names',
    async () => {
      const digest = (await run(crane, 'digest', '--insecure', `${host}/acme/tiny:latest`)).trim();
      const manifest = JSON.parse(
        await run(crane, 'manifest', '--insecure', `${host}/acme/tiny@${digest}`),
      );
      expect(manifest.layers).toHaveLength(Object.keys(FILES).length);
      await run(crane, 'blob', '--insecure', `${host}/acme/tiny@${manifest.layers[0].digest}`);
      const tags = await run(crane, 'ls', '--insecure', `${host}/acme/tiny`);
      expect(tags.trim().split('\n')).toEqual(['1', 'latest']);
    },
    RUNNING_MS,
  );
});

describe('skopeo', () => {
  test(
    'copies the release into a layout, checking every digest, and lists tags',
    async () => {
      const model = `docker://${host}/acme/tiny`;
      const layout = sandbox.path('copied');
      await run(skopeo, 'copy', '--src-tls-verify=false', `${model}:1`, `oci:${layout}:1`);
      const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
      const digest = (await run(crane, 'digest', '--insecure', `${host}/acme/tiny:1`)).trim();
      expect(manifests[0].digest).toBe(digest);
      const tags = await run(skopeo, 'list-tags', '--tls-verify=false', model);
      expect(JSON.parse(tags).Tags).toEqual(['1', 'latest']);
    },
    RUNNING_MS,
  );
});

describe('regctl', () => {
  test(
    'gets the files, and the tree of what speaks about them',
    async () => {
      const plain = ['--host', `reg=${host},tls=disabled`];
      const model = `${host}/acme/tiny:1`;
      const folder = sandbox.path('regctl');
      await mkdir(folder);
      await run(regctl, 'artifact', 'get', ...plain, '--output', folder, model);
      expect(await tree(folder)).toEqual(Object.keys(FILES));
      const shown = await run(regctl, 'artifact', 'tree', ...plain, model);
      expect(shown).toContain('application/vnd.dev.sigstore.bundle.v0.3+json');
      const tags = await run(regctl, 'tag', 'ls', ...plain, `${host}/acme/tiny`);
      expect(tags.trim().split('\n')).toEqual(['1', 'latest']);
    },
    RUNNING_MS,
  );
});

describe('containerd', () => {
  const socket = () => sandbox.path('containerd.sock');
  const ctr = (...args: string[]) =>
    sandbox.spawn(join(containerd, 'ctr'), ['--address', socket(), ...args]).ended;

  test(
    'fetches the manifest and all that it names into its content store',
    async () => {
      const root = sandbox.path('containerd');
      const config = [
        ...['version = 2', `root = "${root}"`, `state = "${sandbox.path('state')}"`],
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        ...['[grpc]', `address = "${socket()}"`],
      ];
      await sandbox.write('.', { 'containerd.toml': config.join('\n') });
      const args = ['--config', sandbox.path('containerd.toml')];
      const { child, ended } = sandbox.spawn(join(containerd, 'containerd'), args);
      try {
        while ((await ctr('version')).status !== 0) expect(child.exitCode).toBe(null);
        const fetched = await ctr('content', 'fetch', '--plain-http', `${host}/acme/tiny:1`);
        expect(fetched).toMatchObject({ status: 0 });
        const blob = createHash('sha256').update(WEIGHTS).digest('hex');
        const store = join(root, 'io.containerd.content.v1.content', 'blobs', 'sha256');
        expect(new Uint8Array(await readFile(join(store, blob)))).toEqual(WEIGHTS);
        // Manifest, configuration and the files.
        expect(await readdir(store)).toHaveLength(2 + Object.keys(FILES).length);
      } finally {
        child.kill();
        await ended;
      }
    },
    RUNNING_MS,
  );
});
