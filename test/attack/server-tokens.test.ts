/** Tokens that must not open anything. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { parseNamespace } from '../../src/core/release/name.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import { issueToken, tokenKey } from '../../src/keyring/token.ts';
import { REVOCATION_SECONDS } from '../../src/server/auth.ts';
import { keys } from '../../src/store/keys.ts';
import { draftPath, Served } from '../made/served.ts';

const DRAFT = '/api/v1/drafts/acme/tiny/v1';
const GRANT = {
  subject: 'mallory',
  roles: ['publisher'],
  namespace: parseNamespace('acme'),
} as const;

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.api('/drafts/acme/tiny/v1', { method: 'PUT' });
});
afterAll(() => served.stop());

async function status(authorization: string, path = DRAFT, method = 'GET'): Promise<number> {
  return (await served.fetch(path, { method, headers: { authorization } })).status;
}

describe('a request', () => {
  test('without a token is asked for one', async () => {
    const response = await served.fetch(DRAFT);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="weighhouse"');
    expect(await response.json()).toMatchObject({ code: 'not-authorised' });
  });

  test('with the right token is answered', async () => {
    expect(await status(`Bearer ${served.publisher}`)).toBe(200);
    expect(await status(`bearer ${served.publisher}`)).toBe(200);
  });

  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic dXNlcjpwYXNz',
    'Bearer a b',
    'Bearer a,b',
    'Bearer x',
    'Bearer ..',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
    `Bearer ${'a'.repeat(5_000)}`,
  ])('with "%s" is refused', async (header) => {
    expect(await status(header)).toBe(401);
  });

  test('with a bad token is refused even where none is needed', async () => {
    expect(await status('Bearer x', '/api/v1/releases')).toBe(401);
  });
});

describe('a token', () => {
  test('with any one character changed is refused', async () => {
    const { publisher } = served;
    for (let i = 0; i < publisher.length; i += 7) {
      const other = publisher[i] === 'A' ? 'B' : 'A';
      const changed = publisher.slice(0, i) + other + publisher.slice(i + 1);
      expect([i, await status(`Bearer ${changed}`)]).toEqual([i, 401]);
    }
  });

  test('without a signature is refused', async () => {
    const none = new UnsecuredJWT({ roles: ['publisher'] })
      .setIssuer(served.origin)
      .setAudience(served.origin)
      .setSubject('mallory')
      .setJti('0'.repeat(32))
      .setIssuedAt()
      .setExpirationTime('1h')
      .encode();
    expect(await status(`Bearer ${none}`)).toBe(401);
  });

  test('signed with the public key as an HMAC secret is refused', async () => {
    const config = await (await served.fetch('/.well-known/weighhouse/root.json')).bytes();
    const forged = await new SignJWT({ roles: ['publisher'] })
      .setProtectedHeader({ alg: 'HS256', typ: 'weighhouse+jwt' })
      .setIssuer(served.origin)
      .setAudience(served.origin)
      .setSubject('mallory')
      .setJti('0'.repeat(32))
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(config);
    expect(await status(`Bearer ${forged}`)).toBe(401);
  });

  test('of another registry, or of another key of this name, is refused', async () => {
    for (const origin of ['another.test', served.origin]) {
      const foreign = await tokenKey(origin, newEd25519Key());
      const { token } = await issueToken(foreign, GRANT, 3600, Date.now());
      expect(await status(`Bearer ${token}`)).toBe(401);
    }
  });

  test('of another namespace, or of a reader, makes no draft: 403', async () => {
    const reader = await served.token({ roles: ['reader'] });
    const foreign = await served.token({ roles: ['publisher'], namespace: 'elsewhere' });
    expect(await status(`Bearer ${reader.token}`, DRAFT, 'PUT')).toBe(403);
    expect(await status(`Bearer ${foreign.token}`, DRAFT, 'PUT')).toBe(403);
    expect(await status(`Bearer ${reader.token}`, DRAFT, 'GET')).toBe(200);
  });

  test('that was revoked is refused at the latest half a minute later, on every server', async () => {
    const { token, id } = await served.token({ roles: ['publisher'] });
    expect(await status(`Bearer ${token}`)).toBe(200);
    await served.store.create(keys.revoked(id), new Uint8Array(1));
    served.pass(REVOCATION_SECONDS * 1000);
    expect(await status(`Bearer ${token}`)).toBe(401);
    const { token: another } = await served.token({ roles: ['publisher'] });
    expect(await status(`Bearer ${another}`)).toBe(200);
  });

  test('that was revoked takes the upload session that it opened with it, and what that one renewed', async () => {
    const { token, id } = await served.token({ roles: ['publisher'] });
    const { session } = await served.api(draftPath('acme/session@v1'), { method: 'PUT', token });
    const renewed = await served.api(draftPath('acme/session@v1'), {
      method: 'PUT',
      token: session,
    });
    const target = `/api/v1${draftPath('acme/session@v1')}`;
    expect(await status(`Bearer ${renewed.session}`, target)).toBe(200);
    await served.store.create(keys.revoked(id), new Uint8Array(1));
    served.pass(REVOCATION_SECONDS * 1000);
    expect(await status(`Bearer ${session}`, target)).toBe(401);
    expect(await status(`Bearer ${renewed.session}`, target)).toBe(401);
  });

  test('is refused once it has expired', async () => {
    const { token } = await served.token({ roles: ['publisher'], seconds: 60 });
    expect(await status(`Bearer ${token}`)).toBe(200);
    served.pass(61_000);
    expect(await status(`Bearer ${token}`)).toBe(401);
  });
});
