/** A server whose index is still being built: what needs it is refused, the rest is served whole. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatBase64 } from '../../src/core/bytes.ts';
import { CodedError } from '../../src/core/error.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../src/core/release/advisory.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import type { FollowingCatalogue } from '../../src/index/open.ts';
import { nonceOf } from '../made/live-registry.ts';
import { Served } from '../made/served.ts';

const refuse = (): never => {
  throw new CodedError('overloaded', 'the index is being built: 5 of 9', { retryAfterSeconds: 5 });
};
const building: FollowingCatalogue = {
  isBuilding: true,
  size: () => 5,
  releases: refuse,
  models: refuse,
  release: refuse,
  byDigest: refuse,
  history: refuse,
  events: refuse,
  news: refuse,
  advisories: refuse,
  advisory: refuse,
  modelCount: refuse,
  modelsByName: refuse,
  catchUp: async () => {},
  close: () => {},
};

let served: Served;
let digest: string;
beforeAll(async () => {
  served = await Served.start({ parts: { catalogue: building } });
  ({ digest } = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' }));
});
afterAll(() => served.stop());

async function adviseOn(about: string, summary: string): Promise<string> {
  const payload = formatAdvisory({
    v: 1,
    origin: served.origin,
    release: 'acme/tiny@v1',
    digest: about as never,
    advisory: 'quality',
    summary,
    time: new Date().toISOString(),
    nonce: nonceOf(3),
  });
  const signature = await served.owner.sign(toSign(ADVISORY_PAYLOAD_TYPE, payload));
  return formatBase64(formatEnvelope(ADVISORY_PAYLOAD_TYPE, payload, signature));
}

test.each([
  '/releases',
  '/releases?query=tiny',
  '/releases/acme/tiny',
  '/releases/acme/tiny/history',
])(
  '%s is refused and says when to come again, for half a list looks like a whole one',
  async (path) => {
    const response = await served.fetch(`/api/v1${path}`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ code: 'overloaded' });
  },
);

test('a release is shown by its name, with every advisory about it, and its files are served', async () => {
  const summary = 'a loud one';
  const envelope = await adviseOn(digest, summary);
  const logged = await served.api('/advisories', { method: 'POST', json: { envelope } });
  const shown = await served.api('/releases/acme/tiny/v1');
  expect(shown).toMatchObject({ digest, state: 'published' });
  expect(shown.advisories).toMatchObject([{ index: logged.index, kind: 'quality', summary }]);
  const file = await served.fetch('/api/v1/releases/acme/tiny/v1/files/README.md');
  expect(await file.text()).toBe('Hello.');
});
