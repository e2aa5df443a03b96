import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rawGet, statusOf } from '../../made/raw-http.ts';
import { Served } from '../../made/served.ts';

let served: Served;
let digest: string;
beforeAll(async () => {
  served = await Served.start();
  ({ digest } = await served.publish('acme/tiny@v1', {
    'README.md': '---\nlicense: mit\n---\n# Tiny\n\nA *small* model.',
    'a & b.txt': 'Hello.',
  }));
  await served.publish('acme/tiny@v2', { 'README.md': '# Tiny, the second' });
});
afterAll(() => served.stop());

const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

async function page(path: string, headers: Record<string, string> = {}) {
  const response = await served.fetch(path, { headers: { ...HTML, ...headers } });
  return { response, status: response.status, text: await response.text() };
}

describe('pages for people', () => {
  test('the first lists what was released, newest first, each model once', async () => {
    const { status, text } = await page('/');
    expect(status).toBe(200);
    expect(text.match(/href="\/acme\/tiny\/v[12]"/g)).toEqual(['href="/acme/tiny/v2"']);
  });

  test('the first searches, and says so when nothing is found', async () => {
    expect((await page('/?q=tiny')).text).toContain('href="/acme/tiny"');
    const { text } = await page('/?q=%3Cscript%3Eabsent');
    expect(text).toContain('Nothing was found');
    expect(text).toContain('value="&lt;script&gt;absent"');
    expect(text).not.toContain('<script>absent');
  });

  test('a namespace tells what it asks of a release', async () => {
    const { text } = await page('/acme');
    expect(text).toContain('can publish alone; nobody else has to agree');
    expect(text).toContain('href="/acme/tiny"');
  });

  test('a model shows its card, its versions and its history', async () => {
    const { text } = await page('/acme/tiny');
    expect(text).toContain('<h3>Tiny, the second</h3>');
    expect(text).toContain('href="/acme/tiny/v1"');
    expect(text.match(/<li class="release">/g)).toHaveLength(2);
  });

  test('a release shows its digest whole, its files, its licence and its documents', async () => {
    const { text } = await page('/acme/tiny/v1');
    expect(text).toContain(`title="${digest}"`);
    const shown = text.replaceAll(/<[^>]+>/g, '');
    expect(shown).toContain(digest);
    expect(text).toContain('href="/api/v1/releases/acme/tiny/v1/files/a%20%26%20b.txt"');
    expect(shown).toContain('a &amp; b.txt');
    expect(shown).toContain('mit');
    expect(text).toContain('href="/api/v1/releases/acme/tiny/v1/model.sig"');
    expect(text).toContain('data-reference="acme/tiny@v1"');
  });

  test('what a release is got with is right when typed', async () => {
    const { text } = await page('/acme/tiny/v1');
    const address = new RegExp(`${served.url}(/api/v1/[^\n<]+README.md)`).exec(text)?.[1] ?? '';
    const file = await served.fetch(address);
    expect(await file.text()).toContain('A *small* model.');
  });

  test('only the newest is called so', async () => {
    expect((await page('/acme/tiny/v2')).text).toContain('class="badge">newest');
    expect((await page('/acme/tiny/v1')).text).not.toContain('class="badge">newest');
  });
});

describe('a page', () => {
  test('lets a browser run our scripts alone, and no frame hold it', async () => {
    const { headers } = (await page('/')).response;
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(['/', '/acme', '/acme/tiny', '/acme/tiny/v1', '/acme/tiny/v1/files'])(
    '%s has no script and no style in itself, and nothing from elsewhere',
    async (path) => {
      const { text } = await page(path);
      expect(text).not.toMatch(/<script(?![^>]* src="\/-\/)|<style|\sstyle=|\son\w+=/);
      expect(text).not.toMatch(/ src="(?!\/-\/)/);
      expect(text).toMatch(/^<!doctype html>/);
    },
  );

  test('is not sent twice to who has it', async () => {
    const tag = (await page('/acme/tiny')).response.headers.get('etag') ?? '';
    const again = await rawGet(served.port, '/acme/tiny', [`If-None-Match: ${tag}`]);
    expect(statusOf(again)).toBe(304);
    expect(statusOf(await rawGet(served.port, '/acme/tiny', ['If-None-Match: "x"']))).toBe(200);
  });

  test('that is not there says so in the form that was asked for', async () => {
    for (const path of ['/acme/absent', '/acme/tiny/v9', '/nobody', '/-/absent', '/a/b/c/d']) {
      const { status, text, response } = await page(path);
      expect([path, status]).toEqual([path, 404]);
      expect(text).toContain('There is nothing here');
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    }
    const problem = await served.fetch('/acme/absent', { headers: { Accept: '*/*' } });
    expect(await problem.json()).toMatchObject({ status: 404, code: 'not-found' });
  });

  test('of the API is none: its failures are problem documents for browsers, too', async () => {
    const { response } = await page('/api/v1/releases/acme/absent');
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });
});

describe('what a page is drawn with', () => {
  test('can be kept for ever under the address that a page gives it', async () => {
    const [address = ''] = /\/-\/assets\/style\.css\?[0-9a-f]+/.exec((await page('/')).text) ?? [];
    const { headers } = await served.fetch(address);
    expect(headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(headers.get('cache-control')).toContain('immutable');
    const other = await served.fetch('/-/assets/style.css?0000');
    expect(other.headers.get('cache-control')).not.toContain('immutable');
    expect((await served.fetch('/-/assets/..%2Frouter.ts')).status).toBe(404);
  });

  test('is sent compressed to who takes that, and is the same', async () => {
    const sent = await served.fetch('/-/assets/style.css', {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(sent.headers.get('content-encoding')).toBe('gzip');
    expect(sent.headers.get('vary')).toContain('Accept-Encoding');
    const plain = await served.fetch('/-/assets/style.css', {
      headers: { 'accept-encoding': 'identity' },
    });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(await sent.text());
  });
});
