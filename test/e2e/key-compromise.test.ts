/**
 * docs/key-compromise.md, read out of the page and run line by line against a registry that is
 * being served: what the page promises must be so after the commands that it gives.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ended, Sandbox, type ServerProcess } from './sandbox.ts';
import { linesToType } from './typed-page.ts';

/** The lines to type, by the heading under which they stand. */
const sections = linesToType('key-compromise.md');

let sandbox: Sandbox;
let server: ServerProcess;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  sandbox.env.WEIGHHOUSE_PASSPHRASE = 'a passphrase for the test';
  await sandbox.install();
  const made = await sandbox.init('acme');
  server = await sandbox.serve();
  await sandbox.trust(made);
  await sandbox.publish('acme/tiny@1', { 'config.json': '{}\n' });
}, 60_000);

afterAll(async () => {
  const ended = await server?.stop();
  await sandbox?.remove();
  expect(ended?.status).toBe(0);
});

/** Types the next line of a section, which must begin so; `filled` are the words in capitals. */
async function type(
  heading: string,
  beginning: string,
  filled: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  let line = sections.get(heading)!.shift() ?? '';
  expect(line.slice(0, beginning.length)).toBe(beginning);
  for (const [word, value] of Object.entries(filled)) line = line.replaceAll(word, value);
  return sandbox.spawn('sh', ['-c', line]).ended;
}

/** Types all that is left of a section; every line must succeed. */
async function typeRest(heading: string): Promise<string[]> {
  const said: string[] = [];
  while (sections.get(heading)!.length > 0) {
    const { status, stdout, stderr } = await type(heading, '');
    expect({ status, stderr }).toMatchObject({ status: 0 });
    said.push(stdout);
  }
  return said;
}

async function audit(): Promise<{ index: number; message: string }[]> {
  return JSON.parse((await sandbox.run('audit', '--json')).stdout).violations;
}

describe('the release key', () => {
  const heading = 'The release key';

  test('ends before the foreign entry: that release is refused, the one before it is not', async () => {
    await sandbox.json('pull', 'acme/tiny@1', 'before');
    const { index } = await sandbox.publish('acme/tiny@2', { 'config.json': '{"thief":1}\n' });
    await sandbox.json('pull', 'acme/tiny@2', 'foreign');
    expect((await type(heading, 'weighhouse log tail')).stdout).toContain('acme/tiny@2');
    const rotated = await type(heading, 'weighhouse root rotate', { INDEX: String(index) });
    expect(rotated).toMatchObject({ status: 0 });
    expect(await type(heading, 'rm ')).toMatchObject({ status: 0 });

    const audited = await type(heading, 'weighhouse audit');
    expect(audited.status).toBe(11);
    expect(audited.stdout).toContain(`ends at entry ${index}: do not use the release`);
    expect(await audit()).toMatchObject([{ index }]);
    const refused = await sandbox.failure(11, 'pull', 'acme/tiny@2', 'again');
    expect(refused.message).toContain('do not use the release');
    // What was pulled in the window is found out by whoever has met the new root.
    await sandbox.failure(11, 'verify', 'foreign');
    await sandbox.json('verify', 'before');
    await sandbox.json('pull', 'acme/tiny@1', 'once-more');
  }, 60_000);

  test('has a successor, which the running server signs with at once', async () => {
    await sandbox.publish('acme/tiny@3', { 'config.json': '{}\n' });
    await sandbox.json('pull', 'acme/tiny@3', 'after');
    expect(await audit()).toHaveLength(1);
    expect(await readdir(sandbox.path('keys'))).not.toContain('release.key');
  }, 30_000);
});

describe('the token key', () => {
  const heading = 'The token key';

  test('ends all its tokens within seconds, and new ones are good', async () => {
    expect(await type(heading, 'weighhouse root rotate')).toMatchObject({ status: 0 });
    expect(await type(heading, 'rm ')).toMatchObject({ status: 0 });
    await wait(6_000);
    await sandbox.failure(3, 'status', 'acme/tiny@3');
    const { stdout, stderr } = await type(heading, 'weighhouse token create');
    sandbox.env.WEIGHHOUSE_TOKEN = stdout.trim();
    await sandbox.publish('acme/tiny@4', { 'config.json': '{}\n' });

    const [, id] = /^id +([0-9a-f]{32})$/m.exec(stderr)!;
    const revoked = await type(heading, 'weighhouse token revoke', { 'TOKEN-ID': id! });
    expect(revoked).toMatchObject({ status: 0 });
    const { token } = await sandbox.json(
      ...['token', 'create', '--store', 'store', '--keys', 'keys'],
      ...['--subject', 'ci', '--role', 'publisher', '--namespace', 'acme'],
    );
    sandbox.env.WEIGHHOUSE_TOKEN = token;
  }, 60_000);
});

describe('the log key', () => {
  const heading = 'The log key';

  test('is followed by another while the server runs, and the log is one log', async () => {
    const before = await sandbox.json('trust', 'export', '--format', 'vkey');
    expect(await type(heading, 'weighhouse root rotate')).toMatchObject({ status: 0 });
    expect(await type(heading, 'rm ')).toMatchObject({ status: 0 });
    const [vkey] = await typeRest(heading);
    expect(vkey).not.toBe(before.text);
    await sandbox.publish('acme/tiny@5', { 'config.json': '{}\n' });
    await sandbox.json('pull', 'acme/tiny@5', 'by-the-new-key');
    await sandbox.json('verify', 'by-the-new-key', '--online');
    // Proofs that the old key signed stay good.
    await sandbox.json('verify', 'before');
    expect(await audit()).toHaveLength(1);
  }, 60_000);
});

describe('a root key', () => {
  test('is one of three, and is replaced by the two others', async () => {
    const said = await typeRest('A root key');
    expect(said.at(-1)).toMatch(/^signed by +2 of 3 root keys$/m);
    const { root } = await sandbox.json('root', 'show').then((shown) => ({ root: shown }));
    expect(root).toMatchObject({ threshold: 2, version: 6 });
    const stolen = ['--root-key', 'offline/root.key', '--root-key', 'offline/bob.key'];
    const rotate = ['root', 'rotate', '--store', 'store', '--keys', 'keys'];
    await sandbox.failure(11, ...rotate, ...stolen);
    expect(await audit()).toHaveLength(1);
  }, 60_000);
});

describe('an owner’s key', () => {
  const heading = 'An owner’s or another person’s key';

  test('does nothing without a token', async () => {
    const { token, id } = await sandbox.json(
      ...['token', 'create', '--store', 'store', '--keys', 'keys'],
      ...['--subject', 'owner', '--role', 'owner', '--namespace', 'acme'],
    );
    const revoked = await type(heading, 'weighhouse token revoke', { 'TOKEN-ID': id });
    expect(revoked).toMatchObject({ status: 0 });
    const advise = ['advise', 'acme/tiny@1', '--kind', 'recalled', '--summary', 'x'];
    await sandbox.failure(3, ...advise, '--key', 'offline/owner.key', '--token', token);
    const [history] = await typeRest(heading);
    expect(history).not.toContain('advisory');
  }, 30_000);
});

test('that was all of the page', () => {
  expect([...sections.values()].flat()).toEqual([]);
});

test('a server that starts finds all its keys by the trust root', async () => {
  expect((await server.stop()).status).toBe(0);
  server = await sandbox.serve();
  await sandbox.publish('acme/tiny@6', { 'config.json': '{}\n' });
  expect(await audit()).toHaveLength(1);
}, 60_000);
