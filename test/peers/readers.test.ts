/**
 * Programs that are not ours at a registry that keeps the bytes of a namespace for readers: what they
 * say without a token, and that they get everything with one.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installHuggingFaceHub } from '../../scripts/peers/hugging-face.ts';
import { installCrane, installOras, installSkopeo } from '../../scripts/peers/oci.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import type { Loose } from '../made/loose.ts';
import { digestOfText, hexOf, TERMS } from '../made/restricted.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 120_000;
const VERSIONS = ['0.36.2', '1.28.0', '2.4.0'];
const README = '# Kept\n';
const WEIGHTS = 'These bytes are for those who have accepted the licence.';

let sandbox: Sandbox;
let url: string;
let host: string;
let reader: string;
let stranger: string;
let stop: () => Promise<unknown>;
const pythons = new Map<string, string>();
let oras: string;
let crane: string;
let skopeo: string;

beforeAll(async () => {
  for (const version of VERSIONS) pythons.set(version, await installHuggingFaceHub(version));
  [oras, crane, skopeo] = [await installOras(), await installCrane(), await installSkopeo()];
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  url = server.url;
  host = new URL(url).host;
  await sandbox.trust(made);
  await sandbox.publish('acme/kept@1', { 'README.md': README, 'weights.bin': WEIGHTS });
  const { policy } = await sandbox.json('policy', 'show', 'acme');
  const next = { ...policy, version: 2, bytes: { for: 'readers', terms: TERMS } };
  await writeFile(sandbox.path('acme.json'), JSON.stringify(next));
  const set = ['policy', 'set', 'acme', 'acme.json', '--key', 'offline/owner.key'];
  expect(await sandbox.json(...set)).toMatchObject({ version: 2, change: 'stricter' });
  reader = await tokenFor('acme');
  stranger = await tokenFor('other');
}, INSTALLING_MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

async function tokenFor(namespace: string): Promise<string> {
  const where = ['--store', 'store', '--keys', 'keys', '--namespace', namespace];
  const grant = ['--subject', 'rea', '--role', 'reader', '--ttl', '1d'];
  return (await sandbox.json('token', 'create', ...where, ...grant)).token;
}

describe.each(VERSIONS)('huggingface_hub %s', (version) => {
  const environment = (name: string) => ({
    HF_ENDPOINT: url,
    HF_HOME: sandbox.path(`hf-${version}-${name}`),
    HF_HUB_DISABLE_UPDATE_CHECK: '1',
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
  });

  /** What a Python program prints, as JSON, with that token or with none. */
  async function python(name: string, program: string, token?: string): Promise<Loose> {
    const lines = ['import json', 'from huggingface_hub import *', program].join('\n');
    const env = { ...environment(name), ...(token !== undefined && { HF_TOKEN: token }) };
    const python = pythons.get(version)!;
    const { status, stdout, stderr } = await sandbox.spawn(python, ['-c', lines], env).ended;
    if (status !== 0) throw new Error(`huggingface_hub ${version} ended with ${status}: ${stderr}`);
    return JSON.parse(stdout);
  }

  const OUTCOMES = `
from huggingface_hub.errors import GatedRepoError
def outcome(act):
  try: return str(act())
  except GatedRepoError as error: return [error.response.status_code, str(error)]
api = HfApi()
print(json.dumps({
  "gated": api.model_info("acme/kept").gated,
  "listed": [m.gated for m in api.list_models(search="kept")],
  "readme": open(hf_hub_download("acme/kept", "README.md")).read(),
  "weights": outcome(lambda: hf_hub_download("acme/kept", "weights.bin")),
  "snapshot": outcome(lambda: snapshot_download("acme/kept")),
  "check": outcome(lambda: api.auth_check("acme/kept")),
}))`;

  test(
    'says without a token that the model is gated, and under which terms',
    async () => {
      const said = await python('nobody', OUTCOMES);
      expect(said).toMatchObject({ gated: 'manual', listed: ['manual'], readme: README });
      for (const outcome of [said.weights, said.snapshot, said.check]) {
        expect(outcome).toEqual([401, expect.stringContaining(TERMS.url)]);
      }
    },
    RUNNING_MS,
  );

  test(
    'says with a token of another namespace that it is none',
    async () => {
      const said = await python('stranger', OUTCOMES, stranger);
      for (const outcome of [said.weights, said.snapshot, said.check]) {
        expect(outcome).toEqual([403, expect.stringContaining('ask acme for one')]);
      }
    },
    RUNNING_MS,
  );

  test(
    'downloads all of it with a reader’s token in HF_TOKEN',
    async () => {
      const program = `
folder = snapshot_download("acme/kept")
HfApi().auth_check("acme/kept")
print(json.dumps([open(folder + "/weights.bin").read(), HfFileSystem().cat("acme/kept/weights.bin").decode()]))`;
      expect(await python('reader', program, reader)).toEqual([WEIGHTS, WEIGHTS]);
    },
    RUNNING_MS,
  );
});

test(
  '`hf download` does so, too',
  async () => {
    const args = ['-m', 'huggingface_hub.cli.hf', 'download', 'acme/kept', '--local-dir', 'by-hf'];
    const env = { HF_ENDPOINT: url, HF_HOME: sandbox.path('hf-cli'), HF_TOKEN: reader };
    expect(await sandbox.spawn(pythons.get('1.28.0')!, args, env).ended).toMatchObject({
      status: 0,
    });
    expect(await readFile(sandbox.path('by-hf', 'weights.bin'), 'utf8')).toBe(WEIGHTS);
  },
  RUNNING_MS,
);

describe('oras', () => {
  const home = (name: string) => ({ HOME: sandbox.path(name), DOCKER_CONFIG: sandbox.path(name) });
  const pull = (name: string) => {
    const args = ['pull', '--plain-http', `${host}/acme/kept:1`, '-o', `by-oras-${name}`];
    return sandbox.spawn(oras, args, home(name)).ended;
  };
  const login = (name: string, token: string) => {
    const args = ['login', '--plain-http', '-u', 'me', '-p', token, host];
    return sandbox.spawn(oras, args, home(name)).ended;
  };
  beforeAll(async () => {
    for (const name of ['nobody', 'stranger', 'reader']) await mkdir(sandbox.path(name));
  });

  test(
    'sees the manifest and what refers to it, and is told without credentials what it takes for the files',
    async () => {
      const discover = ['discover', '--plain-http', `${host}/acme/kept:1`];
      expect(await sandbox.spawn(oras, discover, home('nobody')).ended).toMatchObject({
        status: 0,
      });
      const { status, stderr } = await pull('nobody');
      expect(status).not.toBe(0);
      expect(stderr).toContain('unauthorized: the files of acme/kept@1 are for holders of a token');
      expect(stderr).toContain(TERMS.url);
    },
    RUNNING_MS,
  );

  test(
    'is denied them with a token of another namespace',
    async () => {
      expect(await login('stranger', stranger)).toMatchObject({ status: 0 });
      const { status, stderr } = await pull('stranger');
      expect(status).not.toBe(0);
      expect(stderr).toContain('denied: the files of acme/kept@1');
    },
    RUNNING_MS,
  );

  test(
    'pulls all of it once it has logged in with a reader’s token',
    async () => {
      expect(await login('reader', reader)).toMatchObject({ status: 0 });
      const { status, stderr } = await pull('reader');
      expect([status, stderr]).toEqual([0, '']);
      expect(await readFile(sandbox.path('by-oras-reader', 'weights.bin'), 'utf8')).toBe(WEIGHTS);
    },
    RUNNING_MS,
  );
});

test(
  'skopeo copies all of it with a reader’s token as its password, and is refused without',
  async () => {
    const copy = (name: string, ...credentials: string[]) => {
      const flags = ['copy', '--src-tls-verify=false', ...credentials];
      const args = [...flags, `docker://${host}/acme/kept:1`, `oci:${sandbox.path(name)}:1`];
      return sandbox.spawn(skopeo, args).ended;
    };
    expect(await copy('by-skopeo', '--src-creds', `me:${reader}`)).toMatchObject({ status: 0 });
    const blob = join('by-skopeo', 'blobs', 'sha256', hexOf(WEIGHTS));
    expect(await readFile(sandbox.path(blob), 'utf8')).toBe(WEIGHTS);
    expect((await copy('none')).stderr).toContain('unauthorized: the files of acme/kept@1');
    const denied = await copy('denied', '--src-creds', `me:${stranger}`);
    // It tells its user the status alone.
    expect(denied.stderr).toContain('403 (Forbidden)');
  },
  RUNNING_MS,
);

describe('crane', () => {
  const blob = async (secret?: string) => {
    const auth = Buffer.from(`me:${secret}`).toString('base64');
    const config = { auths: secret === undefined ? {} : { [host]: { auth } } };
    await sandbox.write('docker', { 'config.json': JSON.stringify(config) });
    const args = ['blob', '--insecure', `${host}/acme/kept@${digestOfText(WEIGHTS)}`];
    return sandbox.spawn(crane, args, { DOCKER_CONFIG: sandbox.path('docker') }).ended;
  };

  test(
    'gets a file with a reader’s token as its password, and is refused without',
    async () => {
      expect(await blob(reader)).toMatchObject({ status: 0, stdout: WEIGHTS });
      expect((await blob()).stderr).toContain('UNAUTHORIZED');
      expect((await blob(stranger)).stderr).toContain('DENIED');
    },
    RUNNING_MS,
  );
});
