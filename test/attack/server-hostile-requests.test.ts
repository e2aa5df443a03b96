/** Requests that no honest client sends: JSON that means two things, paths that lead elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { declared } from '../made/live-registry.ts';
import { rawExchange, rawGet, statusOf } from '../made/raw-http.ts';
import { Served } from '../made/served.ts';

const FILES = '/drafts/acme/tiny/v1/files';
const TEXT = 'Readable by everybody.';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/public@v1', { 'README.md': TEXT, 'a/b.txt': TEXT });
  await served.api('/drafts/acme/tiny/v1', { method: 'PUT' });
});
afterAll(() => served.stop());

/** Declares a file with exactly this body. */
async function declare(body: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await served.fetch(`/api/v1${FILES}`, {
    method: 'POST',
    token: served.publisher,
    body: new TextEncoder().encode(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const answer = (await response.json()) as { code?: string };
  return [response.status, answer.code];
}

describe('a JSON body', () => {
  const good = JSON.stringify(declared('a.txt', 'a'));

  test('that is right is taken', async () => {
    expect((await declare(good))[0]).toBe(200);
  });

  test.each([
    ['has a key twice', good.replace('{', '{"path":"other",')],
    ['has a key twice, once escaped', good.replace('{', '{"\\u0070ath":"other",')],
    ['has a key __proto__', good.replace('{', '{"__proto__":{"size":1},')],
    ['is cut', good.slice(0, -1)],
    ['has something behind it', `${good}{}`],
    ['is empty', ''],
    ['begins with a byte order mark', `\ufeff${good}`],
    ['has a lone surrogate', good.replace('a.txt', '\\ud800')],
  ])('that %s is refused as bad JSON', async (_what, body) => {
    expect(await declare(body)).toEqual([400, 'bad-json']);
  });

  test.each([
    ['has one member too many', good.replace('{', '{"more":1,')],
    ['has a number over 2^53', good.replace('"size":1', '"size":9007199254740993')],
    ['has a size that is no whole number', good.replace('"size":1', '"size":1.5')],
    ['is a list', `[${good}]`],
    ['is null', 'null'],
  ])('that %s is refused', async (_what, body) => {
    expect(await declare(body)).toEqual([400, 'bad-document']);
  });

  test('of a depth of ten thousand is refused without a trace of it', async () => {
    expect(await declare('['.repeat(10_000))).toEqual([413, 'too-large']);
    expect(await declare('{"a":'.repeat(10_000))).toEqual([413, 'too-large']);
  });

  test('that is announced as 100 MB is refused before it is sent, and the connection may be kept', async () => {
    const answer = await rawExchange(
      served.port,
      [
        `POST /api/v1${FILES} HTTP/1.1`,
        'Host: 127.0.0.1',
        `Authorization: Bearer ${served.publisher}`,
        'Content-Type: application/json',
        'Content-Length: 100000000',
        'Connection: close',
        '\r\n{',
      ].join('\r\n'),
    );
    expect(statusOf(answer)).toBe(413);
  });

  test('that nobody announced is cut off at the limit', async () => {
    const padding = ' '.repeat(2 ** 20 - good.length);
    expect((await declare(good + padding))[0]).toBe(200);
    expect(await declare(`${good + padding} `)).toEqual([413, 'too-large']);
  });

  test.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-encoding': 'gzip' },
  ])('sent with %o is refused', async (headers) => {
    expect((await declare(good, headers))[0]).toBe(400);
  });

  test('is not even looked at without a token', async () => {
    const response = await served.fetch(`/api/v1${FILES}`, {
      method: 'POST',
      body: new TextEncoder().encode('['.repeat(10_000)),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(401);
  });
});

describe('a path', () => {
  const files = '/api/v1/releases/acme/public/v1/files';

  test('is decoded exactly once', async () => {
    const escaped = await rawGet(served.port, `${files}/%52EADME.md`);
    expect(escaped.endsWith(TEXT)).toBe(true);
    expect(statusOf(await rawGet(served.port, `${files}/%2552EADME.md`))).toBe(404);
  });

  test.each([
    '/..%2f..%2f..%2fetc%2fpasswd',
    '/../../../../../../etc/passwd',
    '/%2e%2e/%2e%2e/manifest.json',
    '/%252e%252e%252fREADME.md',
    '/README.md%00',
    '/README.md%00.txt',
    '/README.md/',
    '/README.md%2f',
    '//README.md',
    '/.%2fREADME.md',
    '/readme.md',
    '/a%5cb.txt',
    '/__proto__',
    '/constructor',
    '/a',
    '/C:%5cboot.ini',
  ])('%s leads to no file', async (rest) => {
    const answer = await rawGet(served.port, files + rest);
    expect([rest, statusOf(answer)]).toEqual([rest, 404]);
    expect(answer).not.toContain(TEXT);
  });

  test.each(['%', '%zz', '%c0%ae', '%ff', '%ed%a0%80'])(
    'that is not well encoded (%s) is refused',
    async (rest) => {
      const answer = await rawGet(served.port, `${files}/${rest}`);
      expect(statusOf(answer)).toBe(400);
      expect(answer).toContain('"code":"bad-encoding"');
    },
  );

  test.each([
    '/api/v1/releases/..%2fprivate/x/v1',
    '/api/v1/releases/acme/..%2f..%2fprivate%2flock/v1',
    '/api/v1/releases/acme/public/..%2f..',
    '/api/v1/releases/acme/public/sha256:..%2f..',
    '/api/v1/releases/__proto__/x/v1',
    `/api/v1/releases/${'a'.repeat(5_000)}/x/v1`,
  ])('%s names no release', async (path) => {
    const status = statusOf(await rawGet(served.port, path));
    expect([400, 404]).toContain(status);
  });

  test.each([
    '/log/tile/../lock',
    '/log/tile/..%2f..%2fprivate%2flock',
    '/log/tile/0/..',
    '/log/tile/x001',
    '/log/lock',
    '/private/lock/x',
    '/log/tile/8/000/',
    '/log/tile/00/000',
  ])('%s shows nothing of the store', async (path) => {
    expect([400, 404]).toContain(statusOf(await rawGet(served.port, path)));
  });

  test('in another case, or with a double slash, is another path', async () => {
    for (const path of ['/API/v1/releases', '/api/v1/Releases', '//api/v1/releases', '/LIVEZ']) {
      expect([path, statusOf(await rawGet(served.port, path))]).toEqual([path, 404]);
    }
  });
});

describe('a query', () => {
  test.each([
    'limit=-1',
    'limit=1e3',
    'limit=0x10',
    'limit=',
    'limit=1&limit=2',
    'limit=9999999999999999',
    'before=abc',
    'namespace=..',
    'namespace=a&namespace=b',
    'more=1',
    '__proto__=1',
    `query=${'a'.repeat(201)}`,
  ])('%s is refused', async (query) => {
    const response = await served.fetch(`/api/v1/releases?${query}`);
    expect([query, response.status]).toEqual([query, 400]);
  });

  test.each([
    'limit=100000',
    'limit=0',
    'query=%22',
    'query=a*%20OR%20b',
    "query=';--",
    'query=NEAR(',
  ])('%s is answered with a list', async (query) => {
    const response = await served.fetch(`/api/v1/releases?${query}`);
    expect([query, response.status]).toEqual([query, 200]);
  });
});

describe('a Host', () => {
  test.each([
    'attacker.example',
    'attacker.example:80',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example',
    '10.0.0.1',
    '[::2]',
    'a b',
    '',
    '127.0.0.1@attacker.example',
  ])('"%s" gets nothing out of a server on this machine', async (host) => {
    const text = `GET /api/v1/releases HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const answer = await rawExchange(served.port, text);
    expect([421, 400]).toContain(statusOf(answer));
    expect(answer).not.toContain('acme');
  });

  test.each(['127.0.0.1', '127.0.0.1:1', 'localhost', 'LOCALHOST:8080', '[::1]:80'])(
    '"%s" is this machine',
    async (host) => {
      const text = `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(statusOf(await rawExchange(served.port, text))).toBe(200);
    },
  );
});

describe('what is hardly HTTP', () => {
  test.each([
    [
      'a request line of 20,000 characters',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    [
      'headers of 20,000 characters',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n'],
    [
      'two lengths',
      'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na',
    ],
    [
      'a length and chunks',
      'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header that goes on', 'GET /livez HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n'],
  ])('%s is refused', async (_what, text) => {
    const status = statusOf(await rawExchange(served.port, text));
    expect([400, 421, 431]).toContain(status);
  });
});
