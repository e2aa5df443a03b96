/** An identity token without a signature is nobody's word. */
import { test } from '@jest/globals';
import { UnsecuredJWT } from 'jose';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token with alg none is refused', async () => {
  await publishing().refuses(new UnsecuredJWT(publishing().claims()).encode());
});

test.each(['none', 'None', 'NONE', ''])('alg "%s" under the right kid is refused', async (alg) => {
  const claims = encode(publishing().claims());
  const header = encode({ alg, kid: 'first', typ: 'JWT' });
  await publishing().refuses(`${header}.${claims}.`);
  await publishing().refuses(`${header}.${claims}.AA`);
});

test('a good token whose signature is cut off, or another token’s, is refused', async () => {
  const [header, claims] = (await publishing().token()).split('.');
  const [, , signature] = (await publishing().token()).split('.');
  await publishing().refuses(`${header}.${claims}.`);
  await publishing().refuses(`${header}.${claims}`);
  await publishing().refuses(`${header}.${claims}.${signature}`);
});
