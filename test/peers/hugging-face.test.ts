/**
 * Hugging Face's own clients, old and new, on a registry: found, downloaded, checked and
 * verified, with nothing but HF_ENDPOINT set.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installHuggingFaceHub } from '../../scripts/peers/hugging-face.ts';
import { installModelSigning } from '../../scripts/peers/model-signing.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const INSTALLING_MS = 300_000;
const RUNNING_MS = 60_000;
const VERSIONS = ['0.36.2', '1.28.0', '2.4.0'];

const README = '---\nlicense: apache-2.0\ntags:\n- tiny\n---\n# A tiny model\n';
const WEIGHTS = makeSafetensors({ 'layer.weight': { dtype: 'F32', shape: [4, 2] } });

let sandbox: Sandbox;
let url: string;
const pythons = new Map<string, string>();
let modelSigning: string;
let stop: () => Promise<unknown>;
let digests: string[];

beforeAll(async () => {
  for (const version of VERSIONS) pythons.set(version, await installHuggingFaceHub(version));
  modelSigning = await installModelSigning();
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  url = server.url;
  await sandbox.trust(made);
  digests = [];
  for (const version of ['1', '2']) {
    const { digest } = await sandbox.publish(`acme/tiny@${version}`, {
      'README.md': README,
      'config.json': `{"model_type":"tiny","revision":${version}}\n`,
      'onnx/deep/model.safetensors': WEIGHTS,
    });
    digests.push(String(digest));
  }
  const { stdout } = await sandbox.run('trust', 'export', '--format', 'pem');
  await writeFile(sandbox.path('registry.pem'), stdout);
}, INSTALLING_MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

/** Runs a Python program with that version of huggingface_hub; resolves to what it printed, as JSON. */
async function python(
  version: string,
  program: string,
  more: NodeJS.ProcessEnv = {},
): Promise<unknown> {
  const env = {
    HF_ENDPOINT: url,
    HF_HOME: sandbox.path(`hf-${version}`),
    HF_HUB_DISABLE_UPDATE_CHECK: '1',
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    ...more,
  };
  const lines = ['import json', 'from huggingface_hub import *', program].join('\n');
  const { status, stdout, stderr } = await sandbox.spawn(pythons.get(version)!, ['-c', lines], env)
    .ended;
  if (status !== 0) throw new Error(`huggingface_hub ${version} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

describe.each(VERSIONS)('huggingface_hub %s', (version) => {
  test(
    'downloads the newest release whole, with the signature among its files',
    async () => {
      const folder = await python(version, `print(json.dumps(snapshot_download("acme/tiny")))`);
      expect(String(folder)).toContain(digests[1]!.slice(7, 47));
      const files = await readdir(String(folder), { recursive: true });
      expect(files.sort()).toEqual(
        [
          'README.md',
          'config.json',
          'model.sig',
          'onnx',
          'onnx/deep',
          'onnx/deep/model.safetensors',
        ].sort(),
      );
      const weights = await readFile(join(String(folder), 'onnx/deep/model.safetensors'));
      expect(new Uint8Array(weights)).toEqual(WEIGHTS);
    },
    RUNNING_MS,
  );

  test(
    'downloads an earlier release by its version and by its commit',
    async () => {
      const program = `print(json.dumps([open(hf_hub_download("Acme/Tiny", "config.json", revision=r)).read() for r in ["1", "${digests[0]!.slice(7, 47)}", "main"]]))`;
      const [byVersion, byCommit, newest] = (await python(version, program)) as string[];
      expect(byVersion).toBe('{"model_type":"tiny","revision":1}\n');
      expect(byCommit).toBe(byVersion);
      expect(newest).toBe('{"model_type":"tiny","revision":2}\n');
    },
    RUNNING_MS,
  );

  test(
    'reads what the model is, its files, references, commits and the list',
    async () => {
      const program = `
api = HfApi()
info = api.model_info("acme/tiny", files_metadata=True)
tree = list(api.list_repo_tree("acme/tiny", recursive=True, expand=True))
paths = api.get_paths_info("acme/tiny", ["onnx", "README.md", "missing"])
refs = api.list_repo_refs("acme/tiny")
commits = api.list_repo_commits("acme/tiny")
print(json.dumps({
  "id": info.id, "sha": info.sha, "tags": info.tags, "license": info.card_data["license"],
  "total": info.safetensors.total, "sizes": {s.rfilename: s.lfs.size for s in info.siblings},
  "files": api.list_repo_files("acme/tiny"), "tree": [i.path for i in tree],
  "paths": [p.path for p in paths], "branches": [b.target_commit for b in refs.branches],
  "versions": [t.name for t in refs.tags], "commits": [c.commit_id for c in commits],
  "exists": [api.file_exists("acme/tiny", f) for f in ["README.md", "none"]],
  "repos": [api.repo_exists(r) for r in ["acme/tiny", "acme/none"]],
  "found": [m.id for m in api.list_models(search="tiny")],
  "none": [m.id for m in api.list_models(author="nobody")],
}))`;
      const revisions = digests.map((digest) => digest.slice(7, 47));
      const files = ['README.md', 'config.json', 'model.sig', 'onnx/deep/model.safetensors'];
      expect(await python(version, program)).toEqual({
        id: 'acme/tiny',
        sha: revisions[1],
        tags: ['safetensors', 'transformers', 'tiny', 'license:apache-2.0'],
        license: 'apache-2.0',
        total: 8,
        sizes: expect.objectContaining({ 'README.md': README.length }),
        files: expect.arrayContaining(files),
        tree: ['README.md', 'config.json', 'model.sig', 'onnx', 'onnx/deep', files[3]],
        paths: ['README.md', 'onnx'],
        branches: [revisions[1]],
        versions: ['2', '1'],
        commits: revisions.toReversed(),
        exists: [true, false],
        repos: [true, false],
        found: ['acme/tiny'],
        none: [],
      });
    },
    RUNNING_MS,
  );

  test(
    'finds an exported cache without a network',
    async () => {
      await sandbox.json('export', 'acme/tiny', '--hf-cache', `exported-${version}`);
      const program = `
import os
folder = snapshot_download("acme/tiny", cache_dir="${sandbox.path(`exported-${version}`)}", local_files_only=True)
print(json.dumps(sorted(os.listdir(folder))))`;
      const env = { HF_ENDPOINT: 'http://127.0.0.1:1', HF_HUB_OFFLINE: '1' };
      expect(await python(version, program, env)).toEqual([
        'README.md',
        'config.json',
        'model.sig',
        'onnx',
      ]);
    },
    RUNNING_MS,
  );

  test(
    'tells a missing model, revision and file apart',
    async () => {
      const program = `
from huggingface_hub.utils import *
def name(*args, **more):
  try: hf_hub_download(*args, **more)
  except Exception as error: return type(error).__name__
print(json.dumps([name("acme/none", "x"), name("acme/tiny", "x", revision="9"), name("acme/tiny", "x")]))`;
      const names = (await python(version, program)) as string[];
      expect(names).toEqual([
        'RepositoryNotFoundError',
        'RevisionNotFoundError',
        expect.stringMatching(/^(?:Remote)?EntryNotFoundError$/),
      ]);
    },
    RUNNING_MS,
  );
});

describe('what `hf download` leaves', () => {
  const version = '1.28.0';
  const hf = (...args: string[]) =>
    sandbox.spawn(pythons.get(version)!, ['-m', 'huggingface_hub.cli.hf', ...args], {
      HF_ENDPOINT: url,
      HF_HOME: sandbox.path('hf-cli'),
      HF_HUB_DISABLE_UPDATE_CHECK: '1',
    }).ended;

  test(
    'is verified by model_signing and by `hf cache verify`',
    async () => {
      const folder = sandbox.path('downloaded');
      expect(await hf('download', 'acme/tiny', '--local-dir', folder)).toMatchObject({ status: 0 });
      const keys = ['--signature', `${folder}/model.sig`, '--public_key', 'registry.pem'];
      const signed = ['-m', 'model_signing', 'verify', 'key', ...keys, folder];
      expect(await sandbox.spawn(modelSigning, signed).ended).toMatchObject({ status: 0 });
      const check = ['cache', 'verify', 'acme/tiny', '--local-dir', folder];
      expect(await hf(...check)).toMatchObject({ status: 0 });
      await writeFile(join(folder, 'config.json'), '{"model_type":"tiny","revision":3}\n');
      const { status } = await hf(...check);
      expect(status).not.toBe(0);
    },
    RUNNING_MS,
  );
});
