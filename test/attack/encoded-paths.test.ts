/**
 * A path is decoded once and then means what it says, in every protocol: encoding it twice, or
 * half, leads to no other file, no other model and nothing of the server's own.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAILURE, getRaw, type Protocol } from '../made/refusal-forms.ts';
import { Served } from '../made/served.ts';

const TEXT = 'The only file.';

let served: Served;
let digest: string;
beforeAll(async () => {
  served = await Served.start();
  ({ digest } = await served.publish('acme/tiny@v1', { 'a/b.txt': TEXT }));
}, 30_000);
afterAll(() => served.stop());

/** Mixed, double and broken encodings; rules of POSIX and of Windows; what is not said twice alike. */
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
  '%2E%2e/a/b.txt',
  '.%2e%2fa%2fb.txt',
  '%252E./a/b.txt',
  '%25',
  'a%2fb.txt%2f',
  'a%2f%2fb.txt',
  'a%5cb.txt',
  '%5c%5chost%5cshare%5ca',
  'C:%5cboot.ini',
  'C%3a%2fboot.ini',
  'a/b.txt:%3a$DATA',
  'a/b.txt.',
  'CON',
  'aux.txt',
  'a%0d%0aX-Evil:%201',
  'a%0a%0a<script>',
  '%E2%80%AE%E2%80%AA',
  '%EF%BC%8E%EF%BC%8E%EF%BC%8Fa',
  'e%CC%81.txt',
  '%ed%a0%80',
  '%u002e%u002e',
  '__proto__',
  'constructor',
  '*',
  `${'a/'.repeat(200)}b.txt`,
];

describe.each<[string, Protocol, (path: string) => string]>([
  ['the Hugging Face API', 'hub', (path) => `/acme/tiny/resolve/v1/${path}`],
  ['the raw files of the Hugging Face API', 'hub', (path) => `/acme/tiny/raw/v1/${path}`],
  ['the Hugging Face tree', 'hub', (path) => `/api/models/acme/tiny/tree/v1/${path}`],
  ['a Hugging Face revision', 'hub', (path) => `/acme/tiny/resolve/${path}/a%2Fb.txt`],
  ['the revision of a description', 'hub', (path) => `/api/models/acme/tiny/revision/${path}`],
  ['the name of a model of Hugging Face', 'hub', (path) => `/api/models/acme/${path}`],
  ['the native API', 'own', (path) => `/api/v1/releases/acme/tiny/v1/files/${path}`],
  ['a version of the native API', 'own', (path) => `/api/v1/releases/acme/tiny/${path}`],
  ['an OCI tag', 'oci', (path) => `/v2/acme/tiny/manifests/${path}`],
  ['an OCI digest', 'oci', (path) => `/v2/acme/tiny/blobs/${path}`],
  ['the subject of OCI referrers', 'oci', (path) => `/v2/acme/tiny/referrers/${path}`],
  ['an OCI repository', 'oci', (path) => `/v2/acme/${path}/tags/list`],
])('%s', (_, protocol, at) => {
  test.each(HOSTILE)('finds nothing at %s, and says so in its own form', async (path) => {
    const answer = await getRaw(served.port, at(path));
    expect([400, 404, 422]).toContain(answer.status);
    expect(FAILURE[protocol](answer)).not.toBeNull();
    expect(answer.text).not.toContain(TEXT);
    expect(answer.text).not.toContain('root:');
    expect(answer.headers.get('x-evil')).toBeNull();
  });
});

describe('a revision that only looks like one', () => {
  test.each([
    'refs%252Fheads%252Fmain',
    'refs%2Fheads%2Fmain%00',
    'refs%2Ftags%2Fmain',
    'refs%2Ftags%2Frefs%2Ftags%2Fv1',
    'refs/heads/main',
    'main%2F..%2Fmain',
    'MAIN',
    'head',
    'HEAD~1',
    'HEAD%5E',
    '@v1',
    'v1%20',
    'v1%40%7B0%7D',
    'latest',
    '0'.repeat(39),
    '0'.repeat(41),
    'sha256%3A',
  ])('%s is none', async (revision) => {
    for (const path of [
      `/acme/tiny/resolve/${revision}/a/b.txt`,
      `/api/models/acme/tiny/revision/${revision}`,
      `/api/models/acme/tiny/commits/${revision}`,
    ]) {
      const answer = await getRaw(served.port, path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(FAILURE.hub(answer)).toMatch(/NotFound$/);
    }
  });

  test('the digest of a release, a part of it, or its revision in capitals, is none', async () => {
    const [hex] = digest.split(':').slice(1);
    for (const revision of [hex, hex!.slice(0, 39), hex!.slice(0, 40).toUpperCase(), digest]) {
      const answer = await getRaw(served.port, `/acme/tiny/resolve/${revision}/a/b.txt`);
      expect([answer.status, FAILURE.hub(answer)]).toEqual([404, 'RevisionNotFound']);
    }
  });
});

describe('a path that is encoded as clients do', () => {
  test.each(['a/b.txt', 'a%2Fb.txt', '%61/b.txt'])('%s finds its file', async (path) => {
    expect((await getRaw(served.port, `/acme/tiny/resolve/v1/${path}`)).text).toBe(TEXT);
  });
});

describe('a digest in an OCI path', () => {
  test.each([
    'sha256:ABCDEF',
    `sha256:${'A'.repeat(64)}`,
    `SHA256:${'a'.repeat(64)}`,
    `sha512:${'a'.repeat(128)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256-${'a'.repeat(64)}`,
    `sha256%253A${'a'.repeat(64)}`,
    `sha256%3A${'a'.repeat(64)}%2f..`,
    `sha256%3A${'a'.repeat(64)}%00`,
    `sha256%3A${'a'.repeat(64)}%0a`,
    `sha256%3A..%2f${'a'.repeat(61)}`,
    `${'a'.repeat(64)}`,
    '../../../../etc/passwd',
    'sha256:',
  ])('%s is refused before it names anything', async (forged) => {
    for (const kind of ['blobs', 'manifests', 'referrers']) {
      const answer = await getRaw(served.port, `/v2/acme/tiny/${kind}/${forged}`);
      expect([400, 404]).toContain(answer.status);
      const code = FAILURE.oci(answer);
      expect(code).toMatch(/^(?:DIGEST_INVALID|MANIFEST_UNKNOWN|NAME_(?:UNKNOWN|INVALID))$/);
      if (kind === 'blobs' && !forged.includes('/')) expect(code).toBe('DIGEST_INVALID');
    }
  });
});
