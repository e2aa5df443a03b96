/** A key that its issuer has given up opens nothing once the cache has expired; a new one is found at once. */
import { expect, test } from '@jest/globals';
import { ASK_AGAIN_SECONDS, CACHE_SECONDS } from '../../src/oidc/key-set.ts';
import { makeIssuerKey } from '../made/issuer.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

test('a new key is honoured as soon as a token names it', async () => {
  await publishing().admitted();
  const next = await makeIssuerKey('next');
  publishing().issuer.keys.push(next);
  publishing().pass(ASK_AGAIN_SECONDS * 1000);
  const { status } = await publishing().exchange(await publishing().token({}, {}, next));
  expect(status).toBe(200);
  expect(publishing().issuer.asked).toBe(2);
});

test('a key that was taken out is refused after the cache expired', async () => {
  await publishing().admitted();
  const [old] = publishing().issuer.keys;
  publishing().issuer.keys = [await makeIssuerKey('next')];
  publishing().pass(CACHE_SECONDS * 1000);
  await publishing().refuses(await publishing().token({}, {}, old));
});

test('a key that was taken out is refused as soon as another unknown one is looked for', async () => {
  await publishing().admitted();
  const [old] = publishing().issuer.keys;
  const next = await makeIssuerKey('next');
  publishing().issuer.keys = [next];
  publishing().pass(ASK_AGAIN_SECONDS * 1000);
  expect((await publishing().exchange(await publishing().token({}, {}, next))).status).toBe(200);
  await publishing().refuses(await publishing().token({}, {}, old));
});

test('another key under the old name is honoured, and the old one refused', async () => {
  await publishing().admitted();
  const [old] = publishing().issuer.keys;
  publishing().issuer.keys = [await makeIssuerKey('first')];
  publishing().pass(CACHE_SECONDS * 1000);
  await publishing().refuses(await publishing().token({}, {}, old));
});

test('names that nobody knows make us ask once in half a minute', async () => {
  await publishing().admitted();
  for (let i = 0; i < 20; i++) {
    const { status } = await publishing().exchange(await publishing().token({}, { kid: `k${i}` }));
    expect(status).toBe(400);
  }
  expect(publishing().issuer.asked).toBe(1);
  publishing().pass(ASK_AGAIN_SECONDS * 1000);
  await publishing().refuses(await publishing().token({}, { kid: 'unknown' }));
  expect(publishing().issuer.asked).toBe(2);
});

test('an issuer that is gone when the cache expires vouches for nobody', async () => {
  await publishing().admitted();
  publishing().issuer.answer = (request) => {
    request.socket.destroy();
    return true;
  };
  publishing().pass(CACHE_SECONDS * 1000);
  const refused = await publishing().exchange(await publishing().token());
  expect([refused.status, refused.body.code]).toEqual([502, 'network']);
  const again = await publishing().exchange(await publishing().token());
  expect(again.headers.get('retry-after')).toBe('5');
});
