/** One caller who asks without end: a loop gone wild, or a thief of a token. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Rates, rateLimits, WINDOW_MS } from '../../src/server/rate-limits.ts';
import { declared } from '../made/live-registry.ts';
import { draftPath, filePath, Served } from '../made/served.ts';

let served: Served;
afterEach(() => served.stop());

let now = Date.now();

async function start(rates: Partial<Rates>): Promise<void> {
  now = Date.now();
  served = await Served.start({ parts: { rates: rateLimits(rates, () => now) } });
}

const LIST = '/api/v1/releases';

describe('requests of one caller', () => {
  test('are answered up to the limit, and beyond it told when to come again', async () => {
    await start({ search: 2 });
    const first = await served.fetch(LIST);
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toContain('"search"; q=2; w=60');
    expect((await served.fetch(LIST)).status).toBe(200);
    const refused = await served.fetch(LIST);
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'rate-limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(refused.headers.get('ratelimit')).toContain('r=0');
    now += WINDOW_MS;
    expect((await served.fetch(LIST)).status).toBe(200);
  });

  test.each(['/api/models?search=x', '/api/models/', '/v2/_catalog'])(
    'for lists in the form of other clients count as searches (%s)',
    async (list) => {
      await start({ search: 1 });
      const statuses = [await served.fetch(list), await served.fetch(list)].map((it) => it.status);
      expect(statuses).toEqual([200, 429]);
      expect((await served.fetch('/v2/')).status).toBe(200);
    },
  );

  test('for what caches may keep carry nothing of the caller, until one is refused', async () => {
    await start({ read: 1 });
    const path = '/api/v1/namespaces/acme/policy';
    const first = await served.fetch(path);
    expect([first.status, first.headers.get('ratelimit')]).toEqual([200, null]);
    const refused = await served.fetch(path);
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([429, 'no-store']);
    expect(refused.headers.get('ratelimit')).toContain('r=0');
  });

  test('are counted by token: nobody is refused for what another one does', async () => {
    await start({ write: 3 });
    const path = draftPath('acme/tiny@v1');
    const put = async (token: string) =>
      (await served.fetch(`/api/v1${path}`, { method: 'PUT', token })).status;
    const { token: other } = await served.token({ roles: ['publisher'] });
    for (const status of [200, 200, 200, 429]) expect(await put(served.publisher)).toBe(status);
    expect(await put(other)).toBe(200);
  });

  test('are counted together for a token and the upload sessions that it opens', async () => {
    await start({ write: 2 });
    const path = draftPath('acme/tiny@v1');
    const { session } = await served.api(path, { method: 'PUT' });
    const declare = async (name: string) => {
      const json = declared(name, 'x');
      const options = { method: 'POST', token: session, json };
      return (await served.fetch(`/api/v1${path}/files`, options)).status;
    };
    expect([await declare('a.txt'), await declare('b.txt')]).toEqual([200, 429]);
  });

  test('with tokens that are none are counted by address, whatever they claim to be', async () => {
    await start({ read: 2 });
    const guess = async (n: number) =>
      (await served.fetch('/api/v1/drafts/acme/tiny/v1', { token: `guess-${n}` })).status;
    expect([await guess(1), await guess(2), await guess(3)]).toEqual([401, 401, 429]);
  });

  test('say nothing of addresses behind a proxy that is not trusted', async () => {
    await start({ search: 1 });
    const from = async (address: string) =>
      (await served.fetch(LIST, { headers: { 'x-forwarded-for': address } })).status;
    expect([await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([200, 429]);
  });

  test('for an exchange of tokens, and for the log, have limits of their own', async () => {
    await start({ exchange: 1, log: 1 });
    const exchange = async () => (await served.fetch('/api/v1/token', { method: 'POST' })).status;
    expect([await exchange(), await exchange()]).toEqual([400, 429]);
    const commit = async () => {
      const options = { method: 'POST', token: served.publisher, json: {} };
      return (await served.fetch('/api/v1/commitments', options)).status;
    };
    expect([await commit(), await commit()]).toEqual([400, 429]);
  });

  test('for files, tiles and health are never refused for their number', async () => {
    await start({ read: 100, search: 1, write: 20, log: 1 });
    await served.publish('acme/tiny@v1', { 'a.txt': 'Hello.' });
    for (let n = 0; n < 120; n++) {
      for (const path of [filePath('acme/tiny@v1', 'a.txt'), '/log/checkpoint', '/livez']) {
        expect((await served.fetch(path)).status).toBe(200);
      }
    }
  });
});

async function codeOf(problem: Response): Promise<unknown> {
  return ((await problem.json()) as { readonly code?: unknown }).code;
}
