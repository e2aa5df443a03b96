/** OpenSSF's own verifier on what `pull` leaves, and on what somebody made of it. */
import { cp, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installModelSigning } from '../../scripts/peers/model-signing.ts';
import { type Ended, Sandbox } from '../e2e/sandbox.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const INSTALLING_MS = 300_000;

let sandbox: Sandbox;
let python: string;

beforeAll(async () => {
  python = await installModelSigning();
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  await sandbox.trust(made);
  await sandbox.publish('acme/tiny@1', {
    'README.md': 'A tiny model.\n',
    'weights/model.safetensors': makeSafetensors({
      'layer.weight': { dtype: 'F32', shape: [2, 2] },
    }),
    'weights/empty.txt': '',
  });
  await sandbox.json('pull', 'acme/tiny', 'pulled');
  const { stdout } = await sandbox.run('trust', 'export', '--format', 'pem');
  await writeFile(sandbox.path('registry.pem'), stdout);
  await server.stop();
}, INSTALLING_MS);

afterAll(() => sandbox?.remove());

/** Verifies a copy of the pulled folder after `change` was made to it. */
async function verify(change: (folder: string) => Promise<void> = async () => {}): Promise<Ended> {
  const folder = sandbox.path('copy');
  await rm(folder, { recursive: true, force: true });
  await cp(sandbox.path('pulled'), folder, { recursive: true });
  await change(folder);
  const keys = ['--signature', `${folder}/model.sig`, '--public_key', 'registry.pem'];
  return sandbox.spawn(python, ['-m', 'model_signing', 'verify', 'key', ...keys, folder]).ended;
}

describe('model_signing verify key', () => {
  test('accepts what was pulled', async () => {
    expect(await verify()).toMatchObject({ status: 0 });
  }, 30_000);

  test.each<[string, (folder: string) => Promise<void>]>([
    ['a changed byte', (folder) => writeFile(`${folder}/README.md`, 'A tiny model!\n')],
    ['an added file', (folder) => writeFile(`${folder}/weights/added.txt`, '')],
    ['a missing file', (folder) => rm(`${folder}/weights/empty.txt`)],
  ])(
    'refuses %s',
    async (_, change) => {
      const { status, stderr } = await verify(change);
      expect(status).toBe(1);
      expect(stderr).toContain('Verification failed');
    },
    30_000,
  );
});
