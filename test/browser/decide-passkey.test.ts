/** A person's way through a release with a passkey: enrol it, approve, publish; audited at the end. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { makeHome } from '../cli/command-line.ts';
import { RELEASE } from '../made/live-registry.ts';
import { ONE_APPROVAL, type PersonName } from '../made/team.ts';
import { VirtualAuthenticator } from './authenticator.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  type Look,
  STARTING_MS,
  startBrowser,
  Visitor,
} from './browser.ts';
import { Desk, makeKey } from './desk.ts';

const MAKE = 'Make a passkey';

/** Opens a browser's store as the page of before did, and keeps it open. */
const OPEN_AS_BEFORE = `new Promise((resolve) => {
  const opening = indexedDB.open('weighhouse', 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('keys');
    opening.result.createObjectStore('receipts');
  };
  opening.onsuccess = () => resolve();
})`;

const STORES = `new Promise((resolve) => {
  const opening = indexedDB.open('weighhouse');
  opening.onsuccess = () => resolve([...opening.result.objectStoreNames]);
})`;

let browser: Browser;
let desk: Desk;
beforeAll(async () => {
  browser = await startBrowser();
  // An address has no passkeys.
  desk = await Desk.open(browser, ONE_APPROVAL, 'localhost');
}, STARTING_MS);
afterAll(async () => {
  await desk?.gated.stop();
  await browser?.close();
});

/** In front of the draft as `who`, with an authenticator at hand. */
async function sitDown(who: PersonName, look?: Look) {
  const sitting = await desk.sit(who, look);
  return { ...sitting, authenticator: await VirtualAuthenticator.plugInto(sitting.page) };
}

/** How many decisions the registry knows of, opened or not. */
async function said(): Promise<number> {
  const { decisions, unopened } = await (await desk.gated.api('rita')).decisions(RELEASE);
  return decisions.length + unopened.length;
}

/** Says yes to what the dialog shows. */
async function consent(page: Page, yes: string): Promise<void> {
  await page.getByRole('heading', { name: 'Sign exactly this?' }).waitFor();
  await page.getByRole('button', { name: yes, exact: true }).click();
}

test(
  'people approve and publish with passkeys, and the command line audits it',
  async () => {
    const { gated } = desk;
    const { visitor: rita, page: reviewing, authenticator } = await sitDown('rita');
    await reviewing.getByRole('button', { name: MAKE }).waitFor();
    await keep(reviewing, 'draft-no-key');
    const key = await makeKey(reviewing, 'rita', MAKE);
    expect(key.passkey).toMatchObject({ rpId: 'localhost', origins: [gated.served.url] });
    await keep(reviewing, 'draft-passkey-enrolment');
    expect(await axeFindings(reviewing)).toEqual([]);
    await desk.enrol('rita', key);
    await reviewing.reload();
    await reviewing
      .getByText('With your passkey of localhost you sign as rita (reviewer)')
      .waitFor();

    // She leaves her screen locked: nothing is signed, and nothing is sent.
    const before = await said();
    await authenticator.verifies(false);
    await reviewing.getByRole('button', { name: 'Approve' }).click();
    await consent(reviewing, 'Sign');
    await reviewing.getByText('The passkey was not used').waitFor();
    await keep(reviewing, 'draft-passkey-left');
    await authenticator.verifies(true);
    expect(await said()).toBe(before);

    await reviewing.getByRole('button', { name: 'Approve' }).click();
    await consent(reviewing, 'Sign');
    await reviewing.getByRole('cell', { name: 'approve' }).waitFor();

    const managing = await sitDown('max', LOOKS[1]);
    await desk.enrol('max', await makeKey(managing.page, 'max', MAKE));
    expect(await isWithin(managing.page)).toBe(true);
    // On another machine, which has the same passkey and knows nothing of it.
    const elsewhere = await sitDown('max');
    const publishing = elsewhere.page;
    await managing.authenticator.copyTo(elsewhere.authenticator);
    await publishing.getByRole('button', { name: 'Use my passkey' }).click();
    await publishing.getByText('you sign as max (release-manager)').waitFor();
    await publishing.getByRole('button', { name: 'Publish' }).click();
    await consent(publishing, 'Sign and publish');
    await publishing.getByRole('link', { name: 'published' }).waitFor();

    await publishing.goto(`${gated.served.url}/acme/tiny/v1.0`);
    await publishing.waitForSelector('#proof [data-step=gate][data-state=passed]');
    await publishing.goto(`${gated.served.url}/acme`);
    await publishing.getByText('rita: a passkey of localhost').waitFor();

    const visitors = [rita, managing.visitor, elsewhere.visitor];
    expect(visitors.flatMap(({ faults }) => faults)).toEqual([]);
    const home = await makeHome();
    const { url, fingerprint } = gated.served;
    await home.json('trust', 'add', url, '--fingerprint', fingerprint);
    const audited = await home.run('audit', url);
    expect(audited.stderr + audited.stdout).not.toContain('signature-invalid');
    expect(audited.status).toBe(0);
    await home.remove();
    for (const visitor of visitors) await visitor.leave();
  },
  STARTING_MS,
);

describe('at an address', () => {
  let byAddress: Desk;
  beforeAll(async () => {
    byAddress = await Desk.open(browser, ONE_APPROVAL);
  }, STARTING_MS);
  afterAll(() => byAddress?.gated.stop());

  test(
    'a page says by which name passkeys work',
    async () => {
      const { visitor, page } = await byAddress.sit('rita');
      const local = byAddress.gated.served.url.replace('127.0.0.1', 'localhost');
      await page.getByText(`“--public-url ${local}”`).waitFor();
      expect(await page.getByRole('button', { name: MAKE }).count()).toBe(0);
      await page.getByRole('button', { name: 'Make a key in this browser' }).waitFor();
      expect(visitor.faults).toEqual([]);
      await visitor.leave();
    },
    STARTING_MS,
  );

  test(
    'a browser that kept keys before there were passkeys keeps them, once no older page holds on to them',
    async () => {
      const visitor = await Visitor.come(browser);
      const older = await visitor.open(byAddress.gated.served.url);
      await older.evaluate(OPEN_AS_BEFORE);
      const { page } = await byAddress.sit('rita', undefined, visitor);
      await page.getByText('Another tab shows an older page of this registry').waitFor();
      await older.close();
      await page.reload();
      await page.getByText('“--public-url').waitFor();
      expect(await page.evaluate(STORES)).toEqual(['keys', 'passkeys', 'receipts']);
      await visitor.leave();
    },
    STARTING_MS,
  );
});
