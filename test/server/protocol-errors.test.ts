/**
 * A refusal is in the form of the protocol that was spoken, whatever has refused: also what stands
 * in front of all routes, like limits, places and hosts.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Admission } from '../../src/server/admission.ts';
import type { AppParts } from '../../src/server/app.ts';
import { rateLimits } from '../../src/server/rate-limits.ts';
import { type Answer, FAILURE, getRaw, type Protocol } from '../made/refusal-forms.ts';
import { Served } from '../made/served.ts';

const NO_PLACE = { atOnce: 0, each: 0, waiting: 0, patience: 0, deadline: 1_000 };
const COUNTED: Record<Protocol, string> = {
  hub: '/acme/tiny/resolve/main/README.md',
  oci: '/v2/acme/tiny/tags/list',
  own: '/api/v1/namespaces/acme/policy',
};

let served: Served;
afterEach(() => served.stop());

async function start(parts: Partial<AppParts> = {}): Promise<void> {
  served = await Served.start({ parts });
}

async function ask(path: string, options = {}): Promise<Answer> {
  const response = await served.fetch(path, options);
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}

describe.each<[string, () => Partial<AppParts>, number, Record<Protocol, string>, RegExp]>([
  [
    'who asks too often',
    () => ({ rates: rateLimits({ read: 1 }) }),
    429,
    { hub: 'RateLimited', oci: 'TOOMANYREQUESTS', own: 'rate-limited' },
    /^(?:5[0-9]|60)$/,
  ],
  [
    'for whom there is no place',
    () => ({ admission: new Admission({ content: NO_PLACE, read: NO_PLACE }) }),
    503,
    { hub: 'Overloaded', oci: 'TOOMANYREQUESTS', own: 'overloaded' },
    /^[1-4]$/,
  ],
  [
    'who comes while too many answers wait',
    () => ({ maxBacklogBytes: -1 }),
    503,
    { hub: 'Overloaded', oci: 'TOOMANYREQUESTS', own: 'overloaded' },
    /^5$/,
  ],
])('one %s', (_, parts, status, codes, retryAfter) => {
  test.each(['hub', 'oci', 'own'] as const)('hears so in its own form (%s)', async (protocol) => {
    await start(parts());
    await ask(COUNTED[protocol]);
    const refused = await ask(COUNTED[protocol]);
    expect([refused.status, FAILURE[protocol](refused)]).toEqual([status, codes[protocol]]);
    expect(refused.headers.get('retry-after')).toMatch(retryAfter);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    if (status === 429) {
      expect(refused.headers.get('ratelimit')).toContain('r=0');
      expect(refused.headers.get('ratelimit-policy')).toContain('q=1');
    }
  });

  test('is told so in a browser, too', async () => {
    await start(parts());
    await ask(COUNTED.hub);
    const { headers } = await ask(COUNTED.hub, {
      headers: { origin: 'https://elsewhere.example' },
    });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toContain('Retry-After');
    expect(headers.get('access-control-expose-headers')).toContain('RateLimit');
  });
});

describe('a path that cannot be decoded', () => {
  test.each<[Protocol, string, string]>([
    ['hub', '/acme/%zz/resolve/main/README.md', 'BadEncoding'],
    ['hub', '/%ff/resolve/main/README.md', 'BadEncoding'],
    ['hub', '/api/models/acme/%c0%ae', 'BadEncoding'],
    ['oci', '/v2/acme/%zz/tags/list', 'UNSUPPORTED'],
    ['oci', '/v2/acme/tiny/blobs/%', 'UNSUPPORTED'],
    ['own', '/api/v1/releases/acme/%zz', 'bad-encoding'],
    ['own', '/acme/%zz', 'bad-encoding'],
  ])('is refused in the form of its protocol (%s: %s)', async (protocol, path, code) => {
    await start();
    const refused = await getRaw(served.port, path);
    expect([refused.status, FAILURE[protocol](refused)]).toEqual([400, code]);
  });
});

test.each(['hub', 'oci', 'own'] as const)(
  'a host that is not ours is refused in the form of the protocol (%s)',
  async (protocol) => {
    await start();
    const refused = await getRaw(served.port, COUNTED[protocol], 'evil.example');
    const codes = { hub: 'Untrusted', oci: 'UNSUPPORTED', own: 'untrusted' };
    expect([refused.status, FAILURE[protocol](refused)]).toEqual([421, codes[protocol]]);
  },
);

test('a range outside of a file is refused in the form of the protocol, with the size', async () => {
  await start();
  await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  const { layers } = JSON.parse((await ask('/v2/acme/tiny/manifests/v1')).text);
  for (const [protocol, path, code] of [
    ['hub', COUNTED.hub, 'Usage'],
    ['oci', `/v2/acme/tiny/blobs/${layers[0].digest}`, 'UNSUPPORTED'],
    ['own', '/api/v1/releases/acme/tiny/v1/files/README.md', 'usage'],
  ] as const) {
    const refused = await ask(path, { headers: { range: 'bytes=6-' } });
    expect([refused.status, FAILURE[protocol](refused)]).toEqual([416, code]);
    expect(refused.headers.get('content-range')).toBe('bytes */6');
  }
});

test('a failure of ours says nothing of the store, in no protocol', async () => {
  await start();
  await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  for (const read of ['release', 'artifacts', 'document'] as const) {
    const fail = async () => Promise.reject(new Error('/srv/store/private is on fire'));
    Object.assign(served.registry, { [read]: fail });
  }
  for (const [protocol, path, code] of [
    ['hub', '/acme/tiny/resolve/v1/README.md', 'Internal'],
    ['oci', '/v2/acme/tiny/manifests/v1', 'UNKNOWN'],
    ['own', '/api/v1/releases/acme/tiny/v1/manifest.json', 'internal'],
  ] as const) {
    const failed = await ask(path);
    expect([failed.status, FAILURE[protocol](failed)]).toEqual([500, code]);
    expect(failed.text + failed.headers.get('x-error-message')).not.toContain('private');
  }
});

describe('a model of the hub that has no namespace', () => {
  test.each([
    '/api/models/gpt2',
    '/api/models/gpt2/revision/main',
    '/api/models/gpt2/tree/main?recursive=true',
    '/gpt2/resolve/main/config.json',
    '/gpt2/raw/main/config.json',
  ])('is not found, as a client understands it (%s)', async (path) => {
    await start();
    const refused = await ask(path);
    expect([refused.status, FAILURE.hub(refused)]).toEqual([404, 'RepoNotFound']);
  });
});

describe('a model that is named like a route', () => {
  test.each(['acme/resolve', 'acme/raw'])('%s has a page and files', async (model) => {
    await start();
    await served.publish(`${model}@v1`, { 'README.md': 'Hello.' });
    expect((await ask(`/${model}`)).status).toBe(200);
    expect((await ask(`/${model}/resolve/v1/README.md`)).text).toBe('Hello.');
    expect((await ask(`/${model}/raw/v1/README.md`)).text).toBe('Hello.');
    expect((await ask(`/v2/${model}/tags/list`)).status).toBe(200);
  });
});
