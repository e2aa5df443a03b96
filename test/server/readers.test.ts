/** Bytes that a namespace keeps for readers, in every protocol that gives any out. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Loose } from '../made/loose.ts';
import {
  CONFIG,
  digestOfText,
  FOR_READERS,
  OPEN,
  Restricted,
  TERMS,
  WEIGHTS,
} from '../made/restricted.ts';
import { filePath, type Served } from '../made/served.ts';

const NATIVE = filePath('acme/tiny@v1', 'weights.bin');
const RESOLVE = '/acme/tiny/resolve/main/weights.bin';
const RAW = '/acme/tiny/raw/v1/weights.bin';
const BLOB = `/v2/acme/tiny/blobs/${digestOfText(WEIGHTS)}`;
const WAYS = [NATIVE, RESOLVE, RAW, BLOB];

let restricted: Restricted;
let served: Served;
let reader: string;
beforeAll(async () => {
  restricted = await Restricted.start();
  ({ served } = restricted);
  reader = await restricted.reader();
}, 120_000);
afterAll(() => served.stop());

const json = async (path: string, token: string | null = null) =>
  JSON.parse(await (await served.fetch(path, { token })).text());

describe('a reader', () => {
  test.each(WAYS)('gets all of %s, a range of it, and what HEAD says', async (path) => {
    const whole = await served.fetch(path, { token: reader });
    expect([whole.status, await whole.text()]).toEqual([200, WEIGHTS]);
    const headers = { range: 'bytes=6-10' };
    const part = await served.fetch(path, { token: reader, headers });
    expect([part.status, await part.text()]).toEqual([206, 'bytes']);
    const head = await served.fetch(path, { token: reader, method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([
      200,
      String(WEIGHTS.length),
    ]);
  });

  test.each(WAYS)('leaves nothing of %s in a cache of others', async (path) => {
    const response = await served.fetch(path, { token: reader });
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    expect(response.headers.get('vary')).toContain('Authorization');
  });

  test.each(WAYS)('who has %s already is told so, if they still may read it', async (path) => {
    const { headers } = await served.fetch(path, { token: reader });
    const again = { 'if-none-match': headers.get('etag')! };
    expect((await served.fetch(path, { token: reader, headers: again })).status).toBe(304);
    expect((await served.fetch(path, { headers: again })).status).toBe(401);
  });

  test('of an OCI client reads with a pull token of theirs', async () => {
    const token = await restricted.pullToken(reader);
    expect(await (await served.fetch(BLOB, { token })).text()).toBe(WEIGHTS);
  });

  test('reads with their token as a password, too', async () => {
    const authorization = `Basic ${Buffer.from(`me:${reader}`).toString('base64')}`;
    expect((await served.fetch(BLOB, { headers: { authorization } })).status).toBe(200);
  });

  test.each(['owner', 'publisher', 'evaluator', 'reviewer', 'release-manager'] as const)(
    'is every %s of the namespace',
    async (role) => {
      const { token } = await served.token({ roles: [role] });
      for (const path of WAYS) expect((await served.fetch(path, { token })).status).toBe(200);
    },
  );

  test('of all namespaces is one of this, too', async () => {
    expect((await served.fetch(NATIVE, { token: await restricted.reader('') })).status).toBe(200);
    const token = await restricted.pullToken(await restricted.reader(''));
    expect((await served.fetch(BLOB, { token })).status).toBe(200);
  });
});

describe('who shows nothing', () => {
  const ASKED = `the files of acme/tiny@v1 are for holders of a token with the role reader in acme who have accepted ${TERMS.name} (${TERMS.url}): ask acme for one, and show it`;

  test('hears from our own API whose the bytes are, and what to do', async () => {
    const response = await served.fetch(NATIVE);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="weighhouse"');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({
      code: 'not-authorised',
      detail: ASKED,
      details: { namespace: 'acme', bytes: FOR_READERS },
    });
  });

  test.each(['GET', 'HEAD'])(
    'hears from the hub’s API by %s that the model is gated',
    async (method) => {
      for (const path of [RESOLVE, RAW]) {
        const response = await served.fetch(path, { method });
        expect(response.status).toBe(401);
        expect(response.headers.get('x-error-code')).toBe('GatedRepo');
        expect(response.headers.get('x-error-message')).toBe(ASKED);
        expect(response.headers.get('etag')).toBeNull();
      }
    },
  );

  test('hears from the OCI API where a token is to be had', async () => {
    const response = await served.fetch(BLOB);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${served.url}/token",service="${served.origin}",scope="repository:acme/tiny:pull"`,
    );
    expect(await response.json()).toEqual({
      errors: [{ code: 'UNAUTHORIZED', message: ASKED, detail: null }],
    });
  });

  test('hears so from the first answer on, with which some clients begin', async () => {
    const response = await served.fetch('/v2/');
    expect(response.status).toBe(200);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${served.url}/token",service="${served.origin}"`,
    );
  });

  test('is not helped by anybody’s pull token', async () => {
    const response = await served.fetch(BLOB, { token: await restricted.pullToken(null) });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('repository:acme/tiny:pull');
  });

  test('reads the documents that one reads before one accepts anything', async () => {
    for (const path of [
      filePath('acme/tiny@v1', 'README.md'),
      '/acme/tiny/resolve/main/README.md',
      `/v2/acme/tiny/blobs/${digestOfText(OPEN)}`,
    ]) {
      const response = await served.fetch(path);
      expect([response.status, await response.text()]).toEqual([200, OPEN]);
      expect(response.headers.get('cache-control')).toMatch(/^public/);
    }
  });

  test('sees all that is said of the release, as of any other', async () => {
    const release = '/api/v1/releases/acme/tiny/v1';
    for (const path of [
      release,
      `${release}/manifest.json`,
      `${release}/model.sig`,
      `${release}/release.dsse`,
      `${release}/release.tlog-proof`,
      `${release}/entry`,
      `${release}/chunks/weights.bin`,
      '/api/v1/releases/acme/tiny/history',
      '/api/models/acme/tiny',
      '/api/models/acme/tiny/tree/main',
      '/api/models/acme/tiny/refs',
      '/acme/tiny/resolve/main/model.sig',
      '/v2/acme/tiny/tags/list',
      '/v2/acme/tiny/manifests/v1',
    ]) {
      expect([path, (await served.fetch(path)).status]).toEqual([path, 200]);
    }
  });

  test('sees that a release and its model are for readers', async () => {
    expect(await json('/api/v1/releases/acme/tiny/v1')).toMatchObject({ bytes: FOR_READERS });
    expect(await json('/api/models/acme/tiny')).toMatchObject({ gated: 'manual', private: false });
    expect(await json('/api/models?search=tiny')).toMatchObject([{ gated: 'manual' }]);
  });
});

test('pages tell for whom the files are, and lead to the terms', async () => {
  for (const path of ['/acme', '/acme/tiny', '/acme/tiny/v1']) {
    const response = await served.fetch(path, { headers: { accept: 'text/html' } });
    const text = await response.text();
    expect([path, response.status]).toEqual([path, 200]);
    expect(text).toContain('holders of a token with the role reader in acme');
    expect(text).toContain(`<a href="${TERMS.url}" rel="noopener noreferrer nofollow">`);
  }
});

describe('who is no reader', () => {
  test('is told so, and not to say who they are', async () => {
    const { token } = await served.token({
      roles: ['owner'],
      namespace: 'other',
      subject: 'mallory',
    });
    const native = await served.fetch(NATIVE, { token });
    expect([native.status, ((await native.json()) as Loose).detail]).toEqual([
      403,
      expect.stringContaining('that of mallory is none; ask acme for one'),
    ]);
    const hub = await served.fetch(RESOLVE, { token, method: 'HEAD' });
    expect([hub.status, hub.headers.get('x-error-code')]).toEqual([403, 'GatedRepo']);
    for (const shown of [token, await restricted.pullToken(token)]) {
      const oci = await served.fetch(BLOB, { token: shown });
      expect([oci.status, ((await oci.json()) as Loose).errors[0].code]).toEqual([403, 'DENIED']);
      expect(oci.headers.get('www-authenticate')).toBeNull();
    }
  });

  test('may ask beforehand, as huggingface_hub does', async () => {
    const path = '/api/models/acme/tiny/auth-check';
    expect((await served.fetch(path, { token: reader })).status).toBe(200);
    const refused = await served.fetch(path);
    expect([refused.status, refused.headers.get('x-error-code')]).toEqual([401, 'GatedRepo']);
  });
});

test('a script of another origin may read with a token, and why it may not', async () => {
  const headers = { origin: 'https://elsewhere.example' };
  for (const token of [reader, null]) {
    const response = await served.fetch(RESOLVE, { headers, token });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('X-Error-Code');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  }
});

test('what is in the configuration is said in the model’s description, and its file is for readers', async () => {
  expect(await json('/api/models/acme/tiny')).toMatchObject({ config: { model_type: 'tiny' } });
  const response = await served.fetch('/acme/tiny/resolve/main/config.json');
  expect(response.status).toBe(401);
  const again = await served.fetch('/acme/tiny/resolve/main/config.json', { token: reader });
  expect(await again.text()).toBe(CONFIG);
});

describe('a change of the policy', () => {
  test('takes the bytes from everybody at once on every server, and gives them back', async () => {
    const it = await Restricted.start({}, null);
    try {
      const other = await it.served.startAnother();
      const seen = async () => {
        const [here, there] = await Promise.all([it.served.fetch(RESOLVE), fetch(other + RESOLVE)]);
        return [here.status, there.status, here.headers.get('cache-control')];
      };
      const public_ = [200, 200, 'public, max-age=0, must-revalidate'];
      expect(await seen()).toEqual(public_);
      await it.setBytes({ for: 'readers' });
      expect(await seen()).toEqual([401, 401, 'no-store']);
      await it.setBytes(undefined);
      expect(await seen()).toEqual(public_);
    } finally {
      await it.served.stop();
    }
  }, 120_000);

  test('of a policy without terms names none', async () => {
    const it = await Restricted.start({}, { for: 'readers' });
    try {
      const { detail } = (await (await it.served.fetch(NATIVE)).json()) as { detail: string };
      expect(detail).toBe(
        'the files of acme/tiny@v1 are for holders of a token with the role reader in acme: ask acme for one, and show it',
      );
    } finally {
      await it.served.stop();
    }
  }, 120_000);
});
