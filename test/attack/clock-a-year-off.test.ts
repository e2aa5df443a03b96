/** A server whose clock is a year ahead or behind lets nothing through that a right one would not, and rewrites no time. */
import { expect, test } from '@jest/globals';
import { keys } from '../../src/store/keys.ts';
import { useGated } from '../made/gated-served.ts';
import { RELEASE } from '../made/live-registry.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;
const YEAR = 366 * 24 * 3600 * 1000;
const BEHIND =
  /^this machine's clock is \d+ ms behind the last commit; nothing is logged until it has caught up$/;

const checkpoint = async () => (await gated().served.fetch('/log/checkpoint')).text();

test('a year ahead, tokens and decisions have expired', async () => {
  await gated().push();
  const api = await gated().api('max');
  const { index } = await gated().decide('rita', APPROVE);
  gated().pass(YEAR);
  await refused(api.draftStatus(RELEASE), 'not-authorised', 'the token has expired');
  await refused(
    gated().publish(),
    'gate-unmet',
    new RegExp(`\\(not counted: rita’s in entry ${index}, it expired at [^;]*\\)$`),
  );
});

test('a year behind, nothing is logged, and what is there is served as it was', async () => {
  await gated().push();
  await gated().decide('rita', APPROVE);
  const approval = await gated().sign('rob', APPROVE);
  const before = await checkpoint();
  gated().pass(-YEAR);
  await refused(gated().commit(approval), 'overloaded', BEHIND);
  await refused(
    gated().publish(),
    'gate-unmet',
    /^its seal in the log is of \S+, which is to come: the registry’s clock is wrong$/,
  );
  expect(await checkpoint()).toBe(before);
  gated().pass(YEAR);
  await gated().publish();
});

test('what was logged a year ahead keeps a right clock from logging anything older behind it', async () => {
  await gated().push();
  gated().pass(YEAR);
  await gated().decide('rita', APPROVE);
  gated().pass(-YEAR);
  await refused(gated().commit(await gated().sign('rob', APPROVE)), 'overloaded', BEHIND);
  expect(await gated().audit()).toEqual([]);
});

test('a clock that fell back makes no old token good again', async () => {
  const { served } = gated();
  const { token } = await served.token({ roles: ['publisher'], seconds: 60 });
  const asked = async () => {
    const response = await served.fetch('/api/v1/drafts/acme/tiny/v1.0', { token });
    const { code, detail } = (await response.json()) as Record<string, string>;
    return [response.status, code, detail];
  };
  gated().pass(61_000);
  expect(await asked()).toEqual([401, 'not-authorised', 'the token has expired']);
  gated().pass(-YEAR);
  expect(await asked()).toEqual([
    401,
    'not-authorised',
    'the token is of the future: this server’s clock, or the one it was made by, is wrong',
  ]);
});

test('nor does it forget for a year that a token was revoked', async () => {
  const { served } = gated();
  gated().pass(-2 * YEAR);
  const { token, id } = await served.token({ roles: ['publisher'], seconds: (3 * YEAR) / 1000 });
  gated().pass(2 * YEAR);
  const asked = async () => (await served.fetch('/api/v1/drafts/acme/none/v1', { token })).status;
  expect(await asked()).toBe(404);
  await served.store.create(keys.revoked(id), new Uint8Array(1));
  gated().pass(-YEAR);
  expect(await asked()).toBe(401);
});
