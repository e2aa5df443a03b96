import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ADVISORIES_A_PAGE } from '../../../src/server/pages/advisory-pages.ts';
import { Served } from '../../made/served.ts';

const WORDS = 'It answers <b>"wrong"</b>.\n\nUse & trust it no more.';

let served: Served;
let recalled: number;
let license: number;
beforeAll(async () => {
  served = await Served.start();
  const { digest } = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  ({ index: license } = await served.advise('acme/tiny@v1', digest, 'license', 'Read it again.'));
  ({ index: recalled } = await served.advise('acme/tiny@v1', digest, 'recalled', WORDS));
});
afterAll(() => served.stop());

async function page(path: string) {
  const response = await served.fetch(path, { headers: { Accept: 'text/html' } });
  return { status: response.status, text: await response.text() };
}

const shown = (text: string) =>
  [...text.matchAll(/href="\/-\/advisories\/(\d+)"/g)].map(([, index]) => Number(index));

describe('the advisories', () => {
  test('are listed newest first, all or of one kind', async () => {
    expect(shown((await page('/-/advisories')).text)).toEqual([recalled, license]);
    expect(shown((await page('/-/advisories?kind=license')).text)).toEqual([license]);
    expect((await page('/-/advisories?kind=security')).text).toContain('There is no advisory of');
    expect(shown((await page('/-/advisories?kind=absent')).text)).toEqual([recalled, license]);
  });

  test('show what their writers wrote as text', async () => {
    for (const path of ['/-/advisories', `/-/advisories/${recalled}`]) {
      const { text } = await page(path);
      expect(text).toContain('<p>It answers &lt;b&gt;&quot;wrong&quot;&lt;/b&gt;.</p>');
      expect(text).toContain('<p>Use &amp; trust it no more.</p>');
      expect(text).not.toMatch(/<script(?![^>]* src="\/-\/)|<style|\sstyle=|\son\w+=/);
    }
  });

  test('are paged, with another page exactly when there is more', async () => {
    const other = await served.publish('acme/many@v1', { 'README.md': 'Many.' });
    const digests = [other.digest];
    for (let version = 2; version <= 3; version++) {
      const more = await served.publish(`acme/many@v${version}`, { 'README.md': `${version}` });
      digests.push(more.digest);
    }
    const advise = async (i: number) => {
      const version = Math.floor(i / 20) + 1;
      return served.advise(`acme/many@v${version}`, digests[version - 1]!, 'quality', `No. ${i}`);
    };
    for (let i = 0; i < ADVISORIES_A_PAGE; i++) await advise(i);
    const full = await page('/-/advisories?kind=quality');
    expect(shown(full.text)).toHaveLength(ADVISORIES_A_PAGE);
    expect(full.text).not.toContain('rel="next"');
    await advise(ADVISORIES_A_PAGE);
    const { text } = await page('/-/advisories?kind=quality');
    expect(shown(text)).toHaveLength(ADVISORIES_A_PAGE);
    const [, next = ''] = /href="([^"]+)" rel="next"/.exec(text) ?? [];
    const rest = await page(next.replaceAll('&amp;', '&'));
    expect(shown(rest.text)).toHaveLength(1);
  });
});

describe('an advisory', () => {
  test('says of which release, who signed it, and where the log has it', async () => {
    const { status, text } = await page(`/-/advisories/${recalled}`);
    expect(status).toBe(200);
    expect(text).toContain('href="/acme/tiny/v1"');
    expect(text).toContain('of acme, as release-manager; this server has checked');
    expect(text).toContain(`href="/-/log/${recalled}"`);
    expect(shown(text)).toEqual([license]);
    const envelope = await served.fetch(`/api/v1/advisories/${recalled}`);
    expect(text).toContain(`href="/api/v1/advisories/${recalled}"`);
    expect(envelope.status).toBe(200);
  });

  test('is linked from the pages of its release', async () => {
    expect(shown((await page('/acme/tiny/v1')).text)).toContain(recalled);
  });

  test('is none where the log has another entry, or nothing', async () => {
    for (const index of [0, 999_999, 'x']) {
      expect((await page(`/-/advisories/${index}`)).status).toBe(404);
    }
  });
});
