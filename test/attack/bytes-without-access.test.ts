/**
 * Bytes that a namespace keeps for readers are given to nobody else, however they are asked for:
 * by every protocol, method, range and condition, with every token that is not a reader's.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import { issueCiToken, issueToken, issueUploadCredential } from '../../src/keyring/token.ts';
import { REVOCATION_SECONDS } from '../../src/server/auth.ts';
import { keys } from '../../src/store/keys.ts';
import { digestOfText, hexOf, Restricted, WEIGHTS } from '../made/restricted.ts';
import { filePath, type RequestOptions, type Served } from '../made/served.ts';

const ETAG = `"${hexOf(WEIGHTS)}"`;
const DIGEST = digestOfText(WEIGHTS);

let restricted: Restricted;
let served: Served;
let revision: string;
beforeAll(async () => {
  restricted = await Restricted.start();
  ({ served } = restricted);
  const answer = await served.fetch('/api/models/acme/tiny');
  revision = ((await answer.json()) as { sha: string }).sha;
}, 120_000);
afterAll(() => served.stop());

const PATHS: readonly (readonly [string, () => string])[] = [
  ['our own API', () => filePath('acme/tiny@v1', 'weights.bin')],
  ['our own API, in capitals', () => filePath('Acme/Tiny@v1', 'weights.bin')],
  [
    'our own API, percent-encoded',
    () => filePath('acme/tiny@v1', 'weights.bin').replace('w', '%77'),
  ],
  ['the hub’s API by branch', () => '/acme/tiny/resolve/main/weights.bin'],
  ['the hub’s API by version', () => '/acme/tiny/resolve/v1/weights.bin'],
  ['the hub’s API by commit', () => `/acme/tiny/resolve/${revision}/weights.bin`],
  ['the hub’s API by tag', () => '/acme/tiny/resolve/refs%2Ftags%2Fv1/weights.bin'],
  ['the hub’s API, raw', () => '/acme/tiny/raw/main/weights.bin'],
  ['the hub’s API, in capitals', () => '/Acme/Tiny/resolve/main/weights.bin'],
  ['OCI', () => `/v2/acme/tiny/blobs/${DIGEST}`],
];

const WAYS: readonly RequestOptions[] = [
  {},
  { method: 'HEAD' },
  { headers: { range: 'bytes=0-0' } },
  { headers: { range: 'bytes=999999-' } },
  { headers: { range: 'bytes=0-0', 'if-range': ETAG } },
  { headers: { 'if-none-match': ETAG } },
  { headers: { 'if-none-match': '*' } },
  { headers: { 'if-match': '"0"' } },
  { headers: { 'weighhouse-verifies': 'chunks' } },
  { headers: { origin: 'https://elsewhere.example' } },
];

/** Asks in every way; each answer is that status and shows nothing of the file. */
async function expectRefused(path: string, token: string | null, status: number): Promise<void> {
  for (const way of WAYS) {
    const response = await served.fetch(path, { ...way, token });
    const said = { way, status: response.status };
    expect(said).toEqual({ way, status });
    for (const name of ['etag', 'repr-digest', 'content-range', 'accept-ranges', 'location']) {
      expect([name, response.headers.get(name)]).toEqual([name, null]);
    }
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).not.toContain(WEIGHTS.slice(0, 11));
  }
}

test.each(PATHS)('by %s, without a token', async (_, path) => {
  await expectRefused(path(), null, 401);
});

test.each(PATHS)('by %s, with the token in the query', async (_, path) => {
  const reader = await restricted.reader();
  for (const name of ['token', 'access_token', 'authorization']) {
    await expectRefused(`${path()}?${name}=${encodeURIComponent(reader)}`, null, 401);
  }
});

/** Tokens that read nothing here. What only uploads is none of the hub’s, nor of OCI’s. */
const TOKENS: readonly (readonly [string, () => Promise<string>, number])[] = [
  ['a reader of another namespace', () => restricted.reader('other'), 403],
  ['an owner of another namespace', async () => (await token('owner', 'other')).token, 403],
  ['the operator', () => served.operator(), 403],
  ['a CI job of the namespace', () => ciToken(), 401],
  ['a reader whose token ended', () => endedToken(), 401],
  ['a reader of another registry', () => foreignToken(), 401],
];

const token = (role: 'owner' | 'reader', namespace: string) =>
  served.token({ roles: [role], namespace });

async function ciToken(): Promise<string> {
  const grant = { namespace: parseNamespace('acme'), grant: '0123456789abcdef.1' };
  return (await issueCiToken(served.tokens, 'ci:job', grant, Date.now())).token;
}

async function endedToken(): Promise<string> {
  const grant = { subject: 'rea', roles: ['reader'], namespace: parseNamespace('acme') } as const;
  return (await issueToken(served.tokens, grant, 60, Date.now() - 3_600_000)).token;
}

async function foreignToken(): Promise<string> {
  const grant = { subject: 'rea', roles: ['reader'], namespace: parseNamespace('acme') } as const;
  const key = await tokenKey('another.test', newEd25519Key());
  return (await issueToken(key, grant, 3600, Date.now())).token;
}

describe.each(TOKENS)('with a token of %s', (_, made, status) => {
  test.each(PATHS)('by %s', async (_, path) => {
    await expectRefused(path(), await made(), status);
  });
});

test('with the credential of an upload session, also of the same model', async () => {
  const uploader = { subject: 'pat', parent: 'ab'.repeat(16) };
  const draft = parseReleaseName('acme/tiny@v2');
  const { token } = await issueUploadCredential(served.tokens, uploader, draft, Date.now());
  for (const [, path] of PATHS) await expectRefused(path(), token, 403);
});

test('with a pull token of somebody else’s namespace, of nobody, or for another model', async () => {
  const blob = `/v2/acme/tiny/blobs/${DIGEST}`;
  const reader = await restricted.reader();
  await expectRefused(blob, await restricted.pullToken(await restricted.reader('other')), 403);
  await expectRefused(blob, await restricted.pullToken(await served.operator()), 403);
  await expectRefused(blob, await restricted.pullToken(null), 401);
  await expectRefused(blob, await restricted.pullToken(reader, 'acme/other'), 401);
});

test('with a pull token in our own API or the hub’s, which it is not for', async () => {
  const pull = await restricted.pullToken(await restricted.reader());
  for (const path of [filePath('acme/tiny@v1', 'weights.bin'), '/acme/tiny/resolve/v1/weights.bin'])
    await expectRefused(path, pull, 401);
});

test('with a token that was revoked, or a pull token of it, half a minute later at the latest', async () => {
  const { token, id } = await served.token({ roles: ['reader'] });
  const pull = await restricted.pullToken(token);
  const [own, blob] = [filePath('acme/tiny@v1', 'weights.bin'), `/v2/acme/tiny/blobs/${DIGEST}`];
  expect((await served.fetch(own, { token })).status).toBe(200);
  expect((await served.fetch(blob, { token: pull })).status).toBe(200);
  await served.store.create(keys.revoked(id), new Uint8Array(1));
  served.pass(REVOCATION_SECONDS * 1000);
  for (const [, path] of PATHS) await expectRefused(path(), token, 401);
  await expectRefused(blob, pull, 401);
});
