/** Every page on a phone and on a desk, light and dark: whole, calm, and good to all readers. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { formatBase64 } from '../../src/core/bytes.ts';
import type { Digest } from '../../src/core/digest.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../src/core/release/advisory.ts';
import { parseModel, parseReleaseName } from '../../src/core/release/name.ts';
import { GatedServer } from '../made/gated-served.ts';
import { nonceOf, RELEASE } from '../made/live-registry.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { ONE_APPROVAL } from '../made/team.ts';
import {
  axeFindings,
  isWithin,
  keep,
  keepTop,
  LOOKS,
  STARTING_MS,
  showAs,
  startBrowser,
  Visitor,
} from './browser.ts';

const CARD = `---
license: apache-2.0
---
# Tiny

A *small* model, with a table wider than a phone:

| measure | value | value | value | value | value | value |
|---|--:|---|---|---|---|---|
| ${'accuracy'.repeat(4)} | 0.97 | ${'x'.repeat(40)} | b | c | d | e |

> It was made for tests.

[elsewhere](https://example.com) and \`code\`
`;

/** Pages by the name under which they are kept. */
const PAGES = {
  home: '/',
  found: '/?q=tiny',
  'found-nothing': '/?q=absent',
  namespace: '/acme',
  model: '/acme/tiny',
  release: '/acme/tiny/v1.0',
  recalled: '/acme/tiny/v0.9',
  files: '/acme/tiny/v1.0/files',
  tensors: '/acme/tiny/v1.0/tensors',
  diff: '/acme/tiny/v1.0/diff?since=v0.9',
  'sign-in': '/-/sign-in',
  absent: '/acme/absent',
} as const;

const ACME_TINY = parseModel('acme/tiny');

let browser: Browser;
let gated: GatedServer;
beforeAll(async () => {
  browser = await startBrowser();
  gated = await GatedServer.start(ONE_APPROVAL, {});
  const old = parseReleaseName('acme/tiny@v0.9');
  for (const [release, fill] of [
    [old, 1],
    [RELEASE, 2],
  ] as const) {
    const bytes = new Uint8Array(64).fill(fill);
    const model = makeSafetensors({ 'model.layers.0.w': { dtype: 'F32', shape: [4, 4], bytes } });
    const name = `a-file-with-a-name-${'that-is-long-'.repeat(8)}.txt`;
    await gated.push(release, { 'README.md': CARD, 'model.safetensors': model, [name]: 'Hello.' });
    await gated.decide('rita', { decision: 'approve', reason: 'Good as it is' }, { release });
    await gated.publish(release);
  }
  await recall('acme/tiny@v0.9');
}, STARTING_MS);
afterAll(async () => {
  await gated?.stop();
  await browser?.close();
});

/** A release manager says that a release is not to be used. */
async function recall(release: string): Promise<void> {
  const { digest } = (await (await gated.reader()).api.release(ACME_TINY, 'v0.9')) as {
    digest: Digest;
  };
  const payload = formatAdvisory({
    v: 1,
    origin: gated.served.origin,
    release,
    digest,
    advisory: 'recalled',
    summary: 'It writes what it was trained on, word for word.',
    time: new Date().toISOString(),
    nonce: nonceOf(7),
  });
  const envelope = gated.team.sign('max', ADVISORY_PAYLOAD_TYPE, payload);
  const { token } = (await gated.api('max')).http;
  const json = { envelope: formatBase64(envelope) };
  await gated.served.api('/advisories', { method: 'POST', json, token: token! });
}

test.each(Object.entries(PAGES))(
  '%s, in every look',
  async (name, path) => {
    const visitor = await Visitor.come(browser);
    const page = await visitor.open(gated.served.url + path);
    if ((await page.locator('#proof').count()) > 0) {
      const checked = name === 'recalled' ? 'bad' : 'good';
      await page.locator(`#proof[data-checked="${checked}"]`).waitFor();
    }
    for (const look of LOOKS) {
      await showAs(page, look);
      await keep(page, `${name}-${look.name}`);
      await keepTop(page, `${name}-${look.name}`);
      const found = { axe: await axeFindings(page), isWithin: await isWithin(page) };
      expect([look.name, found]).toEqual([look.name, { axe: [], isWithin: true }]);
    }
    expect(visitor.faults.filter((fault) => !(name === 'absent' && /404/.test(fault)))).toEqual([]);
    await visitor.leave();
  },
  STARTING_MS,
);
