/**
 * docs/operations.md, followed step by step: its commands are read out of the page and run as
 * they stand there. `docker compose` is carried out by processes; everything else is itself.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { freePorts } from '../../scripts/cluster/ports.ts';
import { type Ended, Sandbox } from '../e2e/sandbox.ts';
import { ComposeByProcesses } from './compose-by-processes.ts';

jest.setTimeout(120_000);

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block!);

let sandbox: Sandbox;
let compose: ComposeByProcesses;
let url: string;
const words = { TOKEN: '', FINGERPRINT: '', DIGEST: '' };

beforeAll(async () => {
  sandbox = await Sandbox.make();
  const [port, ...others] = (await freePorts(4)) as [number, ...number[]];
  url = `https://localhost:${port}`;
  compose = new ComposeByProcesses(sandbox.folder, url, others);
  await sandbox.write('bin', { 'docker.mjs': await compose.program() });
  await sandbox.install({ docker: `exec "${process.execPath}" "$(dirname "$0")/docker.mjs" "$@"` });
  await sandbox.write('my-model', { 'config.json': '{}\n', 'README.md': '# Mine\n' });
  sandbox.env.HOME = sandbox.folder;
});
afterAll(async () => {
  await compose?.stop();
  await sandbox?.remove();
});

/** The block of the page that has this in it. Every block is to be taken once. */
function take(part: string): string {
  const at = blocks.findIndex((block) => block.includes(part));
  if (at < 0) throw new Error(`docs/operations.md has no block with ${part}`);
  let text = blocks.splice(at, 1)[0]!.replaceAll('https://localhost', url);
  for (const [word, value] of Object.entries(words)) {
    text = text.replaceAll(new RegExp(`(?<![A-Z_])${word}\\b`, 'g'), value);
  }
  return text;
}

/** Runs a block in a shell, in the folder of the checkout. */
async function run(part: string): Promise<Ended> {
  const ended = await sandbox.spawn('sh', ['-e', '-c', take(part)]).ended;
  expect(ended).toMatchObject({ status: 0 });
  return ended;
}

describe('docs/operations.md', () => {
  test('begins: secrets, a certificate, a bucket with its policy', async () => {
    await run('mkdir -p deploy/secrets');
    await run('openssl req');
    await run('put-bucket-policy');
  });

  test('makes the registry, and starts servers and balancer', async () => {
    const { stdout } = await run('operator init');
    words.FINGERPRINT = /(sha256:[0-9a-f]{64})/.exec(stdout)![1]!;
    words.TOKEN = /^token +(\S+)$/m.exec(stdout)![1]!;
    expect((await run('curl')).stdout).toBe('ready\n');
  });

  test('publishes a first release, and gives a token to somebody else', async () => {
    const [, variables] = /^export (.*)$/m.exec(take('export'))!;
    for (const variable of variables!.split(' ')) {
      const [name, value] = variable.split(/=(.*)/s) as [string, string];
      sandbox.env[name] = value;
    }
    const { stdout } = await run('trust add');
    words.DIGEST = stdout.match(/sha256:[0-9a-f]{64}/g)!.at(-1)!;
    await run('weighhouse publish');
    expect((await run('token create')).stdout).toMatch(/^\S+\.\S+\.\S+$/m);
  });

  test('upgrades one server after the other', async () => {
    await run('docker compose build');
  });

  test('backs up keys and bucket, and restores the bucket from nothing', async () => {
    await run('tar --create');
    await run('--exact-timestamps');
    await run('s3 rm');
  });

  test('that was all of it', () => {
    expect(blocks).toEqual([]);
  });
});
