/** Signing in with a provider, in a browser that holds forms to their `form-action`. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type Providers, startProviders } from '../made/sign-in-providers.ts';
import { axeFindings, keep, LOOKS, STARTING_MS, startBrowser, Visitor } from './browser.ts';

let browser: Browser;
let people: Providers & { stop(): Promise<void> };
beforeAll(async () => {
  browser = await startBrowser();
  people = await startProviders();
}, STARTING_MS);
afterAll(async () => {
  await people?.stop();
  await browser?.close();
});

test(
  'a button leads to the provider, through hosts that nobody named, and back to the drafts',
  async () => {
    // The provider sends people on to another origin first, as those of companies do.
    people.acme.answer = ({ url = '' }, response) => {
      if (!url.startsWith('/auth?') || url.endsWith('&again')) return false;
      const via = new URL(url, people.acme.url.replace('127.0.0.1', 'localhost'));
      response.writeHead(302, { location: `${via.href}&again` }).end();
      return true;
    };
    const visitor = await Visitor.come(browser);
    const page = await visitor.open(`${people.served.url}/-/sign-in`);
    await page.getByRole('button', { name: 'Sign in with acme' }).click();
    await page.waitForURL('**/-/drafts');
    await page.getByText('Signed in as dana').waitFor();
    expect(visitor.faults).toEqual([]);
    await page.goBack();
    expect(new URL(page.url()).pathname).toBe('/-/sign-in');
    await visitor.leave();
  },
  STARTING_MS,
);

test(
  'the page with the buttons is good for everybody, also where it says what went wrong',
  async () => {
    people.acme.reset();
    people.acme.who = undefined;
    for (const look of LOOKS) {
      const visitor = await Visitor.come(browser, look);
      const page = await visitor.open(`${people.served.url}/-/sign-in`);
      expect(await axeFindings(page)).toEqual([]);
      await page.getByRole('button', { name: 'Sign in with acme' }).click();
      await page.getByText('did not sign you in (access_denied)').waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await keep(page, `sign-in-${look.name}`);
      await visitor.leave();
    }
  },
  STARTING_MS,
);
