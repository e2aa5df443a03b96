/**
 * Tokens of OCI clients, after the Distribution Registry's "Token Authentication Specification" and
 * "Token Scope": the service that gives them, and what is asked for where one is shown.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { parseModel, parseNamespace } from '../../src/core/release/name.ts';
import {
  issuePullToken,
  MAX_REPOSITORIES,
  PULL_TOKEN_SECONDS,
} from '../../src/keyring/pull-token.ts';
import { issueCiToken } from '../../src/keyring/token.ts';
import type { Loose } from '../made/loose.ts';
import { FAILURE } from '../made/refusal-forms.ts';
import { type RequestOptions, Served } from '../made/served.ts';

const TEXT = 'Hello.';
const TAGS = '/v2/acme/tiny/tags/list';
const SCOPE = 'repository:acme/tiny:pull';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'a.txt': TEXT });
  await served.publish('acme/other@v1', { 'a.txt': TEXT });
  await served.push('acme/secret@v1', { 'a.txt': 'Not yet.' });
}, 30_000);
afterAll(() => served.stop());

async function ask(path: string, options: RequestOptions = {}) {
  const response = await served.fetch(path, options);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const basic = (password: string, user = 'anyone') => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** The answer of the token service; `query` without its question mark. */
async function service(query: string, options: RequestOptions = {}): Promise<Loose> {
  const answer = await ask(`/token?${query}`, options);
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return JSON.parse(answer.text);
}

const pullToken = async (options: RequestOptions = {}, scope = SCOPE): Promise<string> =>
  (await service(`service=${served.origin}&scope=${scope}`, options)).token;

/** Of a challenge (RFC 9110, section 11.6.1) its scheme and its parameters. */
function parseChallenge(header: string | null): Record<string, string> {
  const [, scheme = '', rest = ''] = /^(\w+) (.*)$/.exec(header ?? '') ?? [];
  const parameters = [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
  return { scheme, ...Object.fromEntries(parameters) };
}

describe('Requesting a Token', () => {
  test('anybody gets one, under both of its names, with its time', async () => {
    const begun = Math.floor(Date.now() / 1000) * 1000;
    const { token, access_token, expires_in, issued_at, ...rest } = await service(`scope=${SCOPE}`);
    expect(rest).toEqual({});
    expect(access_token).toBe(token);
    expect(expires_in).toBe(PULL_TOKEN_SECONDS);
    expect(Date.parse(issued_at)).toBeGreaterThanOrEqual(begun);
    expect(issued_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
  });

  const repository = (name: string) => ({ type: 'repository', name, actions: ['pull'] });
  test.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['one repository', `scope=${SCOPE}`, ['acme/tiny']],
    [
      'several, each by itself',
      `scope=${SCOPE}&scope=repository:acme/b:pull`,
      ['acme/tiny', 'acme/b'],
    ],
    ['several in one', `scope=${SCOPE}%20repository:acme/b:pull`, ['acme/tiny', 'acme/b']],
    ['one twice', `scope=${SCOPE}&scope=${SCOPE}`, ['acme/tiny']],
    ['to push, too', 'scope=repository:acme/tiny:pull,push', ['acme/tiny']],
    ['to push, first', 'scope=repository:acme/tiny:push,pull', ['acme/tiny']],
    ['a class, which is ignored', 'scope=repository(plugin):acme/tiny:pull', ['acme/tiny']],
    ['capitals', 'scope=repository:Acme/Tiny:pull', ['acme/tiny']],
    ['to push alone', 'scope=repository:acme/tiny:push', []],
    ['everything', 'scope=repository:acme/tiny:*', []],
    ['the catalogue', 'scope=registry:catalog:*', []],
    ['another host’s', 'scope=repository:other.example:443/acme/tiny:pull', []],
    ['what is no name', 'scope=repository:../../etc:pull', []],
    ['what is no scope', 'scope=pull&scope=::&scope=%00', []],
  ])('for %s is granted as far as it is pulling', async (_, query, names) => {
    expect(decodeJwt((await service(query)).token).access).toEqual(names.map(repository));
  });

  test('for too many repositories is refused, and for one less is not', async () => {
    const scopes = (count: number) =>
      Array.from({ length: count }, (_, n) => `scope=repository:acme/m${n}:pull`).join('&');
    await service(scopes(MAX_REPOSITORIES));
    const refused = await ask(`/token?${scopes(MAX_REPOSITORIES + 1)}`);
    expect([refused.status, FAILURE.oci(refused)]).toEqual([400, 'UNSUPPORTED']);
  });

  test('for another service is refused', async () => {
    for (const query of ['service=other.example', `service=${served.origin}&service=x`]) {
      const refused = await ask(`/token?${query}`);
      expect([refused.status, FAILURE.oci(refused)]).toEqual([400, 'UNSUPPORTED']);
    }
  });

  test('lets by what it does not know: account, client_id, offline_token', async () => {
    const answer = await service('account=me&client_id=docker&offline_token=true');
    expect(answer.refresh_token).toBeUndefined();
  });

  test('says of no repository whether it is there, and does not look', async () => {
    const claims = async (name: string) => {
      const { jti, iat, exp, ...rest } = decodeJwt(await pullToken({}, `repository:${name}:pull`));
      return JSON.stringify(rest).replaceAll(name, 'NAME');
    };
    const known = await claims('acme/tiny');
    for (const name of ['acme/secret', 'acme/none', 'nobody/none'])
      expect(await claims(name)).toBe(known);
  });

  test('is a GET: a POST is told so', async () => {
    const refused = await ask('/token', { method: 'POST' });
    expect([refused.status, FAILURE.oci(refused)]).toEqual([405, 'UNSUPPORTED']);
    expect(refused.headers.get('allow')).toBe('GET, HEAD');
  });

  test.each(['password', 'bearer'])(
    'with a token of the registry (%s) is in its name',
    async (way) => {
      const { token, id } = await served.token({ roles: ['reader'], subject: 'alice' });
      const shown = way === 'bearer' ? { token } : { headers: basic(token) };
      expect(decodeJwt(await pullToken(shown))).toMatchObject({ sub: 'alice', parent: id });
    },
  );

  test('lasts no longer than the token that was shown', async () => {
    const { token } = await served.token({ roles: ['reader'], seconds: 100 });
    const { expires_in } = await service('', { headers: basic(token) });
    expect(expires_in).toBeGreaterThan(90);
    expect(expires_in).toBeLessThanOrEqual(100);
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    ['no token', async () => basic('secret')],
    ['an empty password', async () => basic('')],
    [
      'no password',
      async () => ({ authorization: `Basic ${Buffer.from('x').toString('base64')}` }),
    ],
    ['what is not Base64', async () => ({ authorization: 'Basic %%%' })],
    ['another scheme', async () => ({ authorization: 'Digest x' })],
    ['a name that is a token', async () => basic('', served.publisher)],
    ['a pull token', async () => basic(await pullToken())],
    ['an upload credential', async () => basic(await sessionOf('acme/drafted@v1'))],
    ['a token of a CI job', async () => basic(await ciToken())],
    ['an expired token', async () => basic((await served.token({ roles: [], seconds: -1 })).token)],
  ])('with %s as credentials is refused with 401', async (_, headers) => {
    const refused = await ask(`/token?scope=${SCOPE}`, { headers: await headers() });
    expect([refused.status, FAILURE.oci(refused)]).toEqual([401, 'UNAUTHORIZED']);
    expect(parseChallenge(refused.headers.get('www-authenticate'))).toEqual({
      scheme: 'Basic',
      realm: served.origin,
    });
  });
});

async function sessionOf(reference: string): Promise<string> {
  const path = `/drafts/${reference.replace('@', '/')}`;
  return (await served.api(path, { method: 'PUT' })).session;
}

async function ciToken(): Promise<string> {
  const grant = { namespace: parseNamespace('acme'), grant: `${'0f'.repeat(8)}.1` };
  Object.assign(served.registry, { trustsGrant: async () => true });
  return (await issueCiToken(served.tokens, 'ci:1', grant, Date.now())).token;
}

describe('Using the Bearer token', () => {
  const READS = ['/v2/', '/v2/_catalog', TAGS, '/v2/acme/tiny/manifests/v1'];

  test.each(READS)('%s is read without one', async (path) => {
    const { status, headers } = await ask(path);
    expect(status).toBe(200);
    // The first answer that clients ask for offers what no other one asks for.
    expect(headers.has('www-authenticate')).toBe(path === '/v2/');
  });

  test.each(READS)('%s is read with a good one of any kind', async (path) => {
    const { token } = await served.token({ roles: [] });
    for (const shown of [
      { token: await pullToken() },
      { token: await pullToken({ headers: basic(token) }) },
      { token },
      { headers: basic(token) },
    ]) {
      expect((await ask(path, shown)).status).toBe(200);
    }
  });

  test.each<[string, string, string | undefined]>([
    ['/v2/', 'GET', undefined],
    ['/v2/_catalog', 'GET', undefined],
    [TAGS, 'GET', SCOPE],
    ['/v2/Acme/%74iny/manifests/v1', 'HEAD', SCOPE],
    ['/v2/acme/none/blobs/x', 'GET', 'repository:acme/none:pull'],
    ['/v2/acme/"x"/tags/list', 'GET', undefined],
    ['/v2/acme/%zz/tags/list', 'GET', undefined],
  ])('%s (%s) with one that is none is challenged', async (path, method, scope) => {
    const refused = await ask(path, { method, token: 'none' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    if (method === 'GET') expect(FAILURE.oci(refused)).toBe('UNAUTHORIZED');
    expect(parseChallenge(refused.headers.get('www-authenticate'))).toEqual({
      scheme: 'Bearer',
      realm: `${served.url}/token`,
      service: served.origin,
      error: 'invalid_token',
      ...(scope === undefined ? {} : { scope }),
    });
  });

  test('the challenge leads to a token that is good', async () => {
    const refused = await ask(TAGS, { token: 'none' });
    const { realm, ...query } = parseChallenge(refused.headers.get('www-authenticate'));
    const { token } = (await (
      await fetch(`${realm}?${new URLSearchParams(query)}`)
    ).json()) as Loose;
    expect((await ask(TAGS, { token })).status).toBe(200);
  });

  test('of a registry without this key, of another origin, or with a bad password, is refused', async () => {
    const foreign = { ...served.tokens, origin: 'other.example' };
    const { token } = await issuePullToken(
      foreign,
      [parseModel('acme/tiny')],
      undefined,
      Date.now(),
    );
    expect((await ask(TAGS, { token })).status).toBe(401);
    expect((await ask(TAGS, { headers: basic('secret') })).status).toBe(401);
    expect((await ask(TAGS, { headers: { authorization: 'Bearer' } })).status).toBe(401);
  });

  test('reads the repositories that it names and no other, however they are spelled', async () => {
    const token = await pullToken();
    for (const name of ['acme/tiny', 'Acme/Tiny', '%61cme/tiny']) {
      expect((await ask(`/v2/${name}/tags/list`, { token })).status).toBe(200);
    }
    for (const name of ['acme/other', 'acme/secret', '%61cme/%6fther', 'ACME/Other']) {
      const refused = await ask(`/v2/${name}/tags/list`, { token });
      expect([name, refused.status, FAILURE.oci(refused)]).toEqual([name, 401, 'UNAUTHORIZED']);
      expect(parseChallenge(refused.headers.get('www-authenticate'))).toMatchObject({
        error: 'insufficient_scope',
        scope: `repository:${decodeURIComponent(name).toLowerCase()}:pull`,
      });
    }
  });

  test('opens nothing in our own API, and says of nobody who it is', async () => {
    const token = await pullToken({ token: served.publisher });
    for (const path of ['/api/v1/releases', '/api/v1/drafts/acme/secret/v1', '/api/whoami-v2']) {
      expect((await ask(path, { token })).status).toBe(401);
    }
    const options = { method: 'PUT', token };
    expect((await ask('/api/v1/drafts/acme/thief/v1', options)).status).toBe(401);
  });

  test('is not asked about a push, which is answered as without one', async () => {
    for (const token of [null, 'none', await pullToken()]) {
      const refused = await ask('/v2/acme/tiny/blobs/uploads/', { method: 'POST', token });
      expect([refused.status, FAILURE.oci(refused)]).toEqual([405, 'UNSUPPORTED']);
      expect(refused.text).toContain('weighhouse push DIR REF');
    }
  });

  test('that was not published is as absent with a token for it as without', async () => {
    const of = async (name: string) => {
      const token = await pullToken({ token: served.publisher }, `repository:${name}:pull`);
      const { status, text } = await ask(`/v2/${name}/manifests/v1`, { token });
      return [status, text.replaceAll(name, 'NAME')];
    };
    expect(await of('acme/secret')).toEqual(await of('acme/none'));
    expect((await of('acme/secret'))[0]).toBe(404);
  });
});
