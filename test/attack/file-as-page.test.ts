/** What is published is never a page (MCP Registry CVE-2026-44429), and its name never a header. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { declared } from '../made/live-registry.ts';
import { rawGet } from '../made/raw-http.ts';
import { filePath, Served } from '../made/served.ts';

const SCRIPT = '<!doctype html><script>fetch("/api/v1/drafts")</script>';
const NAMES = [
  'index.html',
  'picture.svg',
  'README.md',
  'a; filename=evil.exe',
  'a%0d%0aSet-Cookie',
];

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  const files = Object.fromEntries(NAMES.map((name) => [name, SCRIPT]));
  await served.publish('acme/tiny@v1', files);
});
afterAll(() => served.stop());

test.each(NAMES)('%s comes as an attachment that no browser looks into', async (name) => {
  const response = await served.fetch(filePath('acme/tiny@v1', name));
  expect(await response.text()).toBe(SCRIPT);
  const { headers } = response;
  expect(headers.get('content-type')).toBe('application/octet-stream');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-disposition')).toMatch(/^attachment; filename/);
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  expect(headers.get('set-cookie')).toBeNull();
  // A name with anything but letters stands in quotation marks.
  expect(headers.get('content-disposition')).not.toMatch(/=a;/);
});

test.each(['a\r\nSet-Cookie: x=1', 'a"; filename="evil.exe', '<script>.txt'])(
  'a name like %j is refused before it is anybody’s',
  async (path) => {
    await served.api('/drafts/acme/broken/v1', { method: 'PUT' });
    const token = served.publisher;
    const json = { ...declared('a.txt', SCRIPT), path };
    const files = '/api/v1/drafts/acme/broken/v1/files';
    const response = await served.fetch(files, { method: 'POST', token, json });
    const { code, detail } = (await response.json()) as Record<string, string>;
    expect([response.status, code]).toEqual([422, 'bad-path']);
    expect(detail).not.toMatch(/[\r\n]/);
  },
);

test('a problem repeats nothing that a page could be made of', async () => {
  const answer = await rawGet(
    served.port,
    '/api/v1/releases/acme/%3Cscript%3Ealert(1)%3C%2Fscript%3E/v1',
  );
  expect(answer).toMatch(/content-type: application\/problem\+json/i);
  expect(answer).toMatch(/x-content-type-options: nosniff/i);
});
