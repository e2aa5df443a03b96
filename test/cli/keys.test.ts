import { createPublicKey } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkEnrolments } from '../../src/core/release/enrolment.ts';
import { soloPolicy } from '../../src/core/release/policy.ts';
import type { PolicyKey } from '../../src/core/release/policy-key.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type Home, makeHome, makeWorld, run } from './command-line.ts';

const ORIGIN = 'models.example';

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const made = (...more: string[]) => [
  'init',
  '--store',
  home.path('store'),
  '--keys',
  home.path('keys'),
  '--origin',
  'models.example',
  ...more,
];

/** What lies in the home, and whether anything was made in it. */
const found = async () => (await readdir(home.folder, { recursive: true })).sort();

describe('personal keys', () => {
  test('a new key shows the public half that "key show" finds in the file', async () => {
    const file = home.path('me.key');
    const { pem, id } = await home.json('key', 'new', file, '--no-passphrase');
    expect(createPublicKey(pem as string).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const shown = await home.run('key', 'show', file);
    expect(shown).toMatchObject({ status: 0, stdout: pem });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('is enrolled as one person of one namespace, with an entry to paste into a policy', async () => {
    const file = home.path('me.key');
    await home.run('key', 'new', file, '--no-passphrase');
    const enroll = (...more: string[]) =>
      home.run('key', 'enroll', file, '--origin', ORIGIN, '--namespace', 'acme', ...more);
    const ran = await enroll('--person', 'ada');
    const key = JSON.parse(ran.stdout) as PolicyKey;
    const policy = (id: string) => soloPolicy(ORIGIN, 'acme', { id, name: 'Ada', key });
    expect(await checkEnrolments(nodeHost, policy('ada'))).toMatchObject({ ok: true });
    expect(await checkEnrolments(nodeHost, policy('bob'))).toMatchObject({ ok: false });
    expect((await enroll()).status).toBe(2);
    expect((await enroll('--person', 'Not An Id')).status).toBe(20);
  });

  test('the private half is in no output', async () => {
    const file = home.path('me.key');
    const ran = await home.run('key', 'new', file, '--no-passphrase', '--json');
    const { d } = JSON.parse(await readFile(file, 'utf8')) as { d: string };
    expect(ran.stdout + ran.stderr).not.toContain(d);
    expect(ran.stderr).toContain('warning');
  });

  test('a key file is never overwritten', async () => {
    const file = home.path('me.key');
    await home.run('key', 'new', file, '--no-passphrase');
    const before = await readFile(file);
    const again = await home.run('key', 'new', file, '--no-passphrase');
    expect(again.status).toBe(1);
    expect(await readFile(file)).toEqual(before);
  });

  test('is encrypted with the first line of --passphrase-file, and opens with that alone', async () => {
    const file = home.path('me.key');
    await writeFile(home.path('right'), 'correct horse\n');
    await writeFile(home.path('wrong'), 'battery staple\n');
    const { pem } = await home.json('key', 'new', file, '--passphrase-file', home.path('right'));
    expect(await readFile(file, 'utf8')).toMatch(/^eyJ/);
    const shown = await home.run('key', 'show', file, '--passphrase-file', home.path('right'));
    expect(shown).toMatchObject({ status: 0, stdout: pem });
    const refused = await home.run('key', 'show', file, '--passphrase-file', home.path('wrong'));
    expect(refused.status).toBe(3);
    const nobody = await home.run('key', 'show', file);
    expect(nobody.status).toBe(3);
    expect(nobody.stderr).toContain('WEIGHHOUSE_PASSPHRASE');
  });

  test('takes the passphrase from the environment, below the flag', async () => {
    const file = home.path('me.key');
    const env = { ...home.env, WEIGHHOUSE_PASSPHRASE: 'from the environment' };
    expect((await run(['key', 'new', file], makeWorld(env))).status).toBe(0);
    expect((await run(['key', 'show', file], makeWorld(env))).status).toBe(0);
    await writeFile(home.path('other'), 'from the flag\n');
    const flagged = ['key', 'show', file, '--passphrase-file', home.path('other')];
    expect((await run(flagged, makeWorld(env))).status).toBe(3);
  });

  test('asks twice at a terminal, and makes nothing when the answers differ', async () => {
    for (const [second, status] of [
      ['correct horse', 0],
      ['correct hose', 2],
    ] as const) {
      const file = home.path(`${status}.key`);
      const world = makeWorld(home.env);
      world.stdin.isTTY = true;
      world.stderr.isTTY = true;
      const running = run(['key', 'new', file], world);
      await world.hears('New passphrase: ');
      world.stdin.write('correct horse\n');
      await world.hears('Once more: ');
      world.stdin.write(`${second}\n`);
      expect((await running).status).toBe(status);
      const names = await readdir(home.folder);
      expect(names.includes(`${status}.key`)).toBe(status === 0);
    }
  });

  test('without a terminal says what to give, and a short passphrase is refused', async () => {
    const nobody = await home.run('key', 'new', home.path('a.key'));
    expect(nobody.status).toBe(2);
    expect(nobody.stderr).toContain('--no-passphrase');
    await writeFile(home.path('short'), '1234567\n');
    const short = ['key', 'new', home.path('b.key'), '--passphrase-file', home.path('short')];
    expect((await home.run(...short)).status).toBe(2);
    await writeFile(home.path('short'), '12345678\n');
    expect((await home.run(...short)).status).toBe(0);
  });
});

describe('init', () => {
  test('makes keys, root and log, and leaves the root key out of the server’s keys', async () => {
    const answer = await home.json(...made('--no-passphrase'));
    expect(answer).toMatchObject({ origin: 'models.example' });
    expect(answer.vkey).toMatch(/^models\.example\+[0-9a-f]{8}\+/);
    expect(answer.fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(answer).not.toHaveProperty('token');
    expect((await readdir(home.path('keys'))).sort()).toEqual([
      'log.key',
      'registry.json',
      'release.key',
      'token.key',
    ]);
    expect(answer.rootKey).toBe(
      home.path('config', 'weighhouse', 'keys', 'models.example', 'root.key'),
    );
    expect((await stat(answer.rootKey as string)).mode & 0o777).toBe(0o600);
  });

  test('with --namespace makes an owner and a token beside', async () => {
    const answer = await home.json(...made('--no-passphrase', '--namespace', 'Acme'));
    expect(answer.namespace).toBe('acme');
    expect(answer.token).toMatch(/^eyJ/);
    expect((await stat(answer.ownerKey as string)).isFile()).toBe(true);
  });

  test('refuses a store that holds a registry, and does not touch it', async () => {
    await home.json(...made('--no-passphrase'));
    const again = await home.run(
      ...made('--no-passphrase').with(4, home.path('other-keys')),
      '--root-key',
      home.path('other-root.key'),
    );
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('holds a registry already');
  });

  test('refuses a root key among the server’s keys', async () => {
    const ran = await home.run(
      ...made('--no-passphrase', '--root-key', home.path('keys', 'root.key')),
    );
    expect(ran.status).toBe(2);
  });

  test('refuses keys that lie where its own would go before it makes anything', async () => {
    await mkdir(home.path('keys'));
    await writeFile(home.path('keys', 'mine'), '');
    await writeFile(home.path('root.key'), '');
    const before = await found();
    const plain = await home.run(...made('--no-passphrase'));
    expect(plain.status).toBe(1);
    expect(plain.stderr).toContain('not empty');
    const elsewhere = made('--no-passphrase').with(4, home.path('other'));
    const root = await home.run(...elsewhere, '--root-key', home.path('root.key'));
    expect(root.status).toBe(1);
    expect(root.stderr).toContain('never overwritten');
    const inside = await home.run(...elsewhere, '--root-key', home.path('other', 'root.key'));
    expect(inside.status).toBe(2);
    expect(await found()).toEqual(before);
  });

  test('refuses bad names before it makes anything', async () => {
    for (const more of [
      ['--namespace', 'api'],
      ['--namespace', 'a b'],
    ]) {
      expect((await home.run(...made('--no-passphrase', ...more))).status).toBe(20);
    }
    expect((await home.run(...made('--no-passphrase').with(6, 'Not A Host'))).status).toBe(20);
    expect(await readdir(home.folder)).toEqual([]);
  });
});

describe('token', () => {
  const create = (...more: string[]) => [
    'token',
    'create',
    '--store',
    home.path('store'),
    '--keys',
    home.path('keys'),
    '--subject',
    'ci',
    ...more,
  ];

  test('holds what was granted, for as long as was said', async () => {
    await home.json(...made('--no-passphrase'));
    const answer = await home.json(
      ...create('--role', 'publisher', 'reader', '--role', 'reader', '--namespace', 'acme'),
    );
    const [, payload] = (answer.token as string).split('.');
    const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as {
      iat: number;
      exp: number;
    };
    expect(claims).toMatchObject({
      sub: 'ci',
      aud: 'models.example',
      ns: 'acme',
      roles: ['publisher', 'reader'],
      jti: answer.id,
    });
    expect(claims.exp - claims.iat).toBe(3600);
    expect(Date.parse(answer.expires as string)).toBe(claims.exp * 1000);
  });

  test('alone is standard output, for scripts', async () => {
    await home.json(...made('--no-passphrase'));
    const { stdout, stderr } = await home.run(...create('--role', 'reader', '--ttl', '7d'));
    expect(stdout).toMatch(/^eyJ[A-Za-z0-9_.-]+\n$/);
    expect(stderr).toMatch(/^id +[0-9a-f]{32}\nexpires +\S+Z\n/);
  });

  test('is not made with the keys of another registry', async () => {
    await home.json(...made('--no-passphrase'));
    const other = made('--no-passphrase', '--root-key', home.path('r.key'))
      .with(2, home.path('store2'))
      .with(4, home.path('keys2'))
      .with(6, 'other.example');
    await home.json(...other);
    const ran = await home.run(...create('--role', 'reader').with(5, home.path('keys2')));
    expect(ran.status).toBe(11);
  });

  test('wrong durations, subjects and ids are wrong uses', async () => {
    await home.json(...made('--no-passphrase'));
    expect((await home.run(...create('--role', 'reader', '--ttl', '1y'))).status).toBe(2);
    expect((await home.run(...create('--role', 'reader').with(7, 'a b'))).status).toBe(2);
    const revoke = ['token', 'revoke', '../../x', '--store', home.path('store')];
    expect((await home.run(...revoke)).status).toBe(2);
  });

  test('can be revoked, and revoked again', async () => {
    await home.json(...made('--no-passphrase'));
    const { id } = await home.json(...create('--role', 'reader'));
    for (let i = 0; i < 2; i++) {
      const revoke = ['token', 'revoke', id as string, '--store', home.path('store')];
      expect((await home.run(...revoke)).status).toBe(0);
    }
  });
});
