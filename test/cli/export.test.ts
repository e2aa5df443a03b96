/** `export`: what was verified, in the folders of other programs. */
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const FILES = {
  'README.md': '# Tiny\n',
  'copy/README.md': '# Tiny\n',
  'onnx/deep/model.safetensors': makeSafetensors({ w: { dtype: 'F32', shape: [4, 2] } }),
};

let sandbox: Sandbox;
let stop: () => Promise<unknown>;
let digests: string[];

beforeAll(async () => {
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  await sandbox.trust(made);
  digests = [];
  for (const version of ['1', '2']) {
    const { digest } = await sandbox.publish(`acme/tiny@${version}`, { ...FILES, v: version });
    digests.push(digest);
  }
}, 60_000);
afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => !entry.isDirectory());
  return files
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

describe('export --hf-cache', () => {
  const model = () => sandbox.path('cache/models--acme--tiny');

  test('leaves blobs, links and references as huggingface_hub keeps them', async () => {
    await sandbox.json('export', 'acme/tiny@1', '--hf-cache', 'cache');
    const exported = await sandbox.json('export', 'acme/tiny', '--hf-cache', 'cache');
    expect(exported).toMatchObject({ reference: 'acme/tiny@2', digest: digests[1] });
    const revisions = digests.map((digest) => digest.slice(7, 47));
    const read = (path: string) => readFile(join(model(), path), 'utf8');
    expect(await read('refs/main')).toBe(revisions[1]);
    expect(await read('refs/1')).toBe(revisions[0]);
    expect((await readdir(sandbox.path('cache'))).sort()).toEqual(['models--acme--tiny']);
    for (const revision of revisions) {
      const snapshot = join(model(), 'snapshots', revision);
      const files = await filesBelow(snapshot);
      expect(files).toEqual([...Object.keys(FILES), 'model.sig', 'v'].sort());
      for (const path of files) {
        const link = join(snapshot, path);
        expect((await readlink(link)).startsWith('../')).toBe(true);
        const blob = await realpath(link);
        expect(blob.endsWith(sha256(await readFile(blob)))).toBe(true);
      }
    }
    const blobs = await readdir(join(model(), 'blobs'));
    // Of both releases: the shared bytes once, and of each its own file and its signature.
    expect(blobs).toHaveLength(2 + 2 + 2);
  }, 30_000);
});

describe('export --oci-layout', () => {
  test('leaves an image layout in which every digest fits, beside what it held', async () => {
    for (const version of ['1', '2', '2']) {
      await sandbox.json('export', `acme/tiny@${version}`, '--oci-layout', 'layout');
    }
    const folder = sandbox.path('layout');
    const json = async (path: string) => JSON.parse(await readFile(join(folder, path), 'utf8'));
    expect(await json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const { manifests } = await json('index.json');
    const name = 'org.opencontainers.image.ref.name';
    const tags = manifests.flatMap(
      ({ annotations }: { annotations?: Record<string, string> }) => annotations?.[name] ?? [],
    );
    expect(tags).toEqual(['1', '2']);
    for (const blob of await readdir(join(folder, 'blobs/sha256'))) {
      expect(sha256(await readFile(join(folder, 'blobs/sha256', blob)))).toBe(blob);
    }
    for (const { digest } of manifests) {
      const manifest = await json(`blobs/sha256/${digest.slice(7)}`);
      for (const each of [manifest.config, ...manifest.layers]) {
        const bytes = await readFile(join(folder, 'blobs/sha256', each.digest.slice(7)));
        expect(bytes.length).toBe(each.size);
      }
    }
  }, 30_000);

  test('has the manifest that the registry shows', async () => {
    const response = await fetch(`${sandbox.env.WEIGHHOUSE_URL}/v2/acme/tiny/manifests/1`);
    const digest = response.headers.get('docker-content-digest');
    const { manifests } = JSON.parse(await readFile(sandbox.path('layout/index.json'), 'utf8'));
    expect(manifests.map((one: { digest: string }) => one.digest)).toContain(digest);
  });

  test('refuses a folder whose index is another’s', async () => {
    await sandbox.write('mine', { 'index.json': '{"pages":[]}' });
    const failure = await sandbox.failure(1, 'export', 'acme/tiny', '--oci-layout', 'mine');
    expect(failure.code).toBe('conflict');
  }, 30_000);
});

test('export says what it lacks', async () => {
  const failure = await sandbox.failure(2, 'export', 'acme/tiny');
  expect(failure.message).toContain('--hf-cache DIR or --oci-layout DIR');
  const both = ['--hf-cache', 'a', '--oci-layout', 'b'];
  expect((await sandbox.failure(2, 'export', 'acme/tiny', ...both)).code).toBe('usage');
});
