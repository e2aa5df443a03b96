import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DOMParser } from '@xmldom/xmldom';
import express, { Router } from 'express';
import { parseModel } from '../../../src/core/release/name.ts';
import type { FollowingCatalogue } from '../../../src/index/open.ts';
import { addCrawlerFiles } from '../../../src/server/pages/crawlers.ts';
import { Served } from '../../made/served.ts';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
});
afterAll(() => served.stop());

/** The addresses of a sitemap or of an index of them. */
function addressesOf(xml: string): { root: string; addresses: string[] } {
  const parser = new DOMParser({
    onError: (level, message) => {
      throw new Error(`${level}: ${message}`);
    },
  });
  const { documentElement } = parser.parseFromString(xml, 'text/xml');
  expect(documentElement?.namespaceURI).toBe('http://www.sitemaps.org/schemas/sitemap/0.9');
  const places = Array.from(documentElement!.getElementsByTagName('loc'));
  return {
    root: documentElement!.localName!,
    addresses: places.map((place) => place.textContent ?? ''),
  };
}

test('the sitemap has the first page and every model, once, as soon as it is released', async () => {
  const read = async () => addressesOf(await (await served.fetch('/sitemap.xml')).text());
  expect(await read()).toEqual({ root: 'urlset', addresses: [`${served.url}/`] });
  await served.publish('acme/tiny@v1', { 'README.md': 'One.' });
  await served.publish('acme/tiny@v2', { 'README.md': 'Two.' });
  await served.publish('acme/other@v1', { 'README.md': 'Other.' });
  const { addresses } = await read();
  expect(addresses).toEqual(['/', '/acme/other', '/acme/tiny'].map((path) => served.url + path));
});

test.each([
  [
    2,
    'urlset',
    ['https://models.test/', 'https://models.test/acme/m0', 'https://models.test/acme/m1'],
  ],
  [
    3,
    'sitemapindex',
    ['https://models.test/-/sitemaps/1.xml', 'https://models.test/-/sitemaps/2.xml'],
  ],
])('of %d models, where a file has two, there is one %s', async (count, root, addresses) => {
  const { get, close } = await serveModels(count, 2);
  try {
    expect(addressesOf((await get('/sitemap.xml')).text)).toEqual({ root, addresses });
    if (count === 3) {
      const second = addressesOf((await get('/-/sitemaps/2.xml')).text);
      expect(second.addresses).toEqual(['https://models.test/acme/m2']);
    }
    expect((await get(`/-/sitemaps/${count}.xml`)).status).toBe(500);
    expect((await get('/-/sitemaps/0.xml')).status).toBe(500);
  } finally {
    await close();
  }
});

test('a sitemap that could not be made is made when it is asked for again', async () => {
  let failures = 1;
  const { get, close } = await serveModels(1, 2, () => {
    if (failures-- > 0) throw new Error('the index is busy');
  });
  try {
    expect((await get('/sitemap.xml')).status).toBe(500);
    expect(addressesOf((await get('/sitemap.xml')).text).addresses).toHaveLength(2);
  } finally {
    await close();
  }
});

test('robots may read pages, and fetch no weights', async () => {
  const response = await served.fetch('/robots.txt');
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const lines = (await response.text()).split('\n');
  expect(lines).toContain(`Sitemap: ${served.url}/sitemap.xml`);
  for (const rule of ['Disallow: /v2/', 'Disallow: /api/', 'Disallow: /*/resolve/', 'Allow: /']) {
    expect(lines).toContain(rule);
  }
});

/** The files for crawlers alone, over a catalogue of so many models. */
async function serveModels(count: number, modelsASitemap: number, before = () => {}) {
  const models = Array.from({ length: count }, (_, i) => ({
    model: parseModel(`acme/m${i}`),
    time: '2026-01-01T00:00:00.000Z',
  }));
  const catalogue: Partial<FollowingCatalogue> = {
    size: () => count,
    modelCount: () => count,
    modelsByName: ({ limit, offset }) => {
      before();
      return models.slice(offset, offset + limit);
    },
  };
  const router = Router();
  const site = { origin: 'models.test', url: 'https://models.test', asset: (name: string) => name };
  addCrawlerFiles(router, site, { catalogue: catalogue as FollowingCatalogue, modelsASitemap });
  const server = express().use(router).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    get: async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
