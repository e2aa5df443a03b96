/**
 * Trusted publishing as people type it, with a real OpenID provider (the package
 * `oidc-provider`) in the place of the CI system's. The tests tell one story from top to bottom.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OpenIdProvider } from '../made/openid-provider.ts';
import { type Home, type MadeWorld, makeHome, makeWorld, type Ran, run } from './command-line.ts';

const ORIGIN = 'models.example';
const JOB = { repository: 'acme/tiny', ref: 'refs/heads/main', environment: 'release' };

let operator: Home;
let job: Home;
let server: MadeWorld;
let serving: Promise<Ran>;
let provider: OpenIdProvider;
let id: string;
let digest: string;

beforeAll(async () => {
  [operator, job] = [await makeHome(), await makeHome()];
  provider = await OpenIdProvider.start('RS256', ORIGIN);
  const made = await operator.json(
    'init',
    ...['--store', operator.path('store'), '--keys', operator.path('keys')],
    ...['--origin', ORIGIN, '--namespace', 'acme', '--no-passphrase'],
  );
  operator.env.WEIGHHOUSE_TOKEN = made.token as string;
  const issuers = [{ issuer: provider.url, algorithms: ['RS256'] }];
  await writeFile(operator.path('issuers.json'), JSON.stringify(issuers));
  server = makeWorld(operator.env);
  serving = run(
    [
      'serve',
      ...['--store', operator.path('store'), '--keys', operator.path('keys')],
      ...['--listen', '127.0.0.1:0', '--index', operator.path('index')],
      ...['--oidc-issuers', operator.path('issuers.json'), '--oidc-allow-loopback'],
    ],
    server,
  );
  await Promise.race([server.hears('listening on '), serving]);
  const url = server.said().stdout.trim().replace('listening on ', '');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+$/);
  operator.env.WEIGHHOUSE_URL = url;
  job.env.WEIGHHOUSE_URL = url;
  await mkdir(job.path('model'));
  await writeFile(job.path('model', 'config.json'), '{"model_type":"tiny"}\n');
}, 30_000);

afterAll(async () => {
  server.stop();
  await serving;
  await provider.close();
  await Promise.all([operator.remove(), job.remove()]);
});

const store = () => ['--store', operator.path('store')];
const claims = Object.entries(JOB).flatMap(([name, value]) => ['--claim', `${name}=${value}`]);
const exchange = (...argv: string[]) => ['token', 'exchange', '--namespace', 'acme', ...argv];

describe('the operator', () => {
  test('trusts nobody to begin with', async () => {
    const listed = await operator.run('namespace', 'trusted-publishers', 'acme', ...store());
    expect(listed).toMatchObject({ status: 0, stdout: 'acme has no trusted publishers\n' });
    job.env.WEIGHHOUSE_OIDC_TOKEN = await provider.identityOf(JOB);
    expect((await job.run(...exchange())).status).toBe(3);
  });

  test('trusts a publisher, for this registry unless another audience is given', async () => {
    const given = [...store(), '--issuer', provider.url, ...claims];
    const trusted = await operator.json('namespace', 'trust-publisher', 'acme', ...given);
    expect(trusted).toMatchObject({ issuer: provider.url, audience: ORIGIN, claims: JOB });
    id = trusted.id as string;
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    const again = await operator.json('namespace', 'trust-publisher', 'acme', ...given);
    expect(again.id).toBe(id);
  });

  test('lists it once', async () => {
    const shown = await operator.json('namespace', 'trusted-publishers', 'acme', ...store());
    expect(shown.publishers).toEqual([expect.objectContaining({ id, claims: JOB })]);
    const { stdout } = await operator.run('namespace', 'trusted-publishers', 'acme', ...store());
    expect(stdout).toContain(`${id}\n`);
    expect(stdout).toContain('refs/heads/main');
  });

  test.each([
    ['everybody’s main branch', ['--claim', 'ref=refs/heads/main'], 'whose jobs'],
    ['a claim that is always checked', ['--claim', 'aud=x', '--claim', 'sub=x'], 'iss, aud'],
    ['a claim without a value', ['--claim', 'sub'], 'name=value'],
    ['a claim twice', ['--claim', 'sub=a', '--claim', 'sub=b'], 'twice'],
    ['an empty value', ['--claim', 'sub='], 'empty'],
  ])('cannot trust %s', async (_, given, sentence) => {
    const flags = [...store(), '--issuer', provider.url, ...given];
    const ran = await operator.run('namespace', 'trust-publisher', 'acme', ...flags);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain(sentence);
  });

  test('cannot trust anybody in a namespace that is not there, or an issuer without TLS', async () => {
    const flags = [...store(), ...claims, '--issuer'];
    const nowhere = ['namespace', 'trust-publisher', 'nowhere', ...flags, provider.url];
    expect((await operator.run(...nowhere)).status).toBe(4);
    const plain = ['namespace', 'trust-publisher', 'acme', ...flags, 'http://issuer.example'];
    expect((await operator.run(...plain)).status).toBe(2);
  });
});

describe('a CI job', () => {
  test('exchanges its identity, from a file or the environment, and pushes with what it gets', async () => {
    await writeFile(job.path('identity'), `${await provider.identityOf(JOB)}\n`);
    const issued = await job.json(...exchange('--oidc-token-file', job.path('identity')));
    expect(issued).toEqual({
      namespace: 'acme',
      token: expect.any(String),
      expires: expect.stringMatching(/Z$/),
    });
    job.env.WEIGHHOUSE_OIDC_TOKEN = await provider.identityOf(JOB);
    const { status, stdout } = await job.run(...exchange());
    expect(status).toBe(0);
    job.env.WEIGHHOUSE_TOKEN = stdout.trim();
    const pushed = await job.json('push', job.path('model'), 'acme/tiny@1.0');
    digest = pushed.digest as string;
    expect(digest).toMatch(/^sha256:/);
    expect(await job.json('status', 'acme/tiny@1.0')).toMatchObject({ state: 'sealed', digest });
  });

  test('cannot publish or withdraw it: 3', async () => {
    const publish = await job.run('publish', 'acme/tiny@1.0', '--digest', digest);
    expect(publish.status).toBe(3);
    expect(publish.stderr).toContain('push and seal');
    expect((await job.run('withdraw', 'acme/tiny@1.0')).status).toBe(3);
  });

  test('is refused with the same identity again, another job’s, and none', async () => {
    expect((await job.run(...exchange())).stderr).toContain('exchanged before');
    const other = { ...JOB, ref: 'refs/pull/7/merge' };
    job.env.WEIGHHOUSE_OIDC_TOKEN = await provider.identityOf(other);
    const refused = await job.run(...exchange());
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('no trusted publisher of acme');
    delete job.env.WEIGHHOUSE_OIDC_TOKEN;
    expect((await job.run(...exchange())).status).toBe(2);
    expect((await job.run(...exchange('--oidc-token-file', job.path('nothing')))).status).toBe(2);
  });

  test('leaves what it pushed for people to publish', async () => {
    const published = await operator.json('publish', 'acme/tiny@1.0', '--digest', digest);
    expect(published).toMatchObject({ digest, index: expect.any(Number) });
  });
});

describe('a publisher that is no longer trusted', () => {
  test('is let in no more', async () => {
    const gone = await operator.json('namespace', 'distrust-publisher', 'acme', id, ...store());
    expect(gone).toMatchObject({ id, removed: true });
    job.env.WEIGHHOUSE_OIDC_TOKEN = await provider.identityOf(JOB);
    expect((await job.run(...exchange())).status).toBe(3);
    const again = await operator.run('namespace', 'distrust-publisher', 'acme', id, ...store());
    expect(again.status).toBe(4);
  });
});

describe('the list of issuers', () => {
  test.each([
    ['that is not there', undefined, 2],
    ['with an issuer on this machine', [{ issuer: 'http://127.0.0.1', algorithms: ['RS256'] }], 20],
    ['with a secret’s algorithm', [{ issuer: 'https://i.example', algorithms: ['HS256'] }], 20],
    ['without algorithms', [{ issuer: 'https://i.example', algorithms: [] }], 20],
    ['with something unknown', [{ issuer: 'https://i.example', algorithms: ['RS256'], x: 1 }], 20],
  ])('%s stops the server from starting', async (_, list, status) => {
    const file = operator.path('list.json');
    if (list !== undefined) await writeFile(file, JSON.stringify(list));
    const ran = await operator.run(
      'serve',
      ...['--store', operator.path('store'), '--keys', operator.path('keys')],
      ...['--listen', '127.0.0.1:0', '--index', operator.path('index')],
      ...['--oidc-issuers', list === undefined ? operator.path('nothing') : file],
    );
    expect([ran.status, ran.stdout]).toEqual([status, '']);
  });
});
