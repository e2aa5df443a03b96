/** An identity is good for a short while, by this server's clock; ours and the issuer's may differ by half a minute. */
import { expect, test } from '@jest/globals';
import { MAX_LIFETIME_SECONDS, SKEW_SECONDS } from '../../src/oidc/identity.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();
const now = () => Math.floor(Date.now() / 1000);

test('one that has expired is refused', async () => {
  const token = await publishing().token();
  publishing().pass((300 + SKEW_SECONDS + 1) * 1000);
  await publishing().refuses(token);
});

test('one that is not good yet is refused', async () => {
  const nbf = now() + SKEW_SECONDS + 10;
  await publishing().refuses(await publishing().token({ nbf }));
});

test('one that was issued in the future is refused', async () => {
  const iat = now() + SKEW_SECONDS + 10;
  await publishing().refuses(await publishing().token({ iat, nbf: undefined, exp: iat + 60 }));
});

test('one that is good for days is refused, from its first second on', async () => {
  const exp = now() + MAX_LIFETIME_SECONDS + 60;
  await publishing().refuses(await publishing().token({ exp }));
  await publishing().refuses(await publishing().token({ exp: 1e300 }));
});

test('one without times, or with others than numbers, is refused', async () => {
  for (const changes of [
    { exp: undefined },
    { iat: undefined },
    { exp: String(now() + 60) },
    { nbf: String(now()) },
    { iat: null },
  ]) {
    await publishing().refuses(await publishing().token(changes));
  }
});

test('clocks that differ by less than half a minute do not matter', async () => {
  const iat = now() + SKEW_SECONDS - 10;
  const { status } = await publishing().exchange(await publishing().token({ iat, nbf: iat }));
  expect(status).toBe(200);
});

test('a server whose clock jumped a year, either way, lets nobody in', async () => {
  const year = 365 * 24 * 3600 * 1000;
  for (const jump of [year, -2 * year]) {
    const token = await publishing().token();
    publishing().pass(jump);
    const { status } = await publishing().exchange(token);
    expect(status).toBe(400);
  }
});
