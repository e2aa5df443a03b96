/** The native API, each route once as it is meant to be used, and what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatBase64, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestBytes, digestOf } from '../../src/core/digest.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import { rootsForm } from '../../src/registry/documents/roots.ts';
import { keys } from '../../src/store/keys.ts';
import { declared, nonceOf, partsOf } from '../made/live-registry.ts';
import { contentDigest, type RequestOptions, Served } from '../made/served.ts';

const FILES = { 'README.md': 'A tiny model.\n', 'config.json': '{"layers":1}' };

let served: Served;
let digest: string;
beforeAll(async () => {
  served = await Served.start();
  ({ digest } = await served.publish('acme/tiny@v1', FILES));
});
afterAll(() => served.stop());

/** Status and code of a refusal, which must be a proper problem document. */
async function refusal(path: string, options: RequestOptions = {}): Promise<[number, string]> {
  const response = await served.fetch(`/api/v1${path}`, { token: served.publisher, ...options });
  const text = await response.text();
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(text).not.toMatch(/\.ts:|\.js:|node_modules|at async/);
  expect(text).not.toContain(served.folder);
  const problem = JSON.parse(text);
  expect(problem).toEqual({
    type: `urn:weighhouse:problem:${problem.code}`,
    title: problem.code,
    status: response.status,
    detail: expect.any(String),
    code: problem.code,
    details: expect.any(Object),
  });
  return [response.status, problem.code];
}

describe('a draft', () => {
  const draft = '/drafts/acme/steps/v1';
  const content = 'All of it.';
  const part = partsOf(content)[0]!;
  let session: string;
  let upload: string;

  test('is opened, and a credential for its uploads comes with it', async () => {
    const opened = await served.api(draft, { method: 'PUT' });
    expect(opened).toMatchObject({ reference: 'acme/steps@v1', state: 'draft', former: [] });
    expect(Date.parse(opened.sessionExpires)).toBeGreaterThan(Date.now() + 6 * 24 * 3_600_000);
    session = opened.session;
  });

  test('is told of a file, and says how it wants it', async () => {
    const json = declared('a.txt', content);
    const ticket = await served.api(`${draft}/files`, { method: 'POST', token: session, json });
    expect(ticket).toEqual({
      state: 'upload',
      upload: expect.any(String),
      partSize: 2 ** 23,
      parts: [],
    });
    upload = ticket.upload;
  });

  const put = (changes: { number?: string; body?: Uint8Array; digest?: string } = {}) => {
    const { number = '1', body = part.bytes, digest = contentDigest(part.sha256) } = changes;
    const path = `${draft}/uploads/${upload}/parts/${number}`;
    const headers = { 'content-digest': digest };
    return [path, { method: 'PUT', token: session, body, headers }] as const;
  };

  test.each([
    ['0', [400, 'usage']],
    ['01', [400, 'usage']],
    ['1e1', [400, 'usage']],
    ['-1', [400, 'usage']],
    ['100000', [400, 'usage']],
    ['2', [400, 'bad-document']],
  ])('refuses part number %s', async (number, expected) => {
    expect(await refusal(...put({ number }))).toEqual(expected);
  });

  test.each(['', 'sha-256=:YQ==:', 'sha-512=:YQ==:', part.sha256, `md5=:${'A'.repeat(43)}=:`])(
    'refuses a part whose Content-Digest is "%s"',
    async (text) => expect(await refusal(...put({ digest: text }))).toEqual([400, 'usage']),
  );

  test('refuses a part of another length, and of other bytes', async () => {
    for (const text of ['All of it', 'All of it..', 'ALL of it.']) {
      expect(await refusal(...put({ body: utf8(text) }))).toEqual([422, 'digest-mismatch']);
    }
  });

  test('refuses a part of unknown length', async () => {
    const [path, options] = put();
    const body = ReadableStream.from([part.bytes]);
    const response = await fetch(`${served.url}/api/v1${path}`, {
      method: 'PUT',
      headers: { ...options.headers, authorization: `Bearer ${session}` },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(400);
  });

  test('is not complete before its parts have come', async () => {
    const complete = `${draft}/uploads/${upload}/complete`;
    expect(await refusal(complete, { method: 'POST', token: session })).toEqual([409, 'conflict']);
  });

  test('takes the part, twice if need be, and is complete', async () => {
    for (const _ of [1, 2]) {
      const [path, options] = put();
      const response = await served.fetch(`/api/v1${path}`, options);
      expect([response.status, await response.text()]).toEqual([204, '']);
    }
    const complete = `${draft}/uploads/${upload}/complete`;
    expect(await served.api(complete, { method: 'POST', token: session })).toEqual({
      state: 'stored',
    });
  });

  test('is sealed: accepted at once, done when its state says so', async () => {
    const json = { nonce: nonceOf(1), paths: ['a.txt'] };
    const response = await served.fetch(`/api/v1${draft}/seal`, {
      method: 'POST',
      token: session,
      json,
    });
    expect(response.status).toBe(202);
    const sealed = await served.push('acme/steps@v1', { 'a.txt': content });
    const manifest = await served.fetch(`/api/v1${draft}/manifest.json`, { token: session });
    expect(digestOf(nodeHost, await manifest.bytes())).toBe(sealed.digest);
  });

  test('is not published under another digest', async () => {
    const json = { digest };
    expect(await refusal(`${draft}/publish`, { method: 'POST', json })).toEqual([
      403,
      'gate-unmet',
    ]);
  });

  test('is withdrawn, and then not published', async () => {
    expect(await served.api(draft, { method: 'DELETE' })).toMatchObject({ state: 'withdrawn' });
    const options = { method: 'POST', json: {} } as const;
    expect((await refusal(`${draft}/publish`, options))[0]).toBeGreaterThanOrEqual(400);
  });

  test('of a published version cannot be opened again', async () => {
    const [status, code] = await refusal('/drafts/acme/tiny/v1', { method: 'PUT' });
    expect([status, code]).toEqual([409, 'already-published']);
  });

  test.each([
    '/drafts/acme/tiny/main',
    '/drafts/acme/tiny/-x',
    '/drafts/acme/..%2f/v1',
    '/drafts/api/x/v1',
  ])('is not named %s', async (path) => {
    const token = (await served.token({ roles: ['owner'], namespace: '' })).token;
    expect((await refusal(path, { method: 'PUT', token }))[0]).toBe(400);
  });

  test('that nobody opened is not found', async () => {
    expect(await refusal('/drafts/acme/nothing/v1')).toEqual([404, 'not-found']);
  });
});

describe('what is published', () => {
  const open = { token: null } as const;

  test('is listed, page by page', async () => {
    await served.publish('acme/tiny@v2', { 'README.md': 'The second.' });
    const first = await served.api('/releases?limit=1', open);
    expect(first.releases).toMatchObject([
      { reference: 'acme/tiny@v2', files: 1, recalled: false },
    ]);
    const second = await served.api(`/releases?limit=1&before=${first.next}`, open);
    expect(second.releases).toMatchObject([{ reference: 'acme/tiny@v1', digest, files: 2 }]);
  });

  test('is listed by model, newest first', async () => {
    const model = await served.api('/releases/acme/tiny', open);
    expect(model).toMatchObject({ model: 'acme/tiny', newest: 'acme/tiny@v2' });
    expect(model.releases).toHaveLength(2);
  });

  test('has a history', async () => {
    const { events } = await served.api('/releases/acme/tiny/history', open);
    expect(events.map(({ kind }: { kind: string }) => kind)).toContain('release');
  });

  test('is shown with its files', async () => {
    const found = await served.api('/releases/acme/tiny/v1', open);
    expect(found).toMatchObject({ digest, state: 'published', executes: [], advisories: [] });
    expect(found.files).toEqual([
      { path: 'README.md', size: 14, sha256: expect.any(String), format: expect.any(String) },
      { path: 'config.json', size: 12, sha256: expect.any(String), format: expect.any(String) },
    ]);
  });

  test.each([
    ['manifest.json', 'application/json', true],
    ['model.sig', 'application/json', true],
    ['release.dsse', 'application/json', true],
    ['release.tlog-proof', 'text/plain', false],
    ['model-sig.tlog-proof', 'text/plain', false],
    ['entry', 'application/json', true],
  ])('has a %s that may be kept as long as it holds', async (document, type, isImmutable) => {
    const response = await served.fetch(`/api/v1/releases/acme/tiny/v1/${document}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain(type);
    expect(response.headers.get('cache-control')?.includes('immutable')).toBe(isImmutable);
    expect((await response.bytes()).length).toBeGreaterThan(50);
  });

  test('has chunk lists', async () => {
    const response = await served.fetch('/api/v1/releases/acme/tiny/v1/chunks/README.md');
    const expected = digestBytes(digestOf(nodeHost, utf8(FILES['README.md'])));
    expect(await response.bytes()).toEqual(expected);
  });

  test.each([
    '/releases/acme/tiny/v9',
    '/releases/acme/nothing',
    '/releases/acme/tiny/v1/tensors.json',
    '/releases/acme/tiny/v1/decisions.json',
    '/releases/acme/tiny/v1/chunks/nothing',
    '/nothing',
  ])('%s is not found', async (path) =>
    expect(await refusal(path, open)).toEqual([404, 'not-found']),
  );
});

describe('namespaces and advisories', () => {
  test('are begun by the operator, with a policy that their owner signed', async () => {
    const policy = await soloFor(served.origin, parseNamespace('fresh'), served.owner, 'owner');
    const { policy: bytes, signed } = await signPolicy(served.owner, policy);
    const json = { policy: formatBase64(bytes), signed: signed.map(formatBase64) };
    const options = { method: 'POST', json } as const;
    expect(await refusal('/namespaces', options)).toEqual([403, 'not-authorised']);
    const token = await served.operator();
    const response = await served.fetch('/api/v1/namespaces', { ...options, token });
    expect(response.status).toBe(201);
    const { index } = (await response.json()) as { index: number };
    const shown = await served.api('/namespaces/fresh/policy', { token: null });
    expect(shown).toMatchObject({ index, policy: json.policy });
    expect(await served.api(`/namespaces/fresh/policy?index=${index}`)).toEqual(shown);
    const again = await served.api('/namespaces', { ...options, token });
    expect(again).toEqual({ namespace: 'fresh', index });
  });

  test('have a head with its proof', async () => {
    const head = await served.api('/namespaces/acme/head', { token: null });
    expect(head).toMatchObject({ position: 0, count: expect.any(Number) });
    expect(Buffer.from(head.head, 'base64').toString()).toContain('"namespace":"acme"');
    expect(await refusal('/namespaces/nobody/head')).toEqual([404, 'not-found']);
  });

  test('an advisory is logged and shown', async () => {
    const summary = 'Worse than it was said to be.';
    const { envelope, ...logged } = await served.advise(
      'acme/tiny@v1',
      digest as Digest,
      'quality',
      summary,
    );
    expect(logged).toMatchObject({ kind: 'quality' });
    const shown = await served.api(`/advisories/${logged.index}`, { token: null });
    expect(shown).toEqual({ envelope });
    expect(await refusal('/advisories/0')).toEqual([404, 'not-found']);
  });
});

describe('the documents beside the API', () => {
  test('tell where things are, and the trust root in every version', async () => {
    const config = await (await served.fetch('/.well-known/weighhouse/config.json')).json();
    expect(config).toEqual({
      origin: served.origin,
      url: served.url,
      vkey: served.vkey,
      releaseKeys: [expect.stringContaining('BEGIN PUBLIC KEY')],
      api: '/api/v1',
      log: '/log',
    });
    const newest = await (await served.fetch('/.well-known/weighhouse/root.json')).bytes();
    const first = await (await served.fetch('/.well-known/weighhouse/root/1.json')).bytes();
    expect(digestOf(nodeHost, first)).toBe(served.fingerprint);
    expect(newest).toEqual(first);
    for (const version of ['0', '2', '01', '-1', '1e0', '9999999', 'x']) {
      const response = await served.fetch(`/.well-known/weighhouse/root/${version}.json`);
      expect([version, response.status]).toEqual([version, 404]);
    }
  });

  test('no version of the trust root is shown that the published log does not have', async () => {
    const { store } = served;
    const { bytes } = (await store.get(keys.root(1)))!;
    const { size } = await served.log.published();
    await store.create(keys.root(2), bytes);
    await store.create(keys.root(3), bytes);
    const record = rootsForm.format({ v: 1, index: size, logged: [size - 1, size] });
    await store.swap(keys.roots(), null, record);
    const status = async (name: string) =>
      (await served.fetch(`/.well-known/weighhouse/${name}`)).status;
    expect(await status('root/2.json')).toBe(200);
    expect(await status('root/3.json')).toBe(404);
    expect(await status('root.json')).toBe(200);
  });

  test('the log is read tile by tile; only what is there may be kept', async () => {
    const checkpoint = await served.fetch('/log/checkpoint');
    const note = await checkpoint.text();
    const size = Number(note.split('\n')[1]);
    expect(note.startsWith(`${served.origin}\n`)).toBe(true);
    expect(checkpoint.headers.get('cache-control')).toBe('public, max-age=1');
    for (const path of [`tile/0/000.p/${size}`, `tile/entries/000.p/${size}`]) {
      const tile = await served.fetch(`/log/${path}`);
      expect([path, tile.status]).toEqual([path, 200]);
      expect(tile.headers.get('cache-control')).toContain('immutable');
    }
    const later = await served.fetch('/log/tile/0/001');
    expect([later.status, later.headers.get('cache-control')]).toEqual([404, 'no-store']);
  });
});
