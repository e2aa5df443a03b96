/** Nothing unpublished is readable: not on a public route, nor by a token for something else. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { declared } from '../made/live-registry.ts';
import { draftPath, Served } from '../made/served.ts';

const SECRET = 'The weights that nobody may see yet.';
const REFERENCE = 'acme/secret@v1';
const DRAFT = `/api/v1${draftPath(REFERENCE)}`;

let served: Served;
let digest: Digest;
let session: string;
beforeAll(async () => {
  served = await Served.start();
  await served.createNamespace('other');
  await served.publish('acme/secret@v0', { 'README.md': 'The release before it.' });
  ({ digest, session } = await served.push(REFERENCE, { 'weights.bin': SECRET }));
});
afterAll(() => served.stop());

async function other(...roles: ('publisher' | 'owner')[]): Promise<string> {
  return (await served.token({ roles, namespace: 'other' })).token;
}

describe('a sealed draft', () => {
  const release = '/api/v1/releases/acme/secret';
  const documents = [
    'manifest.json',
    'model.sig',
    'release.dsse',
    'release.tlog-proof',
    'model-sig.tlog-proof',
    'entry',
    'decisions.json',
    'tensors.json',
    'chunks/weights.bin',
    'files/weights.bin',
  ];

  test('is not found by any route for what is public, by version or by digest', async () => {
    for (const version of ['v1', 'V1', digest]) {
      for (const rest of ['', ...documents.map((document) => `/${document}`)]) {
        for (const token of [null, served.publisher, session]) {
          const response = await served.fetch(`${release}/${version}${rest}`, { token });
          const body = await response.text();
          expect([version, rest, response.status]).toEqual([version, rest, 404]);
          expect(body).not.toContain(SECRET);
        }
      }
    }
  });

  test('is in no list, no search and no history', async () => {
    for (const path of [
      '/releases?namespace=acme',
      '/releases?query=secret',
      '/releases/acme/secret',
      '/releases/acme/secret/history',
    ]) {
      const found = JSON.stringify(await served.api(path, { token: null }));
      expect(found).not.toContain('secret@v1');
      expect(found).not.toContain(digest);
    }
  });

  test('is shown to nobody without a token for its namespace', async () => {
    for (const [path, method] of [
      ['', 'GET'],
      ['', 'PUT'],
      ['', 'DELETE'],
      ['/manifest.json', 'GET'],
      ['/files', 'POST'],
      ['/seal', 'POST'],
      ['/publish', 'POST'],
    ] as const) {
      const json = method === 'POST' ? bodyOf(path) : undefined;
      const without = await served.fetch(DRAFT + path, { method, json });
      expect([path, method, without.status]).toEqual([path, method, 401]);
      const foreign = await served.fetch(DRAFT + path, {
        method,
        json,
        token: await other('owner'),
      });
      expect([path, method, foreign.status]).toEqual([path, method, 403]);
    }
  });

  test('looks to others like one that does not exist', async () => {
    const token = await other('publisher');
    const answers = [];
    for (const name of ['secret/v1', 'nothing/v1']) {
      const response = await served.fetch(`/api/v1/drafts/acme/${name}`, { token });
      answers.push((await response.text()).replaceAll(name, 'NAME'));
    }
    expect(answers[0]).toBe(answers[1]);
  });

  test('is never kept by a cache', async () => {
    for (const path of ['', '/manifest.json']) {
      const response = await served.fetch(DRAFT + path, { token: served.publisher });
      expect(response.status).toBe(200);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('bytes that only a draft has', () => {
  test('cannot be claimed by digest from another namespace: the answer is that of unknown bytes', async () => {
    const token = await other('publisher');
    const thief = '/drafts/other/thief/v1';
    const mine = { method: 'POST', token } as const;
    await served.api(thief, { method: 'PUT', token });
    const known = await served.api(`${thief}/files`, { ...mine, json: declared('stolen', SECRET) });
    const unknown = await served.api(`${thief}/files`, {
      ...mine,
      json: declared('unknown', 'Bytes that nobody ever sent.........'),
    });
    expect(Object.keys(known)).toEqual(Object.keys(unknown));
    expect(known).toMatchObject({ state: 'upload', parts: [] });
  });
});

describe('an upload credential', () => {
  test('publishes nothing and opens nothing but its own draft', async () => {
    const publish = await served.fetch(`${DRAFT}/publish`, {
      method: 'POST',
      token: session,
      json: { digest },
    });
    expect(publish.status).toBe(403);
    for (const name of ['secret/v2', 'tiny/v1']) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const response = await served.fetch(`/api/v1/drafts/acme/${name}`, {
          method,
          token: session,
        });
        expect([name, method, response.status]).toEqual([name, method, 403]);
      }
    }
  });

  test('reads the state of its own draft', async () => {
    expect((await served.fetch(DRAFT, { token: session })).status).toBe(200);
  });
});

function bodyOf(path: string): unknown {
  if (path === '/files') return declared('a', 'b');
  return path === '/seal' ? { nonce: '0'.repeat(64), paths: ['a'] } : {};
}
