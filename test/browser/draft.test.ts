/** A draft in the browsers of its people: evaluating it, reading reports, counting down, giving it up. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { MAX_REPORT_BYTES } from '../../src/core/release/documents.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  STARTING_MS,
  startBrowser,
  Visitor,
} from './browser.ts';
import { Desk, DRAFT, toSign } from './desk.ts';

const MINUTE = 60_000;
const GATE: Requirements = {
  approvals: [{ role: 'reviewer', count: 1 }],
  evaluations: [
    { suite: 'quality', accept: ['passed', 'warned'] },
    { suite: 'safety', accept: ['passed'] },
  ],
  sealed: 2 * 86_400 + 4 * 3600,
};
const REPORT = '{"refused": 0.998}\n';
const REPORT_DIGEST = digestOf(nodeHost, utf8(REPORT));
/** A name that would like to be markup. */
const EVIL = `<img src=x onerror="document.title='ran'">.json`;

let browser: Browser;
let desk: Desk;
beforeAll(async () => {
  browser = await startBrowser();
  desk = await Desk.open(browser, GATE);
}, STARTING_MS);
afterAll(async () => {
  await desk?.gated.stop();
  await browser?.close();
});

/** Fills in the dialog of an evaluation, and goes on. */
async function evaluate(page: Page, report: string | Buffer, suite = 'safety', result = 'passed') {
  await page.getByRole('button', { name: 'Evaluate' }).click();
  await page.getByRole('combobox', { name: 'Suite' }).fill(suite);
  await page.getByLabel('Result').selectOption(result);
  const buffer = Buffer.from(report as string);
  const file = { name: EVIL, mimeType: 'application/json', buffer };
  await page.getByLabel('Report', { exact: true }).setInputFiles(file);
}

const goOn = (page: Page) => page.getByRole('button', { name: 'Go on' }).click();
const sign = (page: Page) => page.getByRole('button', { name: 'Sign', exact: true }).click();

describe('an evaluator', () => {
  test(
    'signs what the command line would, and sends the report once they said yes',
    async () => {
      const { visitor, page } = await desk.sitWithKey('eve');
      const sent: string[] = [];
      page.on('request', (request) => {
        if (request.method() !== 'GET') sent.push(new URL(request.url()).pathname);
      });

      await evaluate(page, REPORT);
      expect(await axeFindings(page)).toEqual([]);
      await keep(page, 'draft-evaluate');
      await page.getByLabel('Digest of the program').fill(REPORT_DIGEST.toUpperCase());
      await goOn(page);
      // What is no digest does not get through the field.
      expect(await page.getByRole('heading', { name: 'Sign exactly this?' }).count()).toBe(0);
      await page.getByLabel('Digest of the program').fill(REPORT_DIGEST);
      await goOn(page);
      const shown = await toSign(page);
      expect(shown).toMatchObject({
        says: `the suite safety passed; report ${REPORT_DIGEST}`,
        harness: REPORT_DIGEST,
      });
      await page.getByText('The report is sent to the registry first').waitFor();
      expect(sent.filter((path) => path !== '/-/token')).toEqual([]);
      await sign(page);
      await page.getByRole('cell', { name: 'evaluate safety passed' }).waitFor();
      const draft = '/api/v1/drafts/acme/tiny/v1.0';
      const steps = [`${draft}/reports`, '/api/v1/commitments', `${draft}/decisions`];
      expect(sent.filter((path) => path !== '/-/token')).toEqual(steps);

      await evaluate(page, 'Kept here', 'quality', 'warned');
      await page.getByLabel('The report stays here').check();
      await goOn(page);
      expect((await toSign(page)).says).toContain(', kept private');
      await sign(page);
      await page.getByRole('cell', { name: 'evaluate quality warned' }).waitFor();
      expect(sent.filter((path) => path.endsWith('/reports'))).toHaveLength(1);
      expect(visitor.faults).toEqual([]);
      await visitor.leave();
    },
    STARTING_MS,
  );

  test('is told of a report that is too large, and nothing is signed', async () => {
    const { visitor, page } = await desk.sitWithKey('eve');
    await evaluate(page, Buffer.alloc(MAX_REPORT_BYTES + 1));
    await goOn(page);
    await page.getByText('the limit is 16.0 MiB').waitFor();
    expect(await page.title()).not.toContain('ran');
    expect(visitor.faults).toEqual([]);
    await visitor.leave();
  });
});

describe('a draft’s page', () => {
  test(
    'shows whom and what it waits for, in each look',
    async () => {
      for (const look of LOOKS) {
        const { visitor, page } = await desk.sit('rita', look);
        await page.getByText('It is for you or rob to approve it.').waitFor();
        await page.getByText('Make a key in this browser').waitFor();
        expect([look.name, await axeFindings(page)]).toEqual([look.name, []]);
        expect([look.name, await isWithin(page)]).toEqual([look.name, true]);
        await keep(page, `draft-${look.name}`);
        expect(visitor.faults).toEqual([]);
        await visitor.leave();
      }
    },
    STARTING_MS,
  );

  test('gives a reviewer the report, as a file', async () => {
    const { visitor, page } = await desk.sit('rita');
    const link = page.getByRole('link', { name: 'download 19 B' });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect(await readFile(await download.path(), 'utf8')).toBe(REPORT);
    expect(page.url()).toContain(DRAFT);
    await visitor.leave();
  });

  test('counts down while somebody looks, and says once that a time has come', async () => {
    const visitor = await Visitor.come(browser);
    const { page } = await desk.sit('rita', undefined, visitor);
    await page.clock.install();
    await page.reload();
    const counts = page.locator('[data-until]').first();
    expect(await counts.innerText()).toMatch(/^in 2 days \d h$/);
    expect(await counts.evaluate((it) => it.closest('[aria-live], [role=status]'))).toBeNull();
    const until = Date.parse((await counts.getAttribute('data-until'))!);
    const left = until - (await page.evaluate(() => Date.now()));
    const pass = (milliseconds: number) => page.clock.runFor(milliseconds);
    await page.clock.fastForward(left - 90 * MINUTE - 30_000);
    expect(await counts.innerText()).toBe('in 1 h 30 min');
    await pass(31_000);
    expect(await counts.innerText()).toBe('in 1 h 29 min');
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await page.clock.fastForward(89 * MINUTE);
    expect(await counts.innerText()).toMatch(/^in (?:60|5\d) s$/);
    await pass(20_000);
    expect(await counts.innerText()).toMatch(/^in (?:40|3\d) s$/);
    // Who asks for less motion is not counted down to by the second.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await pass(2_000);
    expect(await counts.innerText()).toBe('in less than a minute');
    const status = page.getByText('What this waited for has come.');
    expect(await status.count()).toBe(0);
    await pass(61_000);
    expect(await counts.innerText()).toBe('now');
    expect(await status.count()).toBe(1);
    await visitor.leave();
  });

  test(
    'gives it up by the key of one who may',
    async () => {
      const { visitor, page } = await desk.sitWithKey('max');
      await page.getByRole('button', { name: 'Withdraw' }).click();
      await page.getByLabel('Why').fill('Another base model');
      await page.getByRole('button', { name: 'Go on' }).click();
      expect(await toSign(page)).toMatchObject({ decision: 'withdraw' });
      await page.getByText('This gives the draft up for good').waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await keep(page, 'draft-withdraw');
      await page.getByRole('button', { name: 'Sign and withdraw' }).click();
      await page.getByText('It is given up').waitFor();
      expect(await page.getByRole('cell', { name: 'withdraw' }).innerText()).toContain(
        'Another base model',
      );
      await keep(page, 'draft-withdrawn');
      expect(visitor.faults).toEqual([]);
      await visitor.leave();
    },
    STARTING_MS,
  );
});
