/**
 * A report tells what was found in weights that nobody may know of yet. Until the release it is for
 * those alone who are shown the evaluation that names it; what nobody has named is for nobody.
 */
import { beforeEach, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import type { Role } from '../../src/core/release/roles.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { useGated } from '../made/gated-served.ts';
import { RELEASE } from '../made/live-registry.ts';
import { SignedIn } from '../made/signed-in.ts';

const gated = useGated();
const REPORT = utf8('It says how to build one.');
const digest = digestOf(nodeHost, REPORT);
const SAID = {
  decision: 'evaluate',
  suite: 'safety',
  result: 'passed',
  report: { digest, size: REPORT.length },
} as const;
const PATH = `/drafts/acme/tiny/v1.0/reports/${digest}`;

beforeEach(async () => {
  await gated().push();
  await (await gated().api('eve')).putReport(RELEASE, REPORT);
});

async function statusFor(roles: readonly Role[], namespace = 'acme'): Promise<number> {
  const { token } = await gated().served.token({ roles, namespace });
  return (await gated().served.fetch(`/api/v1${PATH}`, { token })).status;
}

test('who takes no part reads no report, whatever they guess', async () => {
  await gated().decide('eve', SAID);
  expect(await statusFor(['reviewer'])).toBe(200);
  expect(await statusFor(['reader'])).toBe(403);
  expect(await statusFor(['reviewer'], 'beta')).toBe(403);
  expect((await gated().served.fetch(`/api/v1${PATH}`)).status).toBe(401);
  const published = `/api/v1/releases/acme/tiny/v1.0/reports/${digest}`;
  expect((await gated().served.fetch(published)).status).toBe(404);
  const operator = await gated().served.operator();
  expect((await gated().served.fetch(`/api/v1${PATH}`, { token: operator })).status).toBe(403);
  const nobody = await new SignedIn(gated().served).get(`/-${PATH}`);
  expect([nobody.status, nobody.text.includes('build')]).toEqual([401, false]);
});

test('a report that no evaluation names is nobody’s to read, nor one whose evaluation is not opened', async () => {
  expect(await statusFor(['reviewer'])).toBe(404);
  const signed = await gated().sign('eve', SAID);
  const index = await gated().commit(signed);
  expect(await statusFor(['reviewer'])).toBe(404);
  await gated().open(index, signed);
  expect(await statusFor(['reviewer'])).toBe(200);
});

test('an evaluation of another draft opens nothing of this one', async () => {
  const other = { ...RELEASE, name: 'other' } as typeof RELEASE;
  await gated().push(other, { 'README.md': 'Other bytes.' });
  await gated().decide('eve', SAID, { release: other });
  expect(await statusFor(['reviewer'])).toBe(404);
});

test('neither a CI job’s token nor an upload’s reads one', async () => {
  await gated().decide('eve', SAID);
  const { served } = gated();
  const { token } = (await gated().api('pat')).http;
  const { session } = await served.api('/drafts/acme/tiny/v1.0', { method: 'PUT', token: token! });
  expect((await served.fetch(`/api/v1${PATH}`, { token: session })).status).toBe(403);
});
