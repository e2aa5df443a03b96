import { describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { TOKEN_SKEW_SECONDS, tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import {
  CI_SECONDS,
  CI_UPLOAD_SECONDS,
  issueCiToken,
  issueToken,
  issueUploadCredential,
  openToken,
  UPLOAD_SECONDS,
} from '../../src/keyring/token.ts';
import { signedJwt } from '../made/signed-jwt.ts';

const now = Date.UTC(2026, 0, 31);
const jwk = newEd25519Key();
const issuer = await tokenKey('weights.example', jwk);
const grant = { subject: 'ci', roles: ['publisher'] as const, namespace: parseNamespace('acme') };

describe('bearer tokens', () => {
  test('says what it was issued for', async () => {
    const { token, id } = await issueToken(issuer, grant, 3600, now);
    expect(await openToken(issuer, token, now)).toEqual({
      id,
      parent: undefined,
      renews: false,
      subject: 'ci',
      roles: ['publisher'],
      namespace: 'acme',
      draft: undefined,
      ci: false,
      expires: now / 1000 + 3600,
    });
  });

  test('is good until its last second and not after', async () => {
    const { token } = await issueToken(issuer, grant, 60, now);
    await expect(openToken(issuer, token, now + 59_000)).resolves.toMatchObject({ subject: 'ci' });
    await expect(openToken(issuer, token, now + 60_000)).rejects.toThrowWithCode('not-authorised');
  });

  test('is refused by a clock that is more than a minute before it was issued', async () => {
    const { token } = await issueToken(issuer, grant, 3600, now);
    const skew = TOKEN_SKEW_SECONDS * 1000;
    await expect(openToken(issuer, token, now - skew)).resolves.toMatchObject({ subject: 'ci' });
    const early = openToken(issuer, token, now - skew - 1);
    await expect(early).rejects.toThrowWithCode('not-authorised');
  });

  test('every changed character makes it worthless', async () => {
    const { token } = await issueToken(issuer, grant, 60, now);
    // The last character also holds bits that base64url does not use.
    for (let i = 0; i < token.length - 1; i += 7) {
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
      if (changed === token) continue;
      await expect(openToken(issuer, changed, now)).rejects.toThrowWithCode('not-authorised');
    }
  });

  test('a token of another registry, or of another key, is refused', async () => {
    const { token } = await issueToken(await tokenKey('other.example', jwk), grant, 60, now);
    await expect(openToken(issuer, token, now)).rejects.toThrowWithCode('not-authorised');
    const stranger = await issueToken(
      await tokenKey('weights.example', newEd25519Key()),
      grant,
      60,
      now,
    );
    await expect(openToken(issuer, stranger.token, now)).rejects.toThrowWithCode('not-authorised');
  });

  test('an unsigned token, and one signed with the public key as a secret, are refused', async () => {
    const claims = { roles: ['operator'] };
    const unsigned = new UnsecuredJWT(claims)
      .setIssuer('weights.example')
      .setAudience('weights.example')
      .encode();
    await expect(openToken(issuer, unsigned, now)).rejects.toThrowWithCode('not-authorised');
    const confused = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'weighhouse+jwt' })
      .sign(Buffer.from(jwk.x as string, 'base64url'));
    await expect(openToken(issuer, confused, now)).rejects.toThrowWithCode('not-authorised');
  });
});

describe('CI tokens', () => {
  const acme = parseNamespace('acme');
  const grant = `${'0f'.repeat(8)}.3`;

  test('have one namespace, no role and a quarter of an hour', async () => {
    const { token } = await issueCiToken(issuer, 'ci:1', { namespace: acme, grant }, now);
    const claims = await openToken(issuer, token, now + CI_SECONDS * 1000 - 1000);
    expect(claims).toMatchObject({ ci: true, roles: [], namespace: 'acme', grant });
    expect(claims.draft).toBeUndefined();
    const late = openToken(issuer, token, now + CI_SECONDS * 1000);
    await expect(late).rejects.toThrowWithCode('not-authorised');
  });

  test.each([
    ['a role', { roles: ['publisher'], ns: 'acme', grant }],
    ['no namespace', { roles: [], grant }],
    ['a draft', { roles: [], ns: 'acme', draft: 'acme/kimi@v1', grant }],
    ['no grant', { roles: [], ns: 'acme' }],
    ['a grant of another form', { roles: [], ns: 'acme', grant: '../acme' }],
  ])('are refused with %s, though the key signed it', async (_, claims) => {
    const token = await signedJwt(issuer, 'weighhouse-ci+jwt', 'ci:1', claims, now);
    await expect(openToken(issuer, token, now)).rejects.toThrowWithCode('not-authorised');
  });
});

describe('upload credentials', () => {
  test('name one draft, hold no role and last seven days', async () => {
    const draft = parseReleaseName('acme/kimi@v1');
    const parent = 'ab'.repeat(16);
    const opener = { subject: 'ci', parent };
    const { token } = await issueUploadCredential(issuer, opener, draft, now);
    const claims = await openToken(issuer, token, now + UPLOAD_SECONDS * 1000 - 1000);
    expect(claims).toMatchObject({ draft, parent, roles: [], namespace: 'acme', renews: true });
    expect(claims.grant).toBeUndefined();
  });

  test('that a CI job opened name what let it in, last a day and are not renewed', async () => {
    const draft = parseReleaseName('acme/kimi@v1');
    const grant = `${'0f'.repeat(8)}.3`;
    const opener = { subject: 'ci', parent: 'ab'.repeat(16), grant };
    const { token } = await issueUploadCredential(issuer, opener, draft, now);
    const claims = await openToken(issuer, token, now + CI_UPLOAD_SECONDS * 1000 - 1000);
    expect(claims).toMatchObject({ draft, grant, renews: false, ci: false });
    const late = openToken(issuer, token, now + CI_UPLOAD_SECONDS * 1000);
    await expect(late).rejects.toThrowWithCode('not-authorised');
  });
});
