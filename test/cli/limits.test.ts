/**
 * Quotas and rate limits as operators and publishers meet them. The tests tell one story from
 * top to bottom, on a server whose rate limits are a hundredth of the usual ones.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RATES } from '../../src/server/rate-limits.ts';
import { type Home, type MadeWorld, makeHome, makeWorld, type Ran, run } from './command-line.ts';

const FILES = 500;
const SIZE = 10;

let home: Home;
let server: MadeWorld;
let serving: Promise<Ran>;

beforeAll(async () => {
  home = await makeHome();
  const where = ['--store', home.path('store'), '--keys', home.path('keys')];
  const first = ['--origin', 'models.example', '--namespace', 'acme', '--no-passphrase'];
  const made = await home.json('init', ...where, ...first);
  home.env.WEIGHHOUSE_TOKEN = made.token as string;
  server = makeWorld(home.env);
  const rates = Object.entries(RATES).flatMap(([rate, n]) => [
    '--rate-limit',
    `${rate}=${Math.ceil(n / 100)}`,
  ]);
  const here = ['--listen', '127.0.0.1:0', '--index', home.path('index')];
  serving = run(['serve', ...where, ...here, '--quota', '1MB', ...rates], server);
  await Promise.race([server.hears('listening on '), serving]);
  home.env.WEIGHHOUSE_URL = server.said().stdout.trim().replace('listening on ', '');
  await home.json(
    'trust',
    'add',
    home.env.WEIGHHOUSE_URL,
    '--fingerprint',
    String(made.fingerprint),
  );
  await mkdir(home.path('model'));
  for (let n = 0; n < FILES; n++) {
    await writeFile(home.path('model', `${n}.txt`), String(n).padEnd(SIZE, '.'));
  }
  await mkdir(home.path('large'));
  await writeFile(home.path('large', 'large.bin'), new Uint8Array(1_000_000 + 1));
}, 30_000);

afterAll(async () => {
  server.stop();
  await serving;
  await home.remove();
});

const quota = (...flags: string[]) => {
  return ['namespace', 'quota', 'acme', '--store', home.path('store'), ...flags];
};

describe('a push that cannot fit', () => {
  test('ends before anything is hashed or declared, and says what is used, asked and allowed', async () => {
    const { status, stdout } = await home.run('push', home.path('large'), 'acme/large@1', '--json');
    const { error } = JSON.parse(stdout);
    expect([status, error.code]).toEqual([13, 'quota-exceeded']);
    expect(error.details).toMatchObject({ used: 0, asked: 1_000_001, limit: 1_000_000 });
    const metrics = await (await fetch(`${home.env.WEIGHHOUSE_URL}/metrics`)).text();
    expect(metrics).toContain('method="PUT",route="/api/v1/drafts/{namespace}/{name}/{version}"');
    expect(metrics).not.toContain('{version}/files"');
    expect(metrics).toContain('weighhouse_http_refused_total{code="quota-exceeded"} 1');
  });
});

describe('a push of many small files, its pull and its audit', () => {
  test('take less than a hundredth of what one caller may ask', async () => {
    const pushed = await home.json('push', home.path('model'), 'acme/many@1');
    await home.json('publish', 'acme/many@1', '--digest', String(pushed.digest));
    expect(await home.json('pull', 'acme/many@1', home.path('pulled'))).toMatchObject({
      files: FILES,
    });
    expect(await home.json('audit', '--content')).toMatchObject({ ok: true, releases: 1 });
  }, 120_000);
});

describe('the operator', () => {
  test('sees what a namespace takes up, and so do its people', async () => {
    const used = { files: FILES, bytes: FILES * SIZE };
    const usage = { limits: { bytes: 1_000_000 }, used, published: used, drafts: 0 };
    expect(await home.json('namespace', 'usage', 'acme')).toMatchObject({
      namespace: 'acme',
      usage,
    });
  });

  test('sets a quota of its own, which is shown, counted and taken away again', async () => {
    const limits = { bytes: 2_000_000_000_000, drafts: 3 };
    const set = await home.json(...quota('--bytes', '2TB', '--drafts', '3'));
    expect(set).toMatchObject({ namespace: 'acme', usage: { limits } });
    const { stdout } = await home.run(...quota('--recount'));
    expect(stdout).toContain(`${FILES}, without limit`);
    expect(stdout).toContain('0 of 3');
    expect(await home.json(...quota('--unlimited'))).toMatchObject({ usage: { limits: {} } });
  });

  test.each([[['--unlimited', '--bytes', '1TB']], [['--bytes', '2 cups']], [['--drafts', '-1']]])(
    'is told what is wrong with %j',
    async (flags) => {
      expect((await home.run(...quota(...flags))).status).toBe(2);
    },
  );

  test('is told which rate limits there are', async () => {
    const where = ['--store', home.path('store'), '--keys', home.path('keys')];
    const ran = await home.run('serve', ...where, '--listen', '127.0.0.1:0', '--rate-limit', 'x=1');
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('read, search, write, log, exchange, device');
  });
});
