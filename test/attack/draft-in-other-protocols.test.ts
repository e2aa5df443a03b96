/**
 * What is not published cannot be told from what never was: in the answers of the Hugging Face
 * and the OCI protocol as in those of our own, to strangers and to those with a token.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Served } from '../made/served.ts';

const SECRET = 'The weights that nobody may see yet.';
const BLOB = `sha256:${createHash('sha256').update(SECRET).digest('hex')}`;
const ABSENT_BLOB = `sha256:${'0'.repeat(64)}`;
/** Headers of the moment. */
const CHANGING = ['date', 'x-request-id', 'connection', 'keep-alive', 'content-length'];

let served: Served;
let digest: string;

beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/known@v1', { 'README.md': 'Known.' });
  ({ digest } = await served.push('acme/secret@v1', { 'weights.bin': SECRET }));
  await served.push('acme/known@v2', { 'weights.bin': SECRET });
}, 30_000);
afterAll(() => served.stop());

/** All that an answer tells, with the name and digests that were asked for taken out. */
async function told(path: string, asked: readonly string[], token: string | null) {
  const told = [];
  for (const method of ['GET', 'HEAD']) {
    const response = await served.fetch(path, { method, token });
    const headers = [...response.headers].filter(([name]) => !CHANGING.includes(name));
    told.push([response.status, headers, await response.text()]);
  }
  return asked.reduce((text, word) => text.replaceAll(word, 'ASKED'), JSON.stringify(told));
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
  `/api/v1/releases/${model}`,
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
  ])('is not found by %s', async (_, draft, absent) => {
    const words = [digest, BLOB, ABSENT_BLOB, hex(), '0'.repeat(40), 'v2', 'v9'];
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
