/** Letting a machine in, from a browser: as a person does who follows the link, and as one who types. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { Machine } from '../made/device.ts';
import { Served } from '../made/served.ts';
import { SignedIn } from '../made/signed-in.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  STARTING_MS,
  startBrowser,
  Visitor,
} from './browser.ts';

let browser: Browser;
let served: Served;
beforeAll(async () => {
  browser = await startBrowser();
  served = await Served.start();
}, STARTING_MS);
afterAll(async () => {
  await served?.stop();
  await browser?.close();
});

/** Signs dana in, and goes to where machines are let in. */
async function come(visitor: Visitor, link: string): Promise<Page> {
  const { token } = await served.token({ roles: ['publisher', 'reviewer'], subject: 'dana' });
  const page = await visitor.open(served.url + (await SignedIn.link(served, token)));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/-/drafts');
  await page.goto(link);
  return page;
}

test(
  'a person compares the code and lets the machine in, in each look',
  async () => {
    for (const look of LOOKS) {
      const visitor = await Visitor.come(browser, look);
      const machine = await Machine.ask(served, { machine: 'lab-7 <b>bold</b>' });
      const page = await come(visitor, machine.begun.verification_uri_complete);
      expect(await page.getByLabel('Code').inputValue()).toBe(machine.code);
      expect([look.name, await axeFindings(page)]).toEqual([look.name, []]);
      await page.getByRole('button', { name: 'See who asks' }).click();
      await page.getByText('lab-7 <b>bold</b>').waitFor();
      expect([look.name, await axeFindings(page)]).toEqual([look.name, []]);
      expect([look.name, await isWithin(page)]).toEqual([look.name, true]);
      await keep(page, `device-${look.name}`);
      // Nothing is said before the code was compared.
      await page.getByRole('button', { name: 'Let it in' }).click();
      expect((await machine.poll()).body.error).toBe('authorization_pending');
      await page.getByLabel('My own machine shows').check();
      await page.getByRole('button', { name: 'Let it in' }).click();
      await page.getByRole('heading', { name: 'It is let in' }).waitFor();
      expect(await axeFindings(page)).toEqual([]);
      expect((await machine.poll()).status).toBe(200);
      expect(visitor.faults).toEqual([]);
      await visitor.leave();
    }
  },
  STARTING_MS,
);

test('a person types the code, and says no', async () => {
  const visitor = await Visitor.come(browser);
  const machine = await Machine.ask(served);
  const page = await come(visitor, machine.begun.verification_uri);
  await page.getByLabel('Code').fill('bbbb bbbb');
  await page.keyboard.press('Enter');
  await page.getByText('No machine waits with this code').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByLabel('Code').fill(machine.code.toLowerCase().replace('-', ''));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Say no' }).click();
  await page.getByRole('heading', { name: 'It is not let in' }).waitFor();
  expect((await machine.poll()).body.error).toBe('access_denied');
  await visitor.leave();
});
