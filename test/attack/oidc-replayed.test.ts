/** An identity token is exchanged once: who finds it in a job's log comes too late. */
import { expect, test } from '@jest/globals';
import { prefixes } from '../../src/store/keys.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

test('the second exchange is refused', async () => {
  const token = await publishing().token();
  expect((await publishing().exchange(token)).status).toBe(200);
  await publishing().refuses(token);
});

test('of many at the same time one gets through', async () => {
  const token = await publishing().token();
  const answers = await Promise.all(Array.from({ length: 8 }, () => publishing().exchange(token)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});

test('it is remembered until it expires, by every server of the store', async () => {
  const token = await publishing().token();
  expect((await publishing().exchange(token)).status).toBe(200);
  const stored = [];
  for await (const key of publishing().served.store.list(prefixes.exchanged())) stored.push(key);
  expect(stored).toHaveLength(1);
  publishing().pass(299_000);
  await publishing().refuses(token);
});

test('a token without jti is known by all that was signed', async () => {
  const token = await publishing().token({ jti: undefined });
  expect((await publishing().exchange(token)).status).toBe(200);
  await publishing().refuses(token);
});

test('other bytes of the same signature are the same token', async () => {
  const token = await publishing().token({ jti: undefined });
  expect((await publishing().exchange(token)).status).toBe(200);
  // The last character of base64url has bits that mean nothing here; ECDSA has a second signature, too.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1)!);
  await publishing().refuses(token.slice(0, -1) + alphabet[last ^ 1]);
});

test('a refused token is not used up', async () => {
  const token = await publishing().token();
  const { status } = await publishing().exchange(token, { scope: 'push:other' });
  expect(status).toBe(400);
  expect((await publishing().exchange(token)).status).toBe(200);
});
