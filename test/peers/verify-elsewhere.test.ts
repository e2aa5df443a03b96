/** The commands of docs/verify-elsewhere.md, read out of the page and run as they stand there. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installCosign } from '../../scripts/peers/cosign.ts';
import { installFsck } from '../../scripts/peers/fsck.ts';
import { installHuggingFaceHub } from '../../scripts/peers/hugging-face.ts';
import { installModelSigning } from '../../scripts/peers/model-signing.ts';
import { installOras } from '../../scripts/peers/oci.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { type Made, PROGRAM, Sandbox } from '../e2e/sandbox.ts';
import { enrolled } from '../made/enrolment.ts';
import { makePasskey } from '../made/passkey.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { isAskedFor } from './asked-for.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 60_000;

const page = readFileSync(new URL('../../docs/verify-elsewhere.md', import.meta.url), 'utf8');
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ title: text.slice(0, text.indexOf('\n')), commands: blocks(text, 'sh') }))
  .filter(({ commands }) => commands !== '')
  .filter(({ title }) => !title.includes('cosign') || isAskedFor('cosign'));

let sandbox: Sandbox;
let made: Made;
let url: string;
let digest: string;
let stop: () => Promise<unknown>;

/** All code of one language, joined. */
function blocks(text: string, language: string): string {
  const all = text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'));
  return [...all].map(([, block]) => block).join('');
}

/** The scripts of the page, by the names under which it has them saved. */
function scriptsOf(text: string): Record<string, string> {
  const all = text.matchAll(/[Ss]ave this as `([a-z]+\.mjs)`[^#]*?^```js\n([\s\S]*?)^```/gm);
  return Object.fromEntries([...all].map(([, name, script]) => [name!, script!]));
}

/** An envelope that a passkey signed, and its key as a policy has it. */
function approvalByPasskey(): Record<string, string | Uint8Array> {
  const passkey = makePasskey();
  const [type, payload] = ['application/vnd.in-toto+json', utf8('an approval')] as const;
  return {
    'envelope.json': formatEnvelope(type, payload, passkey.sign(toSign(type, payload))),
    'key.json': JSON.stringify(enrolled(passkey, { person: 'ada' })),
  };
}

beforeAll(async () => {
  const hub = await installHuggingFaceHub('1.28.0');
  const modelSigning = await installModelSigning();
  const programs = {
    npx: `shift\nexec "${process.execPath}" "${PROGRAM}" "$@"`,
    hf: `exec "${hub}" -m huggingface_hub.cli.hf "$@"`,
    model_signing: `exec "${modelSigning}" -m model_signing "$@"`,
    ...(isAskedFor('cosign') ? { cosign: `exec "${await installCosign()}" "$@"` } : {}),
    oras: `exec "${await installOras()}" "$@"`,
    fsck: `exec "${await installFsck()}" "$@"`,
    node: `exec "${process.execPath}" "$@"`,
  };
  sandbox = await Sandbox.make();
  await sandbox.install(programs);
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
  await symlink(modules, sandbox.path('node_modules'));
  await sandbox.write('.', { ...scriptsOf(page), ...approvalByPasskey() });
  made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  url = server.url;
  ({ digest } = await sandbox.publish('acme/my-model@1.0', {
    'README.md': '# Mine\n',
    'model.safetensors': makeSafetensors({ w: { dtype: 'F32', shape: [4, 2] } }),
  }));
}, INSTALLING_MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

/** Runs commands of the page, against this registry. */
async function type(commands: string) {
  const typed = commands
    .replaceAll('http://127.0.0.1:8080', url)
    .replaceAll('sha256:…', made.fingerprint);
  const settings = [
    'set -eu',
    `export PATH="${sandbox.path('bin')}:$PATH" HF_HOME="${sandbox.path('hf')}"`,
    // What the sections before this one have exported.
    `export WEIGHHOUSE_URL=${url} HF_ENDPOINT=${url} HF_HUB_DISABLE_UPDATE_CHECK=1`,
  ];
  return sandbox.spawn('bash', ['-c', [...settings, typed].join('\n')]).ended;
}

describe('docs/verify-elsewhere.md', () => {
  test('has sections with commands', () => {
    expect(sections.length).toBeGreaterThanOrEqual(7);
  });

  test.each(sections)(
    '$title',
    async ({ title, commands }) => {
      const ended = await type(commands);
      expect(ended).toMatchObject({ status: 0 });
      if (title.startsWith('The digest')) {
        expect(`sha256:${ended.stdout.slice(0, 64)}`).toBe(digest);
      }
      if (title.startsWith('Signature and log')) expect(ended.stdout).toBe('signed, and logged\n');
      if (title.startsWith('An approval')) {
        expect(ended.stdout).toBe('what was signed is the statement\nVerified OK\n');
      }
      if (title.startsWith('The whole log')) {
        // It says what it found and ends with status 0 in either case.
        expect(ended.stderr).toContain('Successfully fsck');
      }
    },
    RUNNING_MS,
  );

  (isAskedFor('cosign') ? test : test.skip)(
    'cosign refuses what the log that we trust has not, and what another key has signed',
    async () => {
      const { commands } = sections.find(({ title }) => title.includes('cosign'))!;
      const root = JSON.parse(await readFile(sandbox.path('trusted_root.json'), 'utf8'));
      await sandbox.write('.', { 'no_log.json': JSON.stringify({ ...root, tlogs: [] }) });
      const unlogged = await type(commands.replace('trusted_root.json', 'no_log.json'));
      expect(unlogged.stderr).toContain('not enough verified log entries');
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const pem = publicKey.export({ format: 'pem', type: 'spki' });
      await sandbox.write('.', { 'other.pem': pem });
      const foreign = await type(commands.replace('registry.pem', 'other.pem'));
      expect([unlogged.status, foreign.status]).toEqual([1, 1]);
    },
    RUNNING_MS,
  );

  test(
    'each of them refuses what was changed',
    async () => {
      await sandbox.write('my-copy', { 'README.md': '# Ours\n' });
      for (const { title, commands } of sections) {
        if (/^Bytes|^The signature/.test(title)) {
          const only = commands.replace(/^hf download.*\n/m, '');
          expect([title, (await type(only)).status]).not.toEqual([title, 0]);
        }
      }
    },
    RUNNING_MS,
  );
});
