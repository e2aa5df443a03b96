/** Pages of the log, of advisories, of the status and of the API, as people see them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { Served } from '../made/served.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  STARTING_MS,
  showAs,
  startBrowser,
  Visitor,
} from './browser.ts';

const WORDS = 'The tokenizer was built from another vocabulary: <b>Thai</b> is wrong.';

let browser: Browser;
let served: Served;
let release: number;
let advisory: number;

/** Each page by the name under which it is kept. */
const PAGES: readonly (readonly [name: string, path: () => string])[] = [
  ['log', () => '/-/log'],
  ['log-older', () => '/-/log?before=20'],
  ['log-entry', () => `/-/log/${release}`],
  ['advisories', () => '/-/advisories'],
  ['advisory', () => `/-/advisories/${advisory}`],
  ['status', () => '/-/status'],
  ['api', () => '/-/api'],
];

beforeAll(async () => {
  browser = await startBrowser();
  served = await Served.start();
  const { digest, index } = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  release = index;
  await served.advise('acme/tiny@v1', digest, 'security', 'Escape what users write.');
  ({ index: advisory } = await served.advise('acme/tiny@v1', digest, 'recalled', WORDS));
  for (let i = 0; i < 30; i++) await served.createNamespace(`more-${i}`);
}, STARTING_MS);

afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

test.each(PAGES)(
  '%s can be read by everybody in every look, with all that opens on it',
  async (name, path) => {
    const reader = await Visitor.come(browser);
    const page = await reader.open(served.url + path());
    for (const look of LOOKS) {
      await showAs(page, look);
      await openAll(page, false);
      const closed = await isWithin(page);
      await keep(page, `${name}-${look.name}`);
      await openAll(page, true);
      const found = { axe: await axeFindings(page), isWithin: closed && (await isWithin(page)) };
      expect([look.name, found]).toEqual([look.name, { axe: [], isWithin: true }]);
    }
    expect(reader.faults).toEqual([]);
    await reader.leave();
  },
  STARTING_MS,
);

/** Opens, or closes, whatever opens on the page. */
async function openAll(page: Page, isOpen: boolean): Promise<void> {
  await page.locator('details').evaluateAll((all, open) => {
    for (const each of all) each.toggleAttribute('open', open);
  }, isOpen);
}
