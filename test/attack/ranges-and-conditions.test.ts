/**
 * Ranges and conditions that no honest client sends, for the same file in each protocol: the answer
 * is one run of its bytes, all of them, or a refusal, and never longer than the file. HEAD answers as
 * GET would, without the bytes, and leads nowhere else.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAILURE, type Protocol } from '../made/refusal-forms.ts';
import { Served } from '../made/served.ts';

const TEXT = 'It was a bright cold day in April.';
const SIZE = TEXT.length;
const HEX = createHash('sha256').update(TEXT).digest('hex');
const ETAG = `"${HEX}"`;
const OTHER = `"${'0'.repeat(64)}"`;

const FILES: [string, Protocol, string][] = [
  ['the hub', 'hub', '/acme/tiny/resolve/v1/a.txt'],
  ['the hub, raw', 'hub', '/acme/tiny/raw/v1/a.txt'],
  ['OCI', 'oci', `/v2/acme/tiny/blobs/sha256:${HEX}`],
  ['our own API', 'own', '/api/v1/releases/acme/tiny/v1/files/a.txt'],
];

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'a.txt': TEXT });
}, 30_000);
afterAll(() => served.stop());

async function ask(path: string, headers: Record<string, string>, method = 'GET') {
  const response = await served.fetch(path, { method, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe.each(FILES)('a file of %s', (_, protocol, path) => {
  test.each<[string, Record<string, string>]>([
    ['two ranges', { range: 'bytes=0-0,2-2' }],
    ['a thousand ranges', { range: `bytes=${'0-,'.repeat(1_000)}0-` }],
    ['overlapping suffixes', { range: 'bytes=-5,-6,-7' }],
    ['a range that ends before it begins', { range: 'bytes=5-2' }],
    ['numbers beyond what can be counted', { range: `bytes=0-${'9'.repeat(400)}` }],
    ['negative numbers', { range: 'bytes=--1' }],
    ['another unit', { range: 'lines=0-1' }],
    ['hexadecimal numbers', { range: 'bytes=0x0-0x5' }],
    ['a range of a file that has changed', { range: 'bytes=0-1', 'if-range': OTHER }],
    ['a range by a weak tag', { range: 'bytes=0-1', 'if-range': `W/${ETAG}` }],
    ['a range by a date', { range: 'bytes=0-1', 'if-range': 'Mon, 30 Nov 2026 00:00:00 GMT' }],
    ['what has changed since a date', { 'if-modified-since': 'Mon, 30 Nov 2099 00:00:00 GMT' }],
    ['any other bytes', { 'if-none-match': OTHER }],
    ['tags that are none', { 'if-none-match': HEX }],
    ['exactly these bytes', { 'if-match': `${OTHER}, ${ETAG}` }],
    ['whatever there is', { 'if-match': '*' }],
  ])('is sent whole to who asks for %s', async (_what, headers) => {
    const { status, text } = await ask(path, headers);
    expect([status, text]).toEqual([200, TEXT]);
  });

  test.each<[string, number, number]>([
    ['bytes=0-0', 0, 0],
    ['bytes=-1', SIZE - 1, SIZE - 1],
    [`bytes=-${'9'.repeat(15)}`, 0, SIZE - 1],
    [`bytes=3-${'9'.repeat(15)}`, 3, SIZE - 1],
  ])('is cut at its ends for %s', async (range, first, last) => {
    const { status, headers, text } = await ask(path, { range, 'if-range': ETAG });
    expect([status, headers.get('content-range')]).toEqual([206, `bytes ${first}-${last}/${SIZE}`]);
    expect(text).toBe(TEXT.slice(first, last + 1));
  });

  test.each([`bytes=${SIZE}-`, 'bytes=-0', `bytes=${'9'.repeat(15)}-`])(
    'has no bytes at %s, and says so in the form of its protocol',
    async (range) => {
      const answer = await ask(path, { range });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([
        416,
        `bytes */${SIZE}`,
      ]);
      expect(FAILURE[protocol](answer)).toMatch(/^(?:usage|Usage|UNSUPPORTED)$/);
      expect(answer.headers.get('etag')).toBeNull();
    },
  );

  test.each<[string, Record<string, string>]>([
    ['its tag', { 'if-none-match': ETAG }],
    ['its weak tag', { 'if-none-match': `W/${ETAG}` }],
    ['any tag', { 'if-none-match': '*' }],
    ['a hundred others and its own', { 'if-none-match': `${`${OTHER}, `.repeat(100)}${ETAG}` }],
    ['its tag, and asks for a range outside', { 'if-none-match': ETAG, range: `bytes=${SIZE}-` }],
  ])('is not sent again to who has %s', async (_what, headers) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(path, headers, method);
      expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', ETAG]);
    }
  });

  test.each([OTHER, `W/${ETAG}`, HEX, '""'])(
    'is not sent to who wants other bytes (%s): RFC 9110, section 13.1.1',
    async (tag) => {
      const answer = await ask(path, { 'if-match': tag, 'if-none-match': ETAG });
      expect(answer.status).toBe(412);
      expect(FAILURE[protocol](answer)).toMatch(/^(?:conflict|Conflict|UNSUPPORTED)$/);
    },
  );

  test('is described to HEAD as to GET, whatever range is asked for', async () => {
    const whole = await ask(path, {});
    for (const range of ['bytes=0-0', `bytes=${SIZE}-`, 'bytes=0-0,2-2']) {
      const { status, headers, text } = await ask(path, { range }, 'HEAD');
      expect([status, text]).toEqual([200, '']);
      for (const name of ['content-length', 'etag', 'content-type', 'cache-control']) {
        expect([name, headers.get(name)]).toEqual([name, whole.headers.get(name)]);
      }
    }
  });
});

describe('HEAD', () => {
  const CHANGING = ['date', 'x-request-id', 'connection', 'keep-alive', 'content-length'];
  const steady = (headers: Headers) => [...headers].filter(([name]) => !CHANGING.includes(name));

  test.each([
    '/api/models',
    '/api/models/acme/tiny',
    '/api/models/acme/none',
    '/api/models/acme/tiny/tree/main?recursive=true',
    '/api/models/acme/tiny/refs',
    '/api/models/acme/tiny/commits/main',
    '/acme/tiny/resolve/main/none',
    '/v2/',
    '/v2/_catalog',
    '/v2/acme/tiny/tags/list',
    '/v2/acme/tiny/manifests/v1',
    '/v2/acme/tiny/manifests/none',
    `/v2/acme/tiny/referrers/sha256:${HEX}`,
  ])('of %s answers as GET does, without its body', async (path) => {
    const [get, head] = [await ask(path, {}), await ask(path, {}, 'HEAD')];
    expect([head.status, steady(head.headers)]).toEqual([get.status, steady(get.headers)]);
    expect(head.text).toBe('');
  });
});
