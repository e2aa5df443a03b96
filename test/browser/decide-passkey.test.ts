/** A person's way through a release with a passkey: enrol it, approve, publish; audited at the end. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Policy } from '../../src/core/release/policy.ts';
import type { PolicyKey } from '../../src/core/release/policy-key.ts';
import { makeHome } from '../cli/command-line.ts';
import { GatedServer } from '../made/gated-served.ts';
import { RELEASE } from '../made/live-registry.ts';
import { SignedIn } from '../made/signed-in.ts';
import { ONE_APPROVAL, type PersonName } from '../made/team.ts';
import { VirtualAuthenticator } from './authenticator.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  STARTING_MS,
  startBrowser,
  Visitor,
} from './browser.ts';

const DRAFT = '/-/drafts/acme/tiny/v1.0';

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
let gated: GatedServer;
beforeAll(async () => {
  browser = await startBrowser();
  // An address has no passkeys.
  gated = await GatedServer.start(ONE_APPROVAL, {}, 'localhost');
  await gated.push();
}, STARTING_MS);
afterAll(async () => {
  await gated?.stop();
  await browser?.close();
});

/** Opens the draft as `who`, with an authenticator at hand. */
async function sitDown(visitor: Visitor, who: PersonName, at = gated) {
  const { served } = at;
  const { token } = (await at.api(who)).http;
  const page = await visitor.open(served.url + (await SignedIn.link(served, token!)));
  const authenticator = await VirtualAuthenticator.plugInto(page);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/-/drafts');
  await page.goto(served.url + DRAFT);
  return { page, authenticator };
}

/** Makes a passkey; gives what enrols it for `who`. */
async function makePasskey(page: Page, who: PersonName): Promise<PolicyKey> {
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await page.getByLabel('You are').selectOption(who);
  await page.getByRole('button', { name: 'Show what enrols it' }).click();
  return JSON.parse(await page.locator('#decide pre').innerText());
}

let version = 1;
let people: Policy['people'] | undefined;

/** Puts a key into the policy, as its owners do. */
async function enrolled(who: PersonName, key: PolicyKey): Promise<void> {
  version += 1;
  people = (people ?? gated.policy(version).people).map((person) =>
    person.id === who ? { ...person, keys: [...person.keys, key] } : person,
  );
  await gated.setPolicy(gated.policy(version, ONE_APPROVAL, { people }), 'olga');
}

/** How many decisions the registry knows of, opened or not. */
async function said(): Promise<number> {
  const { decisions, unopened } = await (await gated.api('rita')).decisions(RELEASE);
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
    const [rita, max, elsewhere] = [
      await Visitor.come(browser),
      await Visitor.come(browser, LOOKS[1]!),
      await Visitor.come(browser),
    ];
    const { page: reviewing, authenticator } = await sitDown(rita, 'rita');
    await reviewing.getByRole('button', { name: 'Make a passkey' }).waitFor();
    await keep(reviewing, 'draft-no-key');
    const key = await makePasskey(reviewing, 'rita');
    expect(key.passkey).toMatchObject({ rpId: 'localhost', origins: [gated.served.url] });
    await keep(reviewing, 'draft-passkey-enrolment');
    expect(await axeFindings(reviewing)).toEqual([]);
    await enrolled('rita', key);
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

    const managing = await sitDown(max, 'max');
    await enrolled('max', await makePasskey(managing.page, 'max'));
    expect(await isWithin(managing.page)).toBe(true);
    // On another machine, which has the same passkey and knows nothing of it.
    const { page: publishing, authenticator: synced } = await sitDown(elsewhere, 'max');
    await managing.authenticator.copyTo(synced);
    await publishing.getByRole('button', { name: 'Use my passkey' }).click();
    await publishing.getByText('you sign as max (release-manager)').waitFor();
    await publishing.getByRole('button', { name: 'Publish' }).click();
    await consent(publishing, 'Sign and publish');
    await publishing.getByRole('link', { name: 'published' }).waitFor();

    await publishing.goto(`${gated.served.url}/acme/tiny/v1.0`);
    await publishing.waitForSelector('#proof [data-step=gate][data-state=passed]');
    await publishing.goto(`${gated.served.url}/acme`);
    await publishing.getByText('rita: a passkey of localhost').waitFor();

    expect([...rita.faults, ...max.faults, ...elsewhere.faults]).toEqual([]);
    const home = await makeHome();
    const { url, fingerprint } = gated.served;
    await home.json('trust', 'add', url, '--fingerprint', fingerprint);
    const audited = await home.run('audit', url);
    expect(audited.stderr + audited.stdout).not.toContain('signature-invalid');
    expect(audited.status).toBe(0);
    await home.remove();
    for (const visitor of [rita, max, elsewhere]) await visitor.leave();
  },
  STARTING_MS,
);

describe('at an address', () => {
  let byAddress: GatedServer;
  beforeAll(async () => {
    byAddress = await GatedServer.start(ONE_APPROVAL, {});
    await byAddress.push();
  }, STARTING_MS);
  afterAll(() => byAddress?.stop());

  test(
    'a page says by which name passkeys work',
    async () => {
      const visitor = await Visitor.come(browser);
      const { page } = await sitDown(visitor, 'rita', byAddress);
      const local = byAddress.served.url.replace('127.0.0.1', 'localhost');
      await page.getByText(`“--public-url ${local}”`).waitFor();
      expect(await page.getByRole('button', { name: 'Make a passkey' }).count()).toBe(0);
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
      const older = await visitor.open(byAddress.served.url);
      await older.evaluate(OPEN_AS_BEFORE);
      const { page } = await sitDown(visitor, 'rita', byAddress);
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
