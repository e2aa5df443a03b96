/**
 * An operator who keeps an objection back, and publishes. It was acknowledged; in the store there
 * is no trace of it any more. Its signer has a receipt, and everybody else the log.
 */
import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keys } from '../../src/store/keys.ts';
import { type GatedHome, makeGatedHome } from '../cli/gated-home.ts';

let home: GatedHome;
let reference: string;
/** Of the objection. */
let index: number;
let label: string;
let release: number;

beforeAll(async () => {
  home = await makeGatedHome();
  const pushed = await home.push();
  ({ reference } = pushed);
  const about = [reference, '--digest', pushed.digest];
  await home.json('approve', ...about);
  const objection = await home.json('object', ...about, '--reason', 'A licence');
  index = Number(objection.index);
  label = String(objection.label);
  expect((await home.run('publish', ...about)).status).toBe(13);
  for (const key of [keys.decision(label), keys.label(label)]) {
    await rm(home.path('store', 'objects', key));
  }
  release = Number((await home.json('publish', ...about)).index);
}, 30_000);

afterAll(() => home.remove());

test('whoever made it proves that it was left out', async () => {
  const prefix = home.path('missing-');
  const { status, stdout } = await home.run('receipts', 'check', '--evidence', prefix);
  expect(status).toBe(13);
  expect(stdout).toContain('THE RELEASE DOES NOT SHOW IT');
  const file = `${prefix}${label.slice(0, 16)}.json`;
  expect(stdout).toContain(`evidence is in ${file}: show it to whoever relies on the release`);
  const evidence = JSON.parse(await readFile(file, 'utf8'));
  expect(evidence).toMatchObject({ index, label, release: { index: release } });
  expect(evidence.release.reveals).not.toContain(label);
});

test('everybody else finds it, with the log alone', async () => {
  const { status, stdout } = await home.run('audit', '--json');
  expect(status).not.toBe(0);
  const { ok, violations } = JSON.parse(stdout);
  expect(ok).toBe(false);
  const message = `the commitment at ${index} may be an objection: nobody has opened it`;
  expect(violations).toMatchObject([{ index: release, code: 'gate-unmet', message }]);
});
