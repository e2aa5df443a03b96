/**
 * What is not published cannot be told from what never was: in the answers of the Hugging Face
 * and the OCI protocol as in those of our own, to strangers and to those with a token. Nor by how
 * long an answer takes: the store is asked for the same, in the same order.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/contract.ts';
import { type RequestOptions, Served } from '../made/served.ts';

const SECRET = 'The weights that nobody may see yet.';
const BLOB = `sha256:${createHash('sha256').update(SECRET).digest('hex')}`;
const ABSENT_BLOB = `sha256:${'0'.repeat(64)}`;
/** Headers of the moment. */
const CHANGING = ['date', 'x-request-id', 'connection', 'keep-alive', 'content-length'];

let served: Served;
let digest: string;
/** What the store was asked for since the last request began. */
let asked: string[] = [];

/** A store that keeps account of what it is asked for, but for the lock, at which a server looks by itself. */
function accountable(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (args[0] !== 'private/lock') asked.push(`${String(name)} ${args[0]}`);
        return member.apply(target, args);
      };
    },
  });
}

beforeAll(async () => {
  served = await Served.start({ wrapStore: accountable });
  await served.publish('acme/known@v1', { 'README.md': 'Known.' });
  ({ digest } = await served.push('acme/secret@v1', { 'weights.bin': SECRET }));
  await served.push('acme/known@v2', { 'weights.bin': SECRET });
}, 30_000);
afterAll(() => served.stop());

/** Requests for one thing: as it is, by HEAD, for a part of it, for it if it has changed. */
const WAYS: RequestOptions[] = [
  {},
  { method: 'HEAD' },
  { headers: { range: 'bytes=0-0' } },
  { headers: { 'if-none-match': '*' } },
  { headers: { 'if-match': '"0"' } },
];

/** All that answers tell, and what they took, with the name and digests that were asked for taken out. */
async function told(path: string, words: readonly string[], token: string | null) {
  const told = [];
  for (const way of WAYS) {
    asked = [];
    const response = await served.fetch(path, { ...way, token });
    const headers = [...response.headers].filter(([name]) => !CHANGING.includes(name));
    told.push([response.status, headers, await response.text(), asked]);
  }
  return words.reduce((text, word) => text.replaceAll(word, 'ASKED'), JSON.stringify(told));
}

const MODELS = (model: string): string[] => [
  `/api/models/${model}`,
  `/api/models/${model}/revision/v1`,
  `/api/models/${model}/tree/main`,
  `/api/models/${model}/refs`,
  `/api/models/${model}/commits/main`,
  `/${model}/resolve/v1/weights.bin`,
  `/${model}/raw/main/weights.bin`,
  `/v2/${model}/tags/list`,
  `/v2/${model}/manifests/v1`,
  `/v2/${model}/manifests/latest`,
  `/v2/${model}/blobs/${BLOB}`,
  `/v2/${model}/referrers/${BLOB}`,
  `/${model}`,
  `/api/v1/releases/${model}`,
  `/api/v1/releases/${model}/history`,
  `/api/v1/releases/${model}/v1/manifest.json`,
];

describe('a model that has only a draft', () => {
  test.each(MODELS('MODEL'))('answers %s as if it did not exist', async (path) => {
    for (const token of [null, served.publisher]) {
      const secret = await told(path.replace('MODEL', 'acme/secret'), ['acme/secret'], token);
      const never = await told(path.replace('MODEL', 'acme/never'), ['acme/never'], token);
      expect(secret).toBe(never);
    }
  });

  test('is in no list of any protocol', async () => {
    for (const path of ['/api/models?search=secret', '/v2/_catalog', '/api/models?author=acme']) {
      expect(await (await served.fetch(path)).text()).not.toContain('secret');
    }
  });
});

describe('a draft beside published releases of the same model', () => {
  const hex = () => digest.slice(7, 47);

  test.each<[string, () => string, () => string]>([
    [
      'its version',
      () => '/api/models/acme/known/revision/v2',
      () => '/api/models/acme/known/revision/v9',
    ],
    ['its tag', () => '/v2/acme/known/manifests/v2', () => '/v2/acme/known/manifests/v9'],
    [
      'its bytes by digest',
      () => `/v2/acme/known/blobs/${BLOB}`,
      () => `/v2/acme/known/blobs/${ABSENT_BLOB}`,
    ],
    [
      'its sealed digest as a manifest',
      () => `/v2/acme/known/manifests/${digest}`,
      () => `/v2/acme/known/manifests/${ABSENT_BLOB}`,
    ],
    [
      'its revision',
      () => `/api/models/acme/known/revision/${hex()}`,
      () => `/api/models/acme/known/revision/${'0'.repeat(40)}`,
    ],
    [
      'the revision of its files',
      () => `/acme/known/resolve/${hex()}/weights.bin`,
      () => `/acme/known/resolve/${'0'.repeat(40)}/weights.bin`,
    ],
    [
      'the version of its files',
      () => '/acme/known/resolve/v2/weights.bin',
      () => '/acme/known/resolve/v9/weights.bin',
    ],
    [
      'what might refer to it',
      () => `/v2/acme/known/referrers/${digest}`,
      () => `/v2/acme/known/referrers/${ABSENT_BLOB}`,
    ],
    [
      'its digest in our own API',
      () => `/api/v1/releases/acme/known/${digest}`,
      () => `/api/v1/releases/acme/known/${ABSENT_BLOB}`,
    ],
  ])('is not found by %s', async (_, draft, absent) => {
    const words = [digest, BLOB, ABSENT_BLOB];
    words.push(...words.map((word) => word.slice(7)), hex(), '0'.repeat(40), 'v2', 'v9');
    expect(await told(draft(), words, null)).toBe(await told(absent(), words, null));
  });

  test('shows in no list of tags, references, commits or files', async () => {
    for (const path of [
      '/api/models/acme/known/refs',
      '/api/models/acme/known/commits/main',
      '/api/models/acme/known/tree/main',
      '/v2/acme/known/tags/list',
    ]) {
      const text = await (await served.fetch(path, { token: served.publisher })).text();
      expect(text).not.toMatch(/v2"|weights\.bin/);
    }
  });
});
