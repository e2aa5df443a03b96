/** A pull token outlives nothing: not its five minutes, not the token it comes from, not a limit. */
import { afterEach, expect, test } from '@jest/globals';
import { PULL_TOKEN_SECONDS } from '../../src/keyring/pull-token.ts';
import { REVOCATION_SECONDS } from '../../src/server/auth.ts';
import { type Rates, rateLimits } from '../../src/server/rate-limits.ts';
import { keys } from '../../src/store/keys.ts';
import type { Loose } from '../made/loose.ts';
import { Served } from '../made/served.ts';

const READ = '/v2/_catalog';

let served: Served;
afterEach(() => served.stop());

async function start(rates: Partial<Rates> = {}): Promise<void> {
  served = await Served.start({ parts: { rates: rateLimits(rates) } });
}

async function pullToken(parent: string | null): Promise<string> {
  const answer: Loose = await (await served.fetch('/token', { token: parent })).json();
  return answer.token;
}

const status = async (token: string | null) => (await served.fetch(READ, { token })).status;

test('anybody’s is good for five minutes, and then refused', async () => {
  await start();
  const token = await pullToken(null);
  served.pass((PULL_TOKEN_SECONDS - 2) * 1000);
  expect(await status(token)).toBe(200);
  served.pass(2_000);
  expect(await status(token)).toBe(401);
  expect(await status(null)).toBe(200);
});

test('ends with the token that it comes from, when that one is revoked, and gives no other', async () => {
  await start();
  const { token: parent, id } = await served.token({ roles: ['reader'] });
  const [token, ofAnother] = [await pullToken(parent), await pullToken(served.publisher)];
  expect(await status(token)).toBe(200);
  await served.store.create(keys.revoked(id), new Uint8Array(1));
  served.pass(REVOCATION_SECONDS * 1000);
  expect(await status(token)).toBe(401);
  expect(await status(ofAnother)).toBe(200);
  expect((await served.fetch('/token', { token: parent })).status).toBe(401);
});

test('is counted with the token that it comes from, and for nobody else behind its address', async () => {
  await start({ read: 2 });
  const parent = (await served.token({ roles: ['reader'] })).token;
  const tokens = [parent, await pullToken(parent), await pullToken(parent)];
  expect((await Promise.all(tokens.map(status))).toSorted()).toEqual([200, 200, 429]);
  expect(await status(null)).toBe(200);
});

test('of nobody is counted by address: who asks for a new one has no more', async () => {
  await start({ read: 2 });
  const tokens = [await pullToken(null), await pullToken(null), await pullToken(null)];
  const statuses = await Promise.all(tokens.map(status));
  expect(statuses.toSorted()).toEqual([200, 200, 429]);
});

test('that is guessed is counted by address, too', async () => {
  await start({ read: 2 });
  const statuses = [await status('guess-1'), await status('guess-2'), await status('guess-3')];
  expect(statuses).toEqual([401, 401, 429]);
});

test('cannot be asked for without end', async () => {
  await start({ exchange: 1 });
  const ask = () => served.fetch('/token');
  expect((await ask()).status).toBe(200);
  const refused = await ask();
  const { errors }: Loose = await refused.json();
  expect([refused.status, errors[0].code]).toEqual([429, 'TOOMANYREQUESTS']);
});
