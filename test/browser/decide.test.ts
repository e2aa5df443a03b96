/** A person's way through a release in their browser: sign in, make a key, decide, publish. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { RELEASE } from '../made/live-registry.ts';
import { ONE_APPROVAL } from '../made/team.ts';
import { axeFindings, isWithin, keep, LOOKS, STARTING_MS, startBrowser } from './browser.ts';
import { Desk, makeKey, toSign } from './desk.ts';

let browser: Browser;
let desk: Desk;
beforeAll(async () => {
  browser = await startBrowser();
  desk = await Desk.open(browser, ONE_APPROVAL);
}, STARTING_MS);
afterAll(async () => {
  await desk?.gated.stop();
  await browser?.close();
});

describe('the people of a gated namespace', () => {
  test(
    'approve, hold, lift and publish with keys that their browsers made',
    async () => {
      const { gated } = desk;
      const { visitor: rita, page: reviewing } = await desk.sit('rita');
      await desk.enrol('rita', await makeKey(reviewing, 'rita'));
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

      const { visitor: max, page: managing } = await desk.sitWithKey('max', LOOKS[1]);
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
