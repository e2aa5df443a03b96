/**
 * A path is decoded once and then means what it says, in every protocol: encoding it twice, or
 * half, leads to no other file, no other model and nothing of the server's own.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rawGet, statusOf } from '../made/raw-http.ts';
import { Served } from '../made/served.ts';

const TEXT = 'The only file.';
const DIGEST = /^sha256:[0-9a-f]{64}$/;

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'a/b.txt': TEXT });
}, 30_000);
afterAll(() => served.stop());

/** Status and body of a request whose path is sent exactly as it stands. */
async function raw(path: string): Promise<{ status: number; body: string }> {
  const answer = await rawGet(served.port, path);
  return { status: statusOf(answer), body: answer.slice(answer.indexOf('\r\n\r\n')) };
}

const HOSTILE = [
  'a%252fb.txt',
  'a%25252fb.txt',
  '..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e/%2e%2e/etc/passwd',
  '%252e%252e%252fetc%252fpasswd',
  '..%5c..%5cetc%5cpasswd',
  'a/b.txt%00',
  'a/b.txt%20',
  'a//b.txt',
  'a/./b.txt',
  'a/../a/b.txt',
  'A/B.TXT',
  '%c0%ae%c0%ae/etc/passwd',
  'a%ff',
  '%',
  '%zz',
];

describe.each<[string, (path: string) => string]>([
  ['the Hugging Face API', (path) => `/acme/tiny/resolve/v1/${path}`],
  ['the Hugging Face tree', (path) => `/api/models/acme/tiny/tree/v1/${path}`],
  ['a Hugging Face revision', (path) => `/acme/tiny/resolve/${path}/a%2Fb.txt`],
  ['the native API', (path) => `/api/v1/releases/acme/tiny/v1/files/${path}`],
  ['an OCI tag', (path) => `/v2/acme/tiny/manifests/${path}`],
  ['an OCI digest', (path) => `/v2/acme/tiny/blobs/${path}`],
])('%s', (_, at) => {
  test.each(HOSTILE)('finds nothing at %s', async (path) => {
    const { status, body } = await raw(at(path));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).not.toContain(TEXT);
    expect(body).not.toContain('root:');
  });
});

describe('a path that is encoded as clients do', () => {
  test.each(['a/b.txt', 'a%2Fb.txt', '%61/b.txt'])('%s finds its file', async (path) => {
    expect((await raw(`/acme/tiny/resolve/v1/${path}`)).body).toContain(TEXT);
  });
});

describe('a digest in an OCI path', () => {
  test.each([
    'sha256:ABCDEF',
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(128)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256%3A${'a'.repeat(64)}%2f..`,
    '../../../../etc/passwd',
    'sha256:',
  ])('%s is refused before it names anything', async (digest) => {
    expect(DIGEST.test(digest)).toBe(false);
    const { status } = await raw(`/v2/acme/tiny/blobs/${digest}`);
    expect([400, 404]).toContain(status);
  });
});
