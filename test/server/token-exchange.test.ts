/** The token endpoint, as an OAuth client and as one of ours see it (RFC 8693, RFC 6749). */
import { describe, expect, test } from '@jest/globals';
import { parseNamespace } from '../../src/core/release/name.ts';
import { CI_SECONDS, CI_UPLOAD_SECONDS, openToken } from '../../src/keyring/token.ts';
import { distrustPublisher, trustPublisher } from '../../src/registry/trusted-publishers.ts';
import { LOAD_LIMITS } from '../../src/server/loads.ts';
import { makeIssuerKey } from '../made/issuer.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();
const MAX_EXCHANGES = LOAD_LIMITS.exchange.atOnce;

describe('an exchange', () => {
  test('gives a job a token of ours, for a quarter of an hour', async () => {
    const { status, type, headers, body } = await publishing().exchange(await publishing().token());
    expect(status).toBe(200);
    expect(type).toContain('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'push:acme',
    });
    const { served, idOf, publisher } = publishing();
    const now = Date.now();
    const claims = await openToken(served.tokens, body.access_token, now);
    const subject = `ci:${idOf(publisher)}`;
    expect(claims).toMatchObject({ ci: true, roles: [], namespace: 'acme', subject });
    expect(claims.expires).toBeLessThanOrEqual(now / 1000 + CI_SECONDS);
  });

  test('is logged with who the job was, and without any token', async () => {
    const token = await publishing().token();
    const { body } = await publishing().exchange(token);
    const line = JSON.parse(publishing().served.logged.find((it) => it.includes('let in'))!);
    expect(line).toMatchObject({
      namespace: 'acme',
      issuer: publishing().issuer.url,
      job: 'repo:acme/tiny:environment:release',
    });
    const all = publishing().served.logged.join('');
    expect(all).not.toContain(token);
    expect(all).not.toContain(body.access_token);
  });

  test('takes RS256 as well, an id token, and the registry as audience and resource', async () => {
    const rsa = await makeIssuerKey('rsa', 'RS256');
    publishing().issuer.keys.push(rsa);
    const { status } = await publishing().exchange(await publishing().token({}, {}, rsa), {
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      audience: publishing().served.origin,
      resource: `${publishing().served.url}/api/v1`,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      something_new: 'is let by',
    });
    expect(status).toBe(200);
  });

  test('asks the issuer for its keys once, however many jobs come at the same time', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => publishing().token()));
    const answers = await Promise.all(tokens.map((token) => publishing().exchange(token)));
    expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 200));
    expect(publishing().issuer.asked).toBe(1);
  });
});

describe('a refusal', () => {
  const cases: [string, Record<string, string | undefined>, string, string][] = [
    ['another grant type', { grant_type: 'password' }, 'unsupported_grant_type', 'usage'],
    ['no grant type', { grant_type: undefined }, 'invalid_request', 'bad-document'],
    ['no token', { subject_token: undefined }, 'invalid_request', 'bad-document'],
    ['a token that is none', { subject_token: 'x' }, 'invalid_grant', 'not-authorised'],
    ['another type', { subject_token_type: 'urn:x' }, 'invalid_request', 'bad-document'],
    ['no scope', { scope: undefined }, 'invalid_request', 'bad-document'],
    ['another scope', { scope: 'publish:acme' }, 'invalid_scope', 'usage'],
    ['two scopes', { scope: 'push:acme push:other' }, 'invalid_scope', 'usage'],
    ['no namespace', { scope: 'push:../acme' }, 'invalid_request', 'bad-name'],
    ['another audience', { audience: 'elsewhere' }, 'invalid_target', 'usage'],
    ['another resource', { resource: 'https://elsewhere' }, 'invalid_target', 'usage'],
    ['another answer', { requested_token_type: 'urn:x' }, 'invalid_request', 'bad-document'],
  ];

  test.each(cases)('of %s has the members of OAuth and ours', async (_, changes, error, code) => {
    const { status, type, headers, body } = await publishing().exchange(
      await publishing().token(),
      changes,
    );
    expect([status, body.error, body.code]).toEqual([400, error, code]);
    expect(type).toContain('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      status: 400,
      title: code,
      type: `urn:weighhouse:problem:${code}`,
    });
    expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  test('of a parameter that stands twice, of JSON and of nothing', async () => {
    const twice = await publishing().post('scope=push:acme&scope=push:other');
    expect(twice.body).toMatchObject({ error: 'invalid_request', code: 'usage' });
    const json = await publishing().post('{}', 'application/json');
    expect(json.body).toMatchObject({ error: 'invalid_request', code: 'bad-json' });
    const long = await publishing().post(`scope=${'x'.repeat(30_000)}`);
    expect(long.body).toMatchObject({ error: 'invalid_request', code: 'too-large' });
  });

  test('says no more of a namespace that is not there than of one that trusts nobody', async () => {
    await publishing().served.createNamespace('other');
    const sentences = [];
    for (const namespace of ['other', 'nothing']) {
      const { body } = await publishing().exchange(await publishing().token(), {
        scope: `push:${namespace}`,
      });
      expect(body.error).toBe('invalid_grant');
      sentences.push(body.detail.replaceAll(namespace, 'NAMESPACE'));
    }
    expect(sentences[0]).toBe(sentences[1]);
  });
});

describe('where the issuer does not answer', () => {
  test('nothing is accepted, and the operator hears of it', async () => {
    publishing().issuer.answer = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    const { status, type, body } = await publishing().exchange(await publishing().token());
    expect([status, body.code]).toEqual([502, 'network']);
    expect(type).toContain('application/problem+json');
    expect(publishing().served.logged.join('')).toContain('could not be asked');
  });

  test('only so many wait for it at the same time', async () => {
    let answer = () => {};
    const answering = new Promise<void>((resolve) => {
      answer = resolve;
    });
    publishing().issuer.answer = (_, response) => {
      void answering.then(() => response.writeHead(500).end());
      return true;
    };
    const tokens = await Promise.all(
      Array.from({ length: MAX_EXCHANGES + 1 }, () => publishing().token()),
    );
    const asked = tokens.map((token) => publishing().exchange(token));
    const { status, headers, body } = await Promise.race(asked);
    expect([status, body.code]).toEqual([503, 'overloaded']);
    expect(headers.get('retry-after')).toMatch(/^[1-4]$/);
    answer();
    const statuses = (await Promise.all(asked)).map((it) => it.status);
    expect(statuses.filter((it) => it === 502)).toHaveLength(MAX_EXCHANGES);
  });
});

describe('what a job is given', () => {
  test('pushes and seals, and its uploads may go on for a day', async () => {
    const token = await publishing().admitted();
    const { served } = publishing();
    const pushed = await served.push('acme/tiny@v1', { 'README.md': 'Hello.' }, { token });
    expect(pushed.digest).toMatch(/^sha256:/);
    const { expires } = await openToken(served.tokens, pushed.session, Date.now());
    expect(expires - Date.now() / 1000).toBeLessThanOrEqual(CI_UPLOAD_SECONDS);
    expect(await served.api('/drafts/acme/tiny/v1', { token })).toMatchObject({
      missing: [{ need: 'role' }],
    });
  });

  test('ends at once, and its uploads with it, when its publisher is no longer trusted', async () => {
    const token = await publishing().admitted();
    const { served, publisher, idOf } = publishing();
    const { session } = await served.push('acme/tiny@v1', { 'README.md': 'Hello.' }, { token });
    const statuses = async () => {
      const all = [token, session].map((each) =>
        served.fetch('/api/v1/drafts/acme/tiny/v1', { token: each }),
      );
      return (await Promise.all(all)).map(({ status }) => status);
    };
    expect(await statuses()).toEqual([200, 200]);
    const acme = parseNamespace('acme');
    await distrustPublisher(served.store, acme, idOf(publisher), idOf);
    expect(await statuses()).toEqual([401, 401]);
    // Those that were let in before stay out, when the same jobs are trusted once more.
    await trustPublisher(served.store, acme, publisher, idOf);
    expect(await statuses()).toEqual([401, 401]);
  });

  test('ends after a quarter of an hour', async () => {
    const token = await publishing().admitted();
    publishing().pass(CI_SECONDS * 1000 + 1000);
    const { status } = await publishing().served.fetch('/api/v1/drafts/acme/tiny/v1', {
      method: 'PUT',
      token,
    });
    expect(status).toBe(401);
  });
});
