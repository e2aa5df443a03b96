import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DOMParser, type Element } from '@xmldom/xmldom';
import { EVENTS_A_FEED } from '../../../src/server/pages/feed-pages.ts';
import { rawGet, statusOf } from '../../made/raw-http.ts';
import { Served } from '../../made/served.ts';

const ATOM = 'http://www.w3.org/2005/Atom';
const WORDS = 'Wrong <b>&amp;</b> ]]> "worse"';

let served: Served;
let released: number;
let advised: number;
beforeAll(async () => {
  served = await Served.start();
  await served.createNamespace('other');
  const { digest, index } = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  released = index;
  ({ index: advised } = await served.advise('acme/tiny@v1', digest, 'quality', WORDS));
});
afterAll(() => served.stop());

/** A feed as a reader of feeds takes it: each text by its name, the links by their relation. */
async function atom(path: string) {
  const response = await served.fetch(path);
  expect(response.headers.get('content-type')).toBe('application/atom+xml; charset=utf-8');
  const parser = new DOMParser({
    onError: (level, message) => {
      throw new Error(`${level}: ${message}`);
    },
  });
  const { documentElement } = parser.parseFromString(await response.text(), 'text/xml');
  expect([documentElement?.namespaceURI, documentElement?.localName]).toEqual([ATOM, 'feed']);
  const entries = childrenOf(documentElement!, 'entry').map(readElement);
  return { ...readElement(documentElement!), entries };
}

function readElement(element: Element) {
  const text = (name: string) => childrenOf(element, name)[0]?.textContent?.trim() ?? undefined;
  const links = childrenOf(element, 'link').map(
    (link) => [link.getAttribute('rel'), link.getAttribute('href')] as const,
  );
  const [id, title, summary, updated] = ['id', 'title', 'summary', 'updated'].map(text);
  return { id, title, summary, updated, links: Object.fromEntries(links) };
}

function childrenOf(element: Element, name: string): Element[] {
  return Array.from(element.childNodes).filter(
    (node): node is Element => node.nodeType === 1 && (node as Element).localName === name,
  );
}

describe('the Atom feed', () => {
  test('tells what was released and said since, newest first, with ids that last', async () => {
    const feed = await atom('/-/feeds/all.atom');
    expect(feed.links.self).toBe(`${served.url}/-/feeds/all.atom`);
    const day = (time = '') => time.slice(0, 10);
    expect(feed.entries.map(({ id, links }) => [id, links.alternate])).toEqual([
      [
        `tag:served.test,${day(feed.entries[0]?.updated)}:log/${advised}`,
        `${served.url}/-/advisories/${advised}`,
      ],
      [
        `tag:served.test,${day(feed.entries[1]?.updated)}:log/${released}`,
        `${served.url}/acme/tiny/v1`,
      ],
    ]);
    expect(feed.updated).toBe(feed.entries[0]?.updated);
  });

  test('has what its writers wrote as plain text', async () => {
    const [entry] = (await atom('/-/feeds/all.atom')).entries;
    expect(entry?.summary).toBe(`acme/tiny@v1: quality: ${WORDS}`);
    expect(entry?.title).toBe(`acme/tiny@v1: quality: ${WORDS}`);
  });

  test('of a namespace tells of it alone, and of nobody is none', async () => {
    expect((await atom('/-/feeds/acme.atom')).entries).toHaveLength(2);
    const empty = await atom('/-/feeds/other.atom');
    expect([empty.entries.length, empty.updated]).toEqual([0, '1970-01-01T00:00:00.000Z']);
    for (const name of ['nobody.atom', 'acme', 'acme.rss', '.atom', 'A B.json']) {
      expect((await served.fetch(`/-/feeds/${encodeURIComponent(name)}`)).ok).toBe(false);
    }
  });

  test('is not sent twice to who has it', async () => {
    const tag = (await served.fetch('/-/feeds/all.atom')).headers.get('etag') ?? '';
    const again = await rawGet(served.port, '/-/feeds/all.atom', [`If-None-Match: ${tag}`]);
    expect(statusOf(again)).toBe(304);
  });
});

test('the JSON feed tells the same', async () => {
  const response = await served.fetch('/-/feeds/acme.json');
  expect(response.headers.get('content-type')).toBe('application/feed+json; charset=utf-8');
  const feed = await response.json();
  const { entries } = await atom('/-/feeds/acme.atom');
  expect(feed).toMatchObject({
    version: 'https://jsonfeed.org/version/1.1',
    feed_url: `${served.url}/-/feeds/acme.json`,
    home_page_url: `${served.url}/acme`,
    items: entries.map(({ id, links, summary }) => ({
      id,
      url: links.alternate,
      content_text: summary,
    })),
  });
});

test('pages name their feeds', async () => {
  const page = async (path: string) =>
    (await served.fetch(path, { headers: { Accept: 'text/html' } })).text();
  expect(await page('/')).toContain(
    '<link rel="alternate" type="application/atom+xml" href="/-/feeds/all.atom">',
  );
  expect(await page('/acme')).toContain(
    '<link rel="alternate" type="application/feed+json" href="/-/feeds/acme.json">',
  );
});

test('a feed ends at its limit', async () => {
  const { digest } = await served.publish('acme/much@v1', { 'README.md': 'Much.' });
  const more = await served.publish('acme/much@v2', { 'README.md': 'More.' });
  for (let i = 0; i < EVENTS_A_FEED / 2; i++) {
    await served.advise('acme/much@v1', digest, i < 20 ? 'quality' : 'recalled', `No. ${i}`);
    await served.advise('acme/much@v2', more.digest, i < 20 ? 'quality' : 'recalled', `No. ${i}`);
  }
  const { entries } = await atom('/-/feeds/all.atom');
  expect(entries).toHaveLength(EVENTS_A_FEED);
  expect(entries.at(-1)?.summary).toContain('acme/much@v1: quality: No. 0');
});
