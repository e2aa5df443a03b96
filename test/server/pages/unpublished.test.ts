/** What nobody outside may know: that there is a draft, what was decided about it, and by whom. */
import { expect, test } from '@jest/globals';
import {
  ANNOUNCEMENT_PAYLOAD_TYPE,
  formatAnnouncement,
} from '../../../src/core/release/announcement.ts';
import { parseEnvelope } from '../../../src/core/statement/dsse.ts';
import { useGated } from '../../made/gated-served.ts';
import { nonceOf } from '../../made/live-registry.ts';
import { ORIGIN } from '../../made/model-signature.ts';

const gated = useGated();

/** Every page and file that is about the whole registry, and every entry of its log. */
async function everything(): Promise<Record<string, string>> {
  const { served } = gated();
  const { size } = await served.log.published();
  const entries = Array.from({ length: size }, (_, index) => `/-/log/${index}`);
  const own = ['/-/log', '/-/status', '/-/advisories', '/-/api', '/sitemap.xml', '/', '/acme'];
  const feeds = ['all.atom', 'all.json', 'acme.atom', 'acme.json'].map(
    (name) => `/-/feeds/${name}`,
  );
  const found: Record<string, string> = {};
  for (const path of [...own, ...feeds, ...entries]) {
    const response = await served.fetch(path, { headers: { Accept: 'text/html' } });
    expect([path, response.status]).toEqual([path, 200]);
    found[path] = (await response.text()).replaceAll(/<[^>]+>/g, '');
  }
  return found;
}

/** Where the words of a page tell of the draft. The examples of the API are no draft. */
function tellingOf(pages: Record<string, string>): string[] {
  return Object.keys(pages).filter((path) => path !== '/-/api' && pages[path]!.includes('tiny'));
}

test('a draft and its decisions stand nowhere until the release reveals them', async () => {
  await gated().push();
  const { index } = await gated().decide('rita', { decision: 'approve', reason: 'tiny is fine' });
  const before = await everything();
  expect(tellingOf(before)).toEqual([]);
  expect(before[`/-/log/${index}`]).toContain('Somebody has decided something about a draft');
  expect(before[`/-/log/${index}`]).toContain('by no release');
  expect(before[`/-/log/${index}`]).not.toContain('rita');

  await gated().publish();
  const after = await everything();
  expect(after[`/-/log/${index}`]).toContain('rita approved acme/tiny@v1.0: tiny is fine');
  expect(after[`/-/log/${index}`]).toContain('by acme/tiny@v1.0');
  expect(after['/-/feeds/all.atom']).toContain('acme/tiny@v1.0 was published');
  expect(after['/-/feeds/all.atom']).not.toContain('approved');
  expect(after['/sitemap.xml']).toContain('/acme/tiny');
});

test('what is announced is told, and no page is promised that is not there', async () => {
  const payload = formatAnnouncement({
    v: 1,
    origin: ORIGIN,
    release: 'acme/tiny@v1.0',
    announcement: 'postponed',
    date: null,
    time: new Date(gated().now).toISOString(),
    nonce: nonceOf(4),
  });
  const envelope = gated().team.sign('max', ANNOUNCEMENT_PAYLOAD_TYPE, payload);
  const { index } = await (await gated().api('max')).announce(parseEnvelope(envelope));
  const pages = await everything();
  expect(pages[`/-/log/${index}`]).toContain('acme/tiny@v1.0 was postponed until further notice');
  expect(tellingOf(pages)).not.toContain('/sitemap.xml');
  const { served } = gated();
  const entry = await (await served.fetch(`/-/log/${index}`)).text();
  expect(entry).not.toContain('href="/acme/tiny');
  const feed = await (await served.fetch('/-/feeds/acme.atom')).text();
  expect(feed).toContain(`href="${served.url}/-/log/${index}"`);
});
