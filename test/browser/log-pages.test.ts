/** Pages of the log, of advisories, of the status and of the API, as people see them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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

describe.each(LOOKS)('on $name', (look) => {
  test.each(PAGES)(
    '%s can be read by everybody, with all that opens on it',
    async (name, path) => {
      const reader = await Visitor.come(browser, look);
      const page = await reader.open(served.url + path());
      expect(await isWithin(page)).toBe(true);
      await keep(page, `${name}-${look.name}`);
      await page.locator('details').evaluateAll((all) => {
        for (const each of all) each.setAttribute('open', '');
      });
      expect(await isWithin(page)).toBe(true);
      expect(await axeFindings(page)).toEqual([]);
      expect(reader.faults).toEqual([]);
      await reader.leave();
    },
    STARTING_MS,
  );
});
