/** `scrub`, `repair` and `doctor` as an operator types them, beside a server that runs. */
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { openDirectory } from '../../src/store/directory.ts';
import type { Key } from '../../src/store/keys.ts';
import { flipBit } from '../made/rot.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { type Home, type MadeWorld, makeHome, makeWorld, type Ran, run } from './command-line.ts';

jest.setTimeout(60_000);

let home: Home;
let server: MadeWorld;
let serving: Promise<Ran>;
let url: string;
let place: readonly string[];

beforeAll(async () => {
  home = await makeHome();
  place = ['--store', home.path('store'), '--keys', home.path('keys')];
  const made = await home.json(
    'init',
    ...place,
    ...['--origin', 'models.example', '--namespace', 'acme', '--no-passphrase'],
  );
  server = makeWorld(home.env);
  const index = ['--index', home.path('index')];
  serving = run(['serve', ...place, ...index, '--listen', '127.0.0.1:0', '--no-scrub'], server);
  await Promise.race([server.hears('listening on '), serving]);
  url = server.said().stdout.trim().replace('listening on ', '');
  Object.assign(home.env, { WEIGHHOUSE_URL: url, WEIGHHOUSE_TOKEN: made.token });
  await mkdir(home.path('model'));
  const weights = makeSafetensors({ w: { dtype: 'F32', shape: [64, 64] } });
  await writeFile(home.path('model', 'model.safetensors'), weights);
  const { digest } = await home.json('push', home.path('model'), 'acme/tiny@1.0');
  await home.json('publish', 'acme/tiny@1.0', '--digest', String(digest));
  await home.json('trust', 'add', url, '--fingerprint', String(made.fingerprint));
  await home.json('pull', 'acme/tiny@1.0', home.path('pulled'));
});

afterAll(async () => {
  server.stop();
  expect((await serving).status).toBe(0);
  await home.remove();
});

async function blobOf(): Promise<{ key: Key; flip: () => () => void }> {
  const store = await openDirectory(home.path('store'));
  for await (const key of store.list('blobs/' as never)) {
    if (((await store.size(key)) ?? 0) > 1000) return { key, flip: () => flipBit(store, key, 500) };
  }
  throw new Error('there is no blob');
}

describe('an operator', () => {
  test('finds nothing wrong with a good store', async () => {
    const report = await home.json('scrub', ...place);
    expect(report).toMatchObject({ ok: true, pass: 1, damaged: [], orphans: { count: 0 } });
    const repaired = await home.run('repair', ...place);
    expect(repaired).toMatchObject({ status: 0 });
    expect(repaired.stdout).toContain('nothing is known to be damaged');
  });

  test('finds damage by name, and restores it from a pulled directory', async () => {
    const { key, flip } = await blobOf();
    flip();
    const scrubbed = await home.run('scrub', ...place);
    expect(scrubbed.status).toBe(10);
    expect(scrubbed.stdout).toMatch(new RegExp(`^${key}: damaged, chunk 0 \\(its SHA-256 is`, 'm'));
    expect(scrubbed.stdout).toContain('weighhouse repair --from');

    const alone = await home.run('repair', ...place);
    expect(alone.status).toBe(10);
    expect(alone.stdout).toMatch(new RegExp(`^${key}: lost`, 'm'));
    const from = ['--from', home.path('pulled')];
    const dry = await home.run('repair', ...from, ...place, '--dry-run');
    expect(dry.status).toBe(10);
    expect(dry.stdout).toMatch(new RegExp(`^${key}: repairable from ${home.path('pulled')}`, 'm'));
    const repaired = await home.run('repair', ...from, ...place, '--json');
    expect(repaired.status).toBe(0);
    expect(JSON.parse(repaired.stdout)).toMatchObject({ ok: true, left: 0 });
    expect(await home.json('scrub', ...place, '--fresh')).toMatchObject({ ok: true, damaged: [] });
    await home.json('pull', 'acme/tiny@1.0', home.path('again'));
  });

  test('is refused the store of another registry, and rates that are none', async () => {
    const other = await makeHome();
    await other.json(
      'init',
      ...['--store', other.path('store'), '--keys', other.path('keys')],
      ...['--origin', 'other.example', '--no-passphrase'],
    );
    const mixed = ['--store', home.path('store'), '--keys', other.path('keys')];
    expect((await home.run('scrub', ...mixed)).status).toBe(11);
    expect((await home.run('repair', ...mixed)).status).toBe(11);
    const fast = await home.run('scrub', ...place, '--rate', 'fast');
    expect(fast.status).toBe(2);
    expect(fast.stderr).toContain('--rate takes a rate like');
    const nowhere = await home.run('repair', ...place, '--from', home.path('nowhere'));
    expect(nowhere.status).toBe(4);
    await other.remove();
  });

  test('is told by the doctor that all is well, and what is not', async () => {
    const well = await home.run('doctor', ...place, '--index', home.path('index'));
    expect(`${well.status} ${well.stdout}`).toMatch(/^0 /);
    for (const check of ['store', 'clock', 'keys', 'log', 'index', 'space', 'damage', 'server']) {
      expect(well.stdout).toMatch(new RegExp(`^(ok|warning) +${check} `, 'm'));
    }
    await copyFile(home.path('keys', 'log.key'), home.path('keys', 'log-7.key'));
    await chmod(home.path('keys', 'log-7.key'), 0o644);
    const ill = await home.run('doctor', ...place, '--json');
    expect(ill.status).toBe(1);
    const { ok, findings } = JSON.parse(ill.stdout);
    expect(ok).toBe(false);
    expect(findings).toContainEqual({
      check: 'keys',
      status: 'failed',
      says: 'others on this machine can read log-7.key',
      todo: `chmod 600 ${home.path('keys', 'log-7.key')}`,
    });
    const nowhere = await home.run('doctor', '--store', home.path('nowhere'), ...place.slice(2));
    expect(nowhere.status).toBe(1);
    expect(nowhere.stdout).toMatch(/^failed +store /m);
  });
});
