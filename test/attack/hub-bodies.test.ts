/** Bodies of the hub's `paths-info` that no honest client sends: they name nothing, or are refused as the hub would. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MAX_PATHS } from '../../src/server/hugging-face/query.ts';
import { FAILURE } from '../made/refusal-forms.ts';
import { Served } from '../made/served.ts';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'a/b.txt': 'The only file.' });
}, 30_000);
afterAll(() => served.stop());

async function post(body: string | Uint8Array, type: string, headers = {}) {
  const response = await served.fetch('/api/models/acme/tiny/paths-info/v1', {
    method: 'POST',
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    headers: { 'content-type': type, ...headers },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const HOSTILE = [
  '../../../../etc/passwd',
  '..\\..\\etc\\passwd',
  '/a/b.txt',
  'a//b.txt',
  './a/b.txt',
  'a/../a/b.txt',
  'a%2fb.txt',
  'a%252fb.txt',
  'A/B.TXT',
  'a/b.txt\0',
  'a/b.txt.',
  'C:\\a\\b.txt',
  '\\\\host\\share',
  '__proto__',
  'constructor',
  '*',
  'a/b.txt\r\nX-Evil: 1',
];

test.each(HOSTILE)('%j names no file, in JSON or in a form', async (path) => {
  const form = new URLSearchParams({ paths: path }).toString();
  for (const [body, type] of [
    [JSON.stringify({ paths: [path] }), JSON_TYPE],
    [form, FORM],
  ] as const) {
    const { status, text } = await post(body, type);
    expect([status, text]).toEqual([200, '[]']);
  }
});

test('a path that is right is found in both', async () => {
  for (const [body, type] of [
    ['{"paths":["a/b.txt"]}', JSON_TYPE],
    ['paths=a%2Fb.txt', FORM],
  ] as const) {
    expect(JSON.parse((await post(body, type)).text)).toMatchObject([{ path: 'a/b.txt' }]);
  }
});

describe('a body', () => {
  const many = (count: number) => JSON.stringify({ paths: Array(count).fill('a') });

  test.each<[string, string | Uint8Array, string, number, string]>([
    ['that is cut', '{"paths":[', JSON_TYPE, 400, 'BadJson'],
    ['with a key twice', '{"paths":[],"paths":["a"]}', JSON_TYPE, 400, 'BadJson'],
    ['with a key __proto__', '{"__proto__":{},"paths":[]}', JSON_TYPE, 400, 'BadJson'],
    ['of a depth of ten thousand', '['.repeat(10_000), JSON_TYPE, 413, 'TooLarge'],
    ['without paths', '{}', JSON_TYPE, 400, 'Usage'],
    ['with paths that are numbers', '{"paths":[1]}', JSON_TYPE, 400, 'Usage'],
    ['that is null', 'null', JSON_TYPE, 400, 'Usage'],
    ['of more paths than are looked for', many(MAX_PATHS + 1), JSON_TYPE, 413, 'TooLarge'],
    ['that is too long', `paths=${'a'.repeat(2 ** 20)}`, FORM, 413, 'TooLarge'],
    ['that is no UTF-8', new Uint8Array([0x70, 0xff, 0xfe]), FORM, 400, 'BadEncoding'],
    ['of another type', 'paths=a', 'text/plain', 400, 'BadJson'],
  ])('%s is refused in the form of the hub', async (_, body, type, status, code) => {
    const refused = await post(body, type);
    expect([refused.status, FAILURE.hub(refused)]).toEqual([status, code]);
  });

  test('of as many paths as are looked for is answered', async () => {
    expect((await post(many(MAX_PATHS), JSON_TYPE)).status).toBe(200);
  });

  test('that says it is compressed is refused', async () => {
    const refused = await post('paths=a', FORM, { 'content-encoding': 'gzip' });
    expect([refused.status, FAILURE.hub(refused)]).toEqual([400, 'BadEncoding']);
  });
});
