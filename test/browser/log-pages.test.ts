/** Pages of the log, of advisories, of the status and of the API, as people see them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { Served } from '../made/served.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  STARTING_MS,
  startBrowser,
  Visitor,
} from './browser.ts';

const WORDS = 'The tokenizer was built from another vocabulary: <b>Thai</b> is wrong.';

let browser: Browser;
let served: Served;
/** Name and path of each page. */
let pages: readonly (readonly [name: string, path: string])[];

beforeAll(async () => {
  browser = await startBrowser();
  served = await Served.start();
  const { digest, index } = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  await served.advise('acme/tiny@v1', digest, 'security', 'Escape what users write.');
  const advised = await served.advise('acme/tiny@v1', digest, 'recalled', WORDS);
  for (let i = 0; i < 60; i++) await served.createNamespace(`more-${i}`);
  pages = [
    ['log', '/-/log'],
    ['log-older', '/-/log?before=20'],
    ['log-entry', `/-/log/${index}`],
    ['advisories', '/-/advisories'],
    ['advisory', `/-/advisories/${advised.index}`],
    ['status', '/-/status'],
    ['api', '/-/api'],
  ];
}, STARTING_MS);

afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

test.each(LOOKS)(
  'they can be read by everybody: $name',
  async (look) => {
    const reader = await Visitor.come(browser, look);
    for (const [name, path] of pages) {
      const page = await reader.open(served.url + path);
      expect([name, await isWithin(page)]).toEqual([name, true]);
      await keep(page, `${name}-${look.name}`);
      await page.locator('details').evaluateAll((all) => {
        for (const each of all) each.setAttribute('open', '');
      });
      expect([name, await isWithin(page)]).toEqual([name, true]);
      expect([name, await axeFindings(page)]).toEqual([name, []]);
      await page.close();
    }
    expect(reader.faults).toEqual([]);
    await reader.leave();
  },
  300_000,
);
