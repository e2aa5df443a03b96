/**
 * Bytes for readers cannot be had by a detour either: not by naming their digest in a repository or
 * a draft of one's own, not by what refers to them, not by an address that somebody else was given.
 */
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseDigest } from '../../src/core/digest.ts';
import { keys } from '../../src/store/keys.ts';
import { declared } from '../made/live-registry.ts';
import type { Loose } from '../made/loose.ts';
import { digestOfText, OPEN, Restricted, WEIGHTS } from '../made/restricted.ts';
import { draftPath, filePath, type Served } from '../made/served.ts';

const DIGEST = digestOfText(WEIGHTS);
const LOCATED = '/acme/tiny/resolve/main/weights.bin';

let restricted: Restricted;
let served: Served;
let mallory: string;
beforeAll(async () => {
  restricted = await Restricted.start();
  ({ served } = restricted);
  await served.createNamespace('mallory');
  mallory = (await served.token({ roles: ['publisher'], namespace: 'mallory' })).token;
  await served.publish('mallory/copy@v1', { 'a.txt': 'Mine.' }, { token: mallory });
}, 120_000);
afterAll(() => served.stop());

const declare = (reference: string, path: string, text: string) => {
  const options = { method: 'POST', token: mallory, json: declared(path, text) };
  return served.api(`${draftPath(reference)}/files`, options);
};

test('a repository of one’s own does not open their digest', async () => {
  for (const token of [null, mallory, await restricted.pullToken(mallory, 'mallory/copy')]) {
    const response = await served.fetch(`/v2/mallory/copy/blobs/${DIGEST}`, { token });
    expect([response.status, ((await response.json()) as Loose).errors[0].code]).toEqual([
      404,
      'BLOB_UNKNOWN',
    ]);
  }
});

test('a blob is not mounted out of their repository', async () => {
  const path = `/v2/mallory/copy/blobs/uploads/?mount=${DIGEST}&from=acme/tiny`;
  expect((await served.fetch(path, { method: 'POST', token: mallory })).status).toBe(405);
  expect((await served.fetch(`/v2/mallory/copy/blobs/${DIGEST}?from=acme/tiny`)).status).toBe(404);
});

test('a draft of one’s own has to be sent them like bytes that nobody has', async () => {
  await served.api(draftPath('mallory/copy@v2'), { method: 'PUT', token: mallory });
  const theirs = await declare('mallory/copy@v2', 'stolen.bin', WEIGHTS);
  const unknown = await declare('mallory/copy@v2', 'unknown.bin', `${WEIGHTS}!`);
  expect(theirs).toMatchObject({ state: 'upload', parts: [] });
  expect(Object.keys(theirs)).toEqual(Object.keys(unknown));
});

test('nor do bytes stay within reach that were everybody’s before', async () => {
  const it = await Restricted.start({}, null);
  try {
    await it.served.createNamespace('mallory');
    const { token } = await it.served.token({ roles: ['publisher'], namespace: 'mallory' });
    const begin = async (reference: string) => {
      await it.served.api(draftPath(reference), { method: 'PUT', token });
      const json = declared('stolen.bin', WEIGHTS);
      const path = `${draftPath(reference)}/files`;
      return (await it.served.api(path, { method: 'POST', token, json })).state;
    };
    // What is noted after a publish comes a moment later.
    const claim = keys.publicClaim(parseDigest(DIGEST));
    while ((await it.served.store.size(claim)) === undefined) await setImmediate();
    expect(await begin('mallory/copy@v1')).toBe('stored');
    await it.setBytes({ for: 'readers' });
    expect(await begin('mallory/copy@v2')).toBe('upload');
    await it.setBytes(undefined);
    expect(await begin('mallory/copy@v3')).toBe('stored');
  } finally {
    await it.served.stop();
  }
}, 120_000);

test('what refers to a release, and what it says, opens none of its files', async () => {
  const manifest = await served.fetch('/v2/acme/tiny/manifests/v1');
  const subject = manifest.headers.get('docker-content-digest');
  const { layers, config } = (await manifest.json()) as Loose;
  const status = async (digest: string) =>
    (await served.fetch(`/v2/acme/tiny/blobs/${digest}`)).status;
  expect(await status(config.digest)).toBe(200);
  const statuses: [string, number][] = [];
  for (const { digest } of layers) statuses.push([digest, await status(digest)]);
  expect(statuses).toContainEqual([digestOfText(OPEN), 200]);
  expect(statuses.filter(([, it]) => it === 200)).toEqual([[digestOfText(OPEN), 200]]);

  const { manifests } = (await (
    await served.fetch(`/v2/acme/tiny/referrers/${subject}`)
  ).json()) as Loose;
  expect(manifests.length).toBeGreaterThan(0);
  for (const { digest } of manifests) {
    const evidence = (await (
      await served.fetch(`/v2/acme/tiny/manifests/${digest}`)
    ).json()) as Loose;
    for (const layer of evidence.layers) {
      const blob = await served.fetch(`/v2/acme/tiny/blobs/${layer.digest}`);
      expect(blob.status).toBe(200);
      expect(await blob.text()).not.toContain(WEIGHTS.slice(0, 11));
    }
  }
});

test('a document that everybody may read opens no other file with its name further down', async () => {
  const files = {
    'README.md': 'Read me.',
    'docs/README.md': 'Not you.',
    'README.md.bin': 'Nor you.',
  };
  await served.publish('acme/named@v1', files);
  const status = async (path: string) =>
    (await served.fetch(filePath('acme/named@v1', path))).status;
  expect(await status('README.md')).toBe(200);
  expect(await status('docs/README.md')).toBe(401);
  expect(await status('README.md.bin')).toBe(401);
  expect(await status('docs%2F..%2FREADME.md')).not.toBe(200);
});

test('bytes that also stand in a document for everybody are everybody’s, whatever name comes first', async () => {
  await served.publish('acme/twice@v1', {
    'A/LICENSE': 'The same words.',
    LICENSE: 'The same words.',
  });
  const blob = await served.fetch(`/v2/acme/twice/blobs/${digestOfText('The same words.')}`);
  expect(blob.status).toBe(200);
});

test('a reader sees no draft and its bytes, and takes no part in one', async () => {
  const { digest } = await served.push('acme/secret@v1', { 'weights.bin': 'Not yet.' });
  const reader = await restricted.reader();
  const draft = '/api/v1/drafts/acme/secret/v1';
  const ask = async (path: string, method = 'GET', json?: unknown) =>
    (await served.fetch(path, { token: reader, method, ...(json !== undefined && { json }) }))
      .status;
  expect(await ask(draft)).toBe(403);
  expect(await ask(`${draft}/manifest.json`)).toBe(403);
  expect(await ask(`${draft}/decisions`)).toBe(403);
  expect(await ask(draft, 'PUT')).toBe(403);
  expect(await ask(draft, 'DELETE')).toBe(403);
  expect(await ask(`${draft}/publish`, 'POST', { digest })).toBe(403);
  expect(await ask('/api/v1/namespaces/acme/usage')).toBe(403);
  expect(await ask(filePath('acme/secret@v1', 'weights.bin'))).toBe(404);
  expect(await ask('/acme/secret/resolve/v1/weights.bin')).toBe(404);
  const blob = `/v2/acme/tiny/blobs/${digestOfText('Not yet.')}`;
  expect(await ask(blob)).toBe(404);
});

test('who was sent to the store leaves no address for the next one, and gets it for five minutes', async () => {
  const reader = await restricted.reader();
  const signed: unknown[] = [];
  const { registry } = served;
  const original = registry.content;
  registry.content = async (...args) => ({
    ...(await original(...args)),
    signedUrl: async (as, seconds) => {
      signed.push([as.cache, seconds]);
      return 'https://bucket.example/blob?signature=x';
    },
  });
  try {
    const sent = await served.fetch(LOCATED, { token: reader });
    expect([sent.status, sent.headers.get('cache-control')]).toEqual([307, 'no-store']);
    expect(sent.headers.get('vary')).toContain('Authorization');
    const blob = await served.fetch(`/v2/acme/tiny/blobs/${DIGEST}`, { token: reader });
    expect(blob.status).toBe(307);
    expect(signed).toEqual([
      ['private, no-cache', 300],
      ['private, no-cache', 300],
    ]);
    for (const path of [LOCATED, `/v2/acme/tiny/blobs/${DIGEST}`]) {
      const refused = await served.fetch(path);
      expect([refused.status, refused.headers.get('location')]).toEqual([401, null]);
    }
    expect(signed).toHaveLength(2);
  } finally {
    registry.content = original;
  }
});
