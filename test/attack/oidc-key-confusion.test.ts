/** An issuer's public key is no secret: what was "signed" with it as one is nobody's word. */
import { test } from '@jest/globals';
import { exportSPKI, SignJWT } from 'jose';
import { makeIssuerKey } from '../made/issuer.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

test.each(['ES256', 'RS256'])('HS256 with the public %s key as secret is refused', async (alg) => {
  const key = await makeIssuerKey('confused', alg);
  publishing().issuer.keys.push(key);
  const pem = await exportSPKI(key.pair.publicKey);
  for (const secret of [pem, pem.trim(), JSON.stringify(key.jwk), key.jwk.x ?? key.jwk.n!]) {
    const forged = await new SignJWT(publishing().claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'confused', typ: 'JWT' })
      .sign(new TextEncoder().encode(secret));
    await publishing().refuses(forged);
  }
});

test('a key that is used with another algorithm than its own is refused', async () => {
  const key = await makeIssuerKey('rsa', 'RS256');
  publishing().issuer.keys.push({ ...key, jwk: { ...key.jwk, alg: 'RS512' } });
  await publishing().refuses(await publishing().token({}, { alg: 'RS256' }, key));
});

test('a secret in the key set is no key', async () => {
  const { issuer } = publishing();
  const secret = new TextEncoder().encode('a secret that the issuer shows to everybody');
  const jwk = { kty: 'oct', kid: 'oct', k: Buffer.from(secret).toString('base64url') };
  issuer.answer = (request, response) => {
    if (request.url !== '/keys') return false;
    response.end(JSON.stringify({ keys: [issuer.keys[0]!.jwk, { ...jwk, alg: 'ES256' }, jwk] }));
    return true;
  };
  const forged = await new SignJWT(publishing().claims())
    .setProtectedHeader({ alg: 'HS256', kid: 'oct', typ: 'JWT' })
    .sign(secret);
  await publishing().refuses(forged);
});
