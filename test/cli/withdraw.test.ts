/** Withdrawing as people type it, in a gated namespace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeWorld, run } from './command-line.ts';
import { type GatedHome, makeGatedHome } from './gated-home.ts';

let home: GatedHome;
let reference: string;
let digest: string;

beforeAll(async () => {
  home = await makeGatedHome();
}, 30_000);

afterAll(() => home.remove());

beforeEach(async () => {
  ({ reference, digest } = await home.push());
});

const REASON = ['--reason', 'Another base model'];
const withdraw = (...more: string[]) => ['withdraw', reference, '--digest', digest, ...more];

describe('what is sealed', () => {
  test('is withdrawn by a key that may, with a reason, and status says whose it was', async () => {
    const done = await home.json(...withdraw(...REASON));
    expect(done).toMatchObject({ decision: 'withdraw', recorded: true, state: 'withdrawn' });
    const { stdout } = await home.run('status', reference);
    expect(stdout).toContain('withdrawn by ada (entry');
    expect(stdout).toContain('Another base model');
    const again = await home.run('withdraw', reference);
    expect(again).toMatchObject({ status: 0, stdout: `${reference} is withdrawn already\n` });
    const late = await home.run('approve', reference, '--digest', digest);
    expect(late.status).toBe(1);
    expect(late.stderr).toContain('withdrawn');
    expect((await home.run('receipts', 'check')).status).toBe(0);
  });

  test('says what it became', async () => {
    const { stdout } = await home.run(...withdraw(...REASON));
    expect(stdout).toContain(`recorded: withdraw of ${reference}`);
    expect(stdout).toContain(`${reference} is withdrawn for good`);
  });

  test('is not withdrawn without a reason or a key, nor by one who may not', async () => {
    const silent = await home.run(...withdraw());
    expect(silent.status).toBe(2);
    expect(silent.stderr).toContain('--reason TEXT --key FILE');
    const keyless = await run(withdraw(...REASON), makeWorld({ ...home.env, WEIGHHOUSE_KEY: '' }));
    expect(keyless.status).toBe(2);
    const key = home.path('stranger.key');
    await home.json('key', 'new', key, '--no-passphrase').catch(() => {});
    const stranger = await home.run(...withdraw(...REASON, '--key', key));
    expect(stranger.status).toBe(13);
    expect(stranger.stderr).toContain('not signed');
    expect(await home.json('status', reference)).toMatchObject({ state: 'sealed' });
  });

  test('is withdrawn by a key that no network reaches', async () => {
    const pem = home.path(`${digest.slice(7, 15)}.pem`);
    const { stdout } = await home.run('key', 'show', home.path('ada.key'));
    await writeFile(pem, stdout.slice(stdout.indexOf('-----BEGIN')));
    const file = home.path(`${digest.slice(7, 15)}.json`);
    await home.json(...withdraw(...REASON, '--unsigned', file, '--public-key', pem));
    await home.json('decide', '--sign-offline', file, '--digest', digest);
    expect(await home.json('status', reference)).toMatchObject({ state: 'sealed' });
    expect(await home.json('decide', '--submit', file)).toMatchObject({ state: 'withdrawn' });
  });
});

test('what was never sealed is withdrawn by a token', async () => {
  const folder = home.path('unsealed');
  await mkdir(folder);
  await writeFile(`${folder}/config.json`, '{}');
  await home.json('push', folder, 'acme/tiny@unsealed', '--no-seal');
  const { stdout } = await home.run('withdraw', 'acme/tiny@unsealed');
  expect(stdout).toContain('is withdrawn by the token alone: it was never sealed');
});
