/** A person's way through a release in their browser: sign in, make a key, decide, publish. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Policy } from '../../src/core/release/policy.ts';
import type { PolicyKey } from '../../src/core/release/policy-key.ts';
import { GatedServer } from '../made/gated-served.ts';
import { RELEASE } from '../made/live-registry.ts';
import { SignedIn } from '../made/signed-in.ts';
import { ONE_APPROVAL, type PersonName } from '../made/team.ts';
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

let browser: Browser;
let gated: GatedServer;
beforeAll(async () => {
  browser = await startBrowser();
  gated = await GatedServer.start(ONE_APPROVAL, {});
  await gated.push();
}, STARTING_MS);
afterAll(async () => {
  await gated?.stop();
  await browser?.close();
});

/** Opens the draft as `who`, signed in through the link that `login --web` prints. */
async function signIn(visitor: Visitor, who: string): Promise<Page> {
  const { token } = (await gated.api(who)).http;
  const page = await visitor.open(gated.served.url + (await SignedIn.link(gated.served, token!)));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/-/drafts');
  await page.goto(gated.served.url + DRAFT);
  return page;
}

/** Makes a key in the browser; gives what enrols it for `who`. */
async function makeKey(page: Page, who: PersonName): Promise<PolicyKey> {
  await page.getByRole('button', { name: 'Make a key in this browser' }).click();
  await page.getByLabel('You are').selectOption(who);
  await page.getByRole('button', { name: 'Show what enrols it' }).click();
  return JSON.parse(await page.locator('#decide pre').innerText());
}

let version = 1;
let people = [] as Policy['people'];

/** Puts a key into the policy, as its owners do. */
async function enrolled(who: PersonName, key: PolicyKey): Promise<void> {
  version += 1;
  const { people: before } = gated.policy(version);
  if (people.length === 0) people = before;
  people = people.map((person) =>
    person.id === who ? { ...person, keys: [...person.keys, key] } : person,
  );
  await gated.setPolicy(gated.policy(version, ONE_APPROVAL, { people }), 'olga');
}

/** What the dialog says is to be signed, by its names. */
async function toSign(page: Page): Promise<Record<string, string>> {
  await page.getByRole('heading', { name: 'Sign exactly this?' }).waitFor();
  const names = await page.locator('dialog dt').allInnerTexts();
  const values = await page.locator('dialog dd').allInnerTexts();
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

describe('the people of a gated namespace', () => {
  test(
    'approve, hold, lift and publish with keys that their browsers made',
    async () => {
      const [rita, max] = [await Visitor.come(browser), await Visitor.come(browser, LOOKS[1]!)];
      const reviewing = await signIn(rita, 'rita');
      await enrolled('rita', await makeKey(reviewing, 'rita'));
      await keep(reviewing, 'draft-enrolment');
      await reviewing.reload();
      await reviewing.getByText('you sign as rita (reviewer)').waitFor();

      await reviewing.getByRole('button', { name: 'Approve' }).click();
      const shown = await toSign(reviewing);
      const { digest } = await (await gated.api('rita')).draftStatus(RELEASE);
      expect(shown).toMatchObject({ decision: 'approve', digest });
      expect(await axeFindings(reviewing)).toEqual([]);
      await keep(reviewing, 'draft-consent');
      await reviewing.getByRole('button', { name: 'Sign', exact: true }).click();
      await reviewing.getByRole('cell', { name: 'approve' }).waitFor();

      const managing = await signIn(max, 'max');
      await enrolled('max', await makeKey(managing, 'max'));
      await managing.reload();
      await managing.getByRole('button', { name: 'Hold' }).click();
      await managing.getByLabel('Why').fill('Not on a <b>Friday</b>');
      await managing.getByRole('button', { name: 'Go on' }).click();
      expect(await toSign(managing)).toMatchObject({ says: 'not now: Not on a <b>Friday</b>' });
      await managing.getByRole('button', { name: 'Sign', exact: true }).click();
      await managing.getByText('Not on a <b>Friday</b>').first().waitFor();
      await keep(managing, 'draft-held');
      expect(await axeFindings(managing)).toEqual([]);
      expect(await isWithin(managing)).toBe(true);
      expect(await managing.getByRole('button', { name: 'Publish' }).count()).toBe(0);

      await managing.getByRole('button', { name: 'Lift' }).click();
      await managing.getByLabel('Why').fill('It is Monday');
      await managing.getByRole('button', { name: 'Go on' }).click();
      await toSign(managing);
      await managing.getByRole('button', { name: 'Sign', exact: true }).click();
      await managing.getByRole('button', { name: 'Publish' }).click();
      expect(await toSign(managing)).toMatchObject({ decision: 'publish', digest });
      await managing.getByRole('button', { name: 'Sign and publish' }).click();
      await managing.getByRole('link', { name: 'published' }).waitFor();

      expect([...rita.faults, ...max.faults]).toEqual([]);
      expect(await gated.audit()).toEqual([]);
      await rita.leave();
      await max.leave();
    },
    STARTING_MS,
  );
});
