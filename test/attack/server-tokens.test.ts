/** Tokens that must not open anything. */
import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { parseNamespace } from '../../src/core/release/name.ts';
import { tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import { issueToken } from '../../src/keyring/token.ts';
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

const STRANGE = ['not-authorised', 'the token is not one of this registry'];

/** The right claims of a publisher. */
function claims(): SignJWT {
  return new SignJWT({ roles: ['publisher'], ns: 'acme' })
    .setIssuer(served.origin)
    .setAudience(served.origin)
    .setSubject('mallory')
    .setJti('0'.repeat(32))
    .setIssuedAt()
    .setExpirationTime('1h');
}

function header(changes: Partial<JWTHeaderParameters> = {}): JWTHeaderParameters {
  return { alg: 'EdDSA', typ: 'weighhouse+jwt', ...changes };
}

/** The public key of our tokens as whoever forges one may find it. */
async function publicForms(): Promise<Uint8Array[]> {
  const root = await (await served.fetch('/.well-known/weighhouse/root.json')).bytes();
  const { signed } = JSON.parse(new TextDecoder().decode(root));
  const [jwk] = signed.token;
  const raw = Buffer.from(jwk.x, 'base64url');
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const pem = key.export({ type: 'spki', format: 'pem' });
  const der = key.export({ type: 'spki', format: 'der' });
  return [root, raw, Buffer.from(pem), der, Buffer.from(JSON.stringify(jwk))];
}

async function refusal(token: string): Promise<[number, string, string]> {
  const response = await served.fetch(DRAFT, { token });
  const { code, detail } = (await response.json()) as { code: string; detail: string };
  return [response.status, code, detail];
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

  test('signed with the public key as an HMAC secret, in whatever form, is refused', async () => {
    for (const secret of await publicForms()) {
      const forged = await claims()
        .setProtectedHeader(header({ alg: 'HS256' }))
        .sign(secret);
      expect(await refusal(forged)).toEqual([401, ...STRANGE]);
    }
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c', 'kid'])(
    'that brings its own key, by %s, is refused',
    async (member) => {
      const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
      const jwk = await exportJWK(publicKey);
      const value = { jwk, x5c: [jwk.x], kid: '../../../../dev/null' }[member] ?? served.url;
      const forged = claims().setProtectedHeader(header({ [member]: value } as never));
      expect(await refusal(await forged.sign(privateKey))).toEqual([401, ...STRANGE]);
    },
  );

  test.each([
    ['audience', (jwt: SignJWT) => jwt.setAudience('another.test')],
    ['issuer', (jwt: SignJWT) => jwt.setIssuer('another.test')],
  ] as const)('for another %s is refused, though our key signed it', async (_, change) => {
    const token = await change(claims()).setProtectedHeader(header()).sign(served.tokens.signing);
    expect(await refusal(token)).toEqual([401, ...STRANGE]);
  });

  test.each(['JWT', 'at+jwt', undefined])(
    'of the kind %s is refused, though our key signed it',
    async (typ) => {
      const token = claims().setProtectedHeader(header({ typ } as never));
      const signed = await token.sign(served.tokens.signing);
      expect(await refusal(signed)).toEqual([
        401,
        'not-authorised',
        'the token is of another kind',
      ]);
    },
  );

  test('with a header that must be understood and is not is refused', async () => {
    const odd = header({ crit: ['odd'], odd: true } as never);
    const signing = claims().setProtectedHeader(odd);
    const signed = await signing.sign(served.tokens.signing, { crit: { odd: true } });
    expect(await refusal(signed)).toEqual([401, ...STRANGE]);
  });

  test('of another registry, or of another key of this name, is refused', async () => {
    for (const origin of ['another.test', served.origin]) {
      const foreign = await tokenKey(origin, newEd25519Key());
      const { token } = await issueToken(foreign, GRANT, 3600, Date.now());
      expect(await status(`Bearer ${token}`)).toBe(401);
    }
  });

  test('of another namespace, or of a reader, makes no draft and sees none: 403', async () => {
    const reader = await served.token({ roles: ['reader'] });
    const foreign = await served.token({ roles: ['publisher'], namespace: 'elsewhere' });
    expect(await status(`Bearer ${reader.token}`, DRAFT, 'PUT')).toBe(403);
    expect(await status(`Bearer ${foreign.token}`, DRAFT, 'PUT')).toBe(403);
    expect(await status(`Bearer ${reader.token}`, DRAFT, 'GET')).toBe(403);
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
