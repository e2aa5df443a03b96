/** The release gate over HTTP, from a gated policy to the grounds of a release, as clients use it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import {
  ANNOUNCEMENT_PAYLOAD_TYPE,
  formatAnnouncement,
} from '../../src/core/release/announcement.ts';
import { parseDecisions } from '../../src/core/release/decisions.ts';
import { formatPolicy, POLICY_PAYLOAD_TYPE, type Policy } from '../../src/core/release/policy.ts';
import { formatVoid, VOID_PAYLOAD_TYPE } from '../../src/core/release/void.ts';
import { formatEnvelope, parseEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { parseGateSummary } from '../../src/core/statement/verdict.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { ACME, nonceOf, RELEASE } from '../made/live-registry.ts';
import { ORIGIN } from '../made/model-signature.ts';
import { NO_PAUSES } from '../made/reader.ts';
import { Served } from '../made/served.ts';
import { ONE_APPROVAL, type Running, Team } from '../made/team.ts';

const REFERENCE = 'acme/tiny@v1.0';
const REPORT = utf8('All suites passed.');

let served: Served;
let api: Api;
let live: Running;
let digest: Digest;
const team = new Team();
const report = { digest: digestOf(nodeHost, REPORT), size: REPORT.length };

beforeAll(async () => {
  served = await Served.start({ origin: ORIGIN });
  live = { registry: served.registry, world: { clock: Date.now } };
  const { token } = await served.token({ roles: ['reviewer', 'publisher'], subject: 'rita' });
  api = new Api({ url: parseRegistryUrl(served.url), token, pauses: NO_PAUSES });
});
afterAll(() => served.stop());

test('a solo policy becomes a gated one by its owner’s signature', async () => {
  const { index, policy: bytes } = await served.api('/namespaces/acme/policy');
  const solo = JSON.parse(Buffer.from(bytes, 'base64').toString()) as Policy;
  const gated = team.policy(ONE_APPROVAL, { version: 2 });
  const policy = formatPolicy({
    ...gated,
    people: [...solo.people, ...gated.people],
    roles: { ...gated.roles, owner: ['owner', 'olga'] },
  });
  const signature = await served.owner.sign(toSign(POLICY_PAYLOAD_TYPE, policy));
  const envelope = parseEnvelope(formatEnvelope(POLICY_PAYLOAD_TYPE, policy, signature));
  const logged = await api.setPolicy(ACME, { policy, signed: [envelope] });
  expect(logged).toMatchObject({ version: 2, inForceAt: expect.any(String) });
  expect(logged.index).toBeGreaterThan(index);
  const { policies } = await api.policies(ACME);
  expect(policies.map(({ version }) => version)).toEqual([1, 2]);
  expect(policies[1]).toMatchObject({ digest: digestOf(nodeHost, policy), index: logged.index });
});

describe('a draft behind the gate', () => {
  test('says what it lacks and what would satisfy that', async () => {
    ({ digest } = await served.push(REFERENCE, { 'README.md': 'Hello.' }));
    const status = await api.draftStatus(RELEASE);
    expect(status.missing).toMatchObject([
      { need: 'approval', satisfiedBy: `weighhouse approve ${REFERENCE}` },
      { need: 'intent', satisfiedBy: expect.stringContaining('weighhouse publish') },
    ]);
    expect(status.policyIndex).toBeGreaterThan(0);
    expect(status.decisions).toMatchObject([{ person: 'registry', decision: 'seal' }]);
    await expect(api.publish(RELEASE, digest)).rejects.toThrowWithCode('gate-unmet');
  });

  test('takes a commitment, and then what opens it', async () => {
    expect(await api.putReport(RELEASE, REPORT)).toEqual(report);
    const said = { decision: 'evaluate', suite: 'safety', result: 'passed', report } as const;
    const evaluation = await team.signed(live, 'eve', said);
    const { index } = await api.commit(evaluation);
    const found = await api.decisions(RELEASE);
    expect(found.unopened).toEqual([{ index, label: evaluation.label }]);
    const envelope = parseEnvelope(evaluation.envelope);
    const opening = { index, salt: evaluation.salt, envelope };
    const recorded = await api.decide(RELEASE, opening);
    expect(recorded).toEqual({ index, digest: evaluation.digest, decision: 'evaluate' });
    const approval = await team.signed(live, 'rob', { decision: 'approve' });
    const logged = await api.commit(approval);
    const approved = { ...logged, salt: approval.salt, envelope: parseEnvelope(approval.envelope) };
    await api.decide(RELEASE, approved);
    const { decisions, unopened, revision } = await api.decisions(RELEASE);
    expect([revision, unopened]).toEqual([1, []]);
    expect(decisions.map(({ person, decision, detail }) => [person, decision, detail])).toEqual([
      ['registry', 'seal', 'pushed by publisher'],
      ['eve', 'evaluate', 'safety passed'],
      ['rob', 'approve', ''],
    ]);
    expect(decisions[2]).toMatchObject({ salt: approval.salt, label: approval.label });
  });

  test('goes on when its owners void a commitment that nobody opens', async () => {
    const lost = await team.signed(live, 'rita', { decision: 'hold', reason: 'Wait' });
    await api.commit(lost);
    const voiding = {
      v: 1,
      origin: ORIGIN,
      namespace: ACME,
      label: lost.label,
      reason: 'Rita lost her receipt',
      time: new Date().toISOString(),
      nonce: nonceOf(3),
    } as const;
    const signed = parseEnvelope(team.sign('olga', VOID_PAYLOAD_TYPE, formatVoid(voiding)));
    const { label } = lost;
    const { index } = await api.voidLabel({ namespace: ACME, label, signed: [signed] });
    const shown = await api.voided(index);
    expect(shown.signed).toMatchObject([{ payloadType: VOID_PAYLOAD_TYPE }]);
    expect((await api.decisions(RELEASE)).voids).toEqual([{ index, label }]);
  });

  test('is announced in public', async () => {
    const payload = formatAnnouncement({
      v: 1,
      origin: ORIGIN,
      release: REFERENCE,
      announcement: 'announced',
      date: '2030-01-01T00:00:00.000Z',
      time: new Date().toISOString(),
      nonce: nonceOf(4),
    });
    const envelope = parseEnvelope(team.sign('max', ANNOUNCEMENT_PAYLOAD_TYPE, payload));
    const { index } = await api.announce(envelope);
    const shown = await api.announcement(index);
    expect(shown.envelope.payload).toBe(Buffer.from(payload).toString('base64'));
  });

  test('keeps its decisions to its own people, and out of caches', async () => {
    const path = '/api/v1/drafts/acme/tiny/v1.0/decisions';
    const { token } = await served.token({ roles: ['owner'], namespace: 'other' });
    expect((await served.fetch(path, { token })).status).toBe(403);
    expect((await served.fetch(path)).status).toBe(401);
    const open = await served.fetch(path, { token: served.publisher });
    expect(open.headers.get('cache-control')).toBe('no-store');
    const release = '/api/v1/releases/acme/tiny/v1.0';
    for (const document of ['decisions.json', `reports/${report.digest}`]) {
      expect((await served.fetch(`${release}/${document}`)).status).toBe(404);
    }
  });
});

test('a release shows its grounds: decisions, verdict, intent and revealed reports', async () => {
  const signed = await team.signed(live, 'max', { decision: 'publish' });
  const intent = parseEnvelope(signed.envelope);
  const published = await api.publish(RELEASE, digest, { intent });
  const decisions = parseDecisions(await api.document(RELEASE, 'decisions.json'));
  expect(decisions).toMatchObject({ release: REFERENCE, digest });
  expect(decisions.decisions).toHaveLength(3);
  const verdict = parseEnvelope(await api.document(RELEASE, 'verdict.dsse'));
  const { inputs } = parseGateSummary(verdict.payload);
  expect(inputs).toHaveLength(4);
  expect(inputs.at(-1)).toBe(signed.digest);
  expect(await api.document(RELEASE, 'intent.dsse')).toEqual(signed.envelope);
  expect(await api.report(RELEASE, report.digest)).toEqual(REPORT);
  const entry = JSON.parse(parseUtf8(await api.document(RELEASE, 'entry')));
  expect(entry).toMatchObject({ intent: signed.digest });
  const late = await team.signed(live, 'rita', { decision: 'hold', reason: 'Too late' });
  const { index } = await api.commit(late);
  const opening = { index, salt: late.salt, envelope: parseEnvelope(late.envelope) };
  const refused = api.decide(RELEASE, opening);
  await expect(refused).rejects.toThrow(`published by entry ${published.index}`);
});

test('a report that is too large is refused', async () => {
  await served.push('acme/big@v1', { 'README.md': 'Big.' });
  const body = new Uint8Array(16 * 2 ** 20 + 1);
  const path = '/api/v1/drafts/acme/big/v1/reports';
  const options = { method: 'PUT', token: served.publisher, body };
  expect((await served.fetch(path, options)).status).toBe(413);
});
