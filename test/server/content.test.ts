import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MIN_CHUNK_SIZE } from '../../src/core/release/chunks.ts';
import { rawExchange } from '../made/raw-http.ts';
import { filePath, Served } from '../made/served.ts';

const CHUNK = MIN_CHUNK_SIZE;
const REFERENCE = 'acme/tiny@v1';
const TEXT = 'It was a bright cold day in April.\n';
const FILES = {
  'README.md': TEXT,
  empty: new Uint8Array(0),
  'one-chunk.bin': patterned(CHUNK),
  'one-more.bin': patterned(CHUNK + 1),
  'sub/dir/five.bin': patterned(2 * CHUNK + 5),
  "a 'quoted'; name.txt": 'quoted',
  'straße 模型.txt': 'unicode',
};

/** Headers of the connection and of the moment. */
const CHANGING = ['connection', 'date', 'keep-alive', 'x-request-id'];

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish(REFERENCE, FILES);
}, 30_000);
afterAll(() => served.stop());

function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  return served.fetch(filePath(REFERENCE, path), { method, headers });
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe('a whole file', () => {
  for (const verifies of [false, true]) {
    const headers: Record<string, string> = verifies ? { 'weighhouse-verifies': 'chunks' } : {};
    const who = verifies ? 'a client that verifies' : 'any client';
    for (const [path, content] of Object.entries(FILES)) {
      test(`${path} comes to ${who} byte for byte`, async () => {
        const response = await get(path, headers);
        expect(response.status).toBe(200);
        const expected = Buffer.from(content);
        expect(Number(response.headers.get('content-length'))).toBe(expected.length);
        expect((await bytesOf(response)).equals(expected)).toBe(true);
      });
    }
  }

  test('is found by the digest of its release, too', async () => {
    const { digest } = await served.api('/releases/acme/tiny/v1', { token: null });
    const path = `/api/v1/releases/acme/tiny/${digest}/files/README.md`;
    const response = await served.fetch(path);
    expect(await response.text()).toBe(TEXT);
  });

  test('may be kept for ever, is never compressed, and says its digest', async () => {
    const response = await get('README.md', { 'accept-encoding': 'gzip, br' });
    const sha256 = createHash('sha256').update(TEXT).digest();
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-encoding')).toBe(null);
    expect(response.headers.get('etag')).toBe(`"${sha256.toString('hex')}"`);
    expect(response.headers.get('repr-digest')).toBe(`sha-256=:${sha256.toString('base64')}:`);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('is an attachment, whatever its name', async () => {
    const plain = (await get('README.md')).headers.get('content-disposition');
    const quoted = (await get(`a 'quoted'; name.txt`)).headers.get('content-disposition');
    const unicode = (await get('straße 模型.txt')).headers.get('content-disposition');
    expect(plain).toBe('attachment; filename=README.md');
    expect(quoted).toBe(`attachment; filename="a 'quoted'; name.txt"`);
    expect(unicode).toContain("filename*=UTF-8''stra%C3%9Fe%20%E6%A8%A1%E5%9E%8B.txt");
  });

  test('HEAD answers with the headers of GET and no bytes', async () => {
    const [head, whole] = await Promise.all([get('README.md', {}, 'HEAD'), get('README.md')]);
    const comparable = (response: Response) =>
      [...response.headers].filter(([name]) => !CHANGING.includes(name));
    expect(head.status).toBe(200);
    expect(comparable(head)).toEqual(comparable(whole));
    expect(await head.text()).toBe('');
  });
});

describe('a condition', () => {
  test('If-None-Match with the ETag, strong, weak, in a list or *, gets 304 and no bytes', async () => {
    const etag = (await get('README.md')).headers.get('etag')!;
    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await get('README.md', { 'if-none-match': condition });
      expect([condition, response.status, await response.text()]).toEqual([condition, 304, '']);
      expect(response.headers.get('etag')).toBe(etag);
    }
    expect((await get('README.md', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('If-Range honours the range for the very file, and for no other', async () => {
    const etag = (await get('README.md')).headers.get('etag')!;
    const range = { range: 'bytes=0-1' };
    expect((await get('README.md', { ...range, 'if-range': etag })).status).toBe(206);
    for (const condition of ['"other"', `W/${etag}`, 'Mon, 01 Jan 2024 00:00:00 GMT']) {
      const response = await get('README.md', { ...range, 'if-range': condition });
      expect([condition, response.status]).toEqual([condition, 200]);
    }
  });
});

describe('a range', () => {
  const size = 2 * CHUNK + 5;
  const content = FILES['sub/dir/five.bin'];
  const cases: [string, number, number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=-5', size - 5, size],
    [`bytes=-${size + 100}`, 0, size],
    [`bytes=${size - 3}-`, size - 3, size],
    [`bytes=0-${size * 10}`, 0, size],
    [`bytes=${CHUNK - 1}-${CHUNK}`, CHUNK - 1, CHUNK + 1],
    [`bytes=${CHUNK}-${2 * CHUNK - 1}`, CHUNK, 2 * CHUNK],
    [`bytes=${CHUNK - 7}-${2 * CHUNK + 2}`, CHUNK - 7, 2 * CHUNK + 3],
  ];
  for (const verifies of ['chunks', 'no']) {
    test.each(cases)(
      `%s is answered with exactly its bytes (verifies: ${verifies})`,
      async (range, from, to) => {
        const response = await get('sub/dir/five.bin', { range, 'weighhouse-verifies': verifies });
        expect(response.status).toBe(206);
        expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/${size}`);
        expect(Number(response.headers.get('content-length'))).toBe(to - from);
        expect((await bytesOf(response)).equals(content.subarray(from, to))).toBe(true);
      },
    );
  }

  test('outside of the file gets 416 and the size, as a problem', async () => {
    for (const [path, range, length] of [
      ['README.md', 'bytes=1000-', TEXT.length],
      ['README.md', 'bytes=-0', TEXT.length],
      ['empty', 'bytes=0-', 0],
    ] as const) {
      const response = await get(path, { range });
      expect([path, range, response.status]).toEqual([path, range, 416]);
      expect(response.headers.get('content-range')).toBe(`bytes */${length}`);
      expect(response.headers.get('content-disposition')).toBe(null);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toMatchObject({ status: 416, code: 'usage' });
    }
  });

  test('of a kind that is not served gets the whole file', async () => {
    const many = `bytes=${Array.from({ length: 1_000 }, (_, i) => `${i % 30}-`).join(',')}`;
    for (const range of [
      'bytes=0-1,3-4',
      many,
      'lines=1-2',
      'bytes=b-a',
      'bytes=5-2',
      'nonsense',
    ]) {
      const response = await get('README.md', { range });
      expect([range, response.status, await response.text()]).toEqual([range, 200, TEXT]);
    }
  });

  test('is ignored by HEAD', async () => {
    const response = await get('README.md', { range: 'bytes=0-1' }, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(TEXT.length));
  });
});

describe('what is not there', () => {
  test.each([
    filePath(REFERENCE, 'nothing.bin'),
    filePath('acme/tiny@v2', 'README.md'),
    filePath('acme/other@v1', 'README.md'),
    `/api/v1/releases/acme/tiny/sha256:${'0'.repeat(64)}/files/README.md`,
    `/api/v1/releases/acme/tiny/v1/files/`,
  ])('%s is not found', async (path) => {
    const response = await served.fetch(path);
    expect(response.status).toBe(404);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ code: 'not-found', status: 404 });
  });

  test('a client that goes away in the middle harms nobody', async () => {
    const answer = new AbortController();
    const path = filePath(REFERENCE, 'sub/dir/five.bin');
    const response = await served.fetch(path, { signal: answer.signal });
    await response.body!.getReader().read();
    answer.abort();
    expect(await (await get('README.md')).text()).toBe(TEXT);
    expect(served.logged.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  test('pipelined requests are answered in their order', async () => {
    const target = filePath(REFERENCE, 'README.md');
    const host = 'Host: 127.0.0.1';
    const first = `GET ${target} HTTP/1.1\r\n${host}\r\nRange: bytes=0-1\r\n\r\n`;
    const second = `GET ${target} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`;
    const answer = await rawExchange(served.port, first + second);
    expect(answer).toMatch(/^HTTP\/1\.1 206 [\s\S]*\r\n\r\nItHTTP\/1\.1 200 [\s\S]*April\.\n$/);
  });
});

/** Bytes of which no two neighbouring chunks are alike. */
function patterned(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >>> 16)) & 0xff;
  return bytes;
}
