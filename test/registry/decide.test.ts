import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import {
  FILES,
  type LiveRegistry,
  nonceOf,
  PUBLISHER,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';
import { openSealed } from '../made/team.ts';

const makeWorld = useWorlds();
const OBJECTION = { decision: 'object', reason: 'The licence of a data set' } as const;
const HOLD = { decision: 'hold', reason: 'Wait' } as const;
const OTHER = parseReleaseName('acme/other@v1');

const sealed = async () => openSealed(await makeWorld());

describe('a sealed draft of a gated namespace', () => {
  test('is sealed in the log by the registry, which names who pushed it', async () => {
    const { live, team } = await sealed();
    const { decisions, policyIndex } = await live.registry.draftStatus(team.member, RELEASE);
    expect(decisions).toMatchObject([
      { person: 'registry', decision: 'seal', detail: 'pushed by pat', revision: 1 },
    ]);
    expect(policyIndex).toBe(0);
    expect(await team.needs(live)).toEqual(['approval', 'intent']);
  });

  test('is published once it is approved and its publish is signed, with its grounds', async () => {
    const { live, team, digest } = await sealed();
    const approved = await team.decide(live, 'rita', { decision: 'approve' });
    expect(await team.needs(live)).toEqual(['intent']);
    const { index } = await team.publish(live);
    expect(approved.index).toBeLessThan(index);
    const { decisions } = JSON.parse(await text(live, 'decisions.json'));
    expect(decisions).toHaveLength(2);
    expect(await text(live, 'verdict.dsse')).toContain('payload');
    expect(await text(live, 'intent.dsse')).toContain('payload');
    expect(await live.registry.draftStatus(team.pat, RELEASE)).toMatchObject({ digest, index });
  });

  test('is not published without the intent, or by the approval of who pushed it', async () => {
    const { live, team, digest } = await sealed();
    await team.decide(live, 'pat', { decision: 'approve' });
    await expect(team.publish(live)).rejects.toThrowWithCode('gate-unmet');
    await team.decide(live, 'rita', { decision: 'approve' });
    const publish = live.registry.publish(team.pat, RELEASE, digest);
    await expect(publish).rejects.toThrowWithCode('gate-unmet');
    const stranger = await team.signed(live, 'max', { decision: 'publish' }, { key: makeKey() });
    const theirs = live.registry.publish(team.pat, RELEASE, digest, stranger.envelope);
    await expect(theirs).rejects.toThrowWithCode('signature-invalid');
  });

  test('is stopped by an objection until it is lifted', async () => {
    const { live, team } = await sealed();
    await team.decide(live, 'rita', { decision: 'approve' });
    const { digest: lifts } = await team.decide(live, 'rob', OBJECTION);
    expect(await team.needs(live)).toEqual(['objection', 'intent']);
    await expect(team.publish(live)).rejects.toThrowWithCode('gate-unmet');
    await team.decide(live, 'max', { decision: 'lift', lifts, reason: 'Solved' });
    await team.publish(live);
  });

  test('is stopped by an objection to the same bytes in another draft', async () => {
    const { live, team } = await sealed();
    await team.decide(live, 'rita', { decision: 'approve' });
    await live.push(team.pat, OTHER, FILES, nonceOf(2));
    await team.decide(live, 'rob', OBJECTION, { release: OTHER });
    expect(await team.needs(live)).toEqual(['objection', 'intent']);
  });

  test('once its content changes, no decision on it permits anything, and all are shown', async () => {
    const { live, team } = await sealed();
    await team.decide(live, 'rita', { decision: 'approve' });
    const former = await team.decide(live, 'rob', OBJECTION);
    await live.upload(team.pat, RELEASE, { 'README.md': 'Another' });
    const open = await live.registry.draftStatus(team.member, RELEASE);
    expect(open).toMatchObject({ state: 'draft', revision: 2 });
    expect(open.decisions.map(({ decision, revision }) => [decision, revision])).toEqual([
      ['seal', 1],
      ['approve', 1],
      ['object', 1],
    ]);
    await live.seal(team.pat, RELEASE, Object.keys(FILES), nonceOf(2));
    expect(await team.needs(live)).toEqual(['approval', 'intent']);
    await team.decide(live, 'rita', { decision: 'approve' });
    await team.publish(live);
    const { decisions } = JSON.parse(await text(live, 'decisions.json'));
    expect(decisions.map(({ index }: { index: number }) => index)).toContain(former.index);
  });
});

describe('a decision', () => {
  test('is answered twice the same, and read by the people of the namespace', async () => {
    const { live, team, digest } = await sealed();
    const signed = await team.signed(live, 'rob', OBJECTION);
    const { index } = await live.registry.commit(team.member, signed);
    expect(await live.registry.commit(team.member, signed)).toEqual({ index });
    const recorded = await team.open(live, index, signed);
    expect(recorded).toEqual({ index, digest: signed.digest, decision: 'object' });
    expect(await team.open(live, index, signed)).toEqual(recorded);
    const found = await live.registry.decisions(team.member, RELEASE);
    expect(found).toMatchObject({ digest, revision: 1, unopened: [], voids: [] });
    const { label, salt, envelope } = signed;
    const reason = OBJECTION.reason;
    expect(found.decisions[1]).toMatchObject({ label, salt, envelope, index, detail: reason });
  });

  test('that the operator drops before the publish still blocks it, unopened', async () => {
    const { world, live, team } = await sealed();
    await team.decide(live, 'rita', { decision: 'approve' });
    const signed = await team.signed(live, 'rob', OBJECTION);
    const { index } = await live.registry.commit(team.member, signed);
    expect(await team.needs(live)).toEqual(['unopened', 'intent']);
    await team.open(live, index, signed);
    world.disk.objects.delete(`private/decisions/${signed.label}`);
    expect(await team.needs(live)).toEqual(['unopened', 'intent']);
    await expect(team.publish(live)).rejects.toThrowWithCode('gate-unmet');
  });

  test.each([
    ['that nobody could read', utf8('{}')],
    ['of nothing', new Uint8Array(0)],
  ])('that is replaced in the store by one %s blocks as one unopened', async (_, bytes) => {
    const { world, live, team } = await sealed();
    await team.decide(live, 'rita', { decision: 'approve' });
    const signed = await team.signed(live, 'rob', OBJECTION);
    const { index } = await live.registry.commit(team.member, signed);
    await team.open(live, index, signed);
    world.disk.plant(`private/decisions/${signed.label}`, bytes);
    expect(await team.needs(live)).toEqual(['unopened', 'intent']);
  });

  test('is not opened where the log has no commitment to it, or one that came too late', async () => {
    const { live, team } = await sealed();
    const signed = await team.signed(live, 'rob', OBJECTION);
    await expect(team.open(live, 900, signed)).rejects.toThrowWithCode('not-found');
    await expect(team.open(live, 0, signed)).rejects.toThrowWithCode('not-found');
    const [seal] = (await live.registry.decisions(team.member, RELEASE)).decisions;
    await expect(team.open(live, seal!.index, signed)).rejects.toThrowWithCode('digest-mismatch');
    await team.decide(live, 'rita', { decision: 'approve' });
    const released = await team.publish(live);
    const late = await team.signed(live, 'rob', OBJECTION);
    const { index } = await live.registry.commit(team.member, signed);
    const opening = team.open(live, index, signed);
    await expect(opening).rejects.toThrow(`published by entry ${released.index}`);
    expect(late.label).not.toBe(signed.label);
  });

  test('is refused with another salt, another envelope, and on a label that is taken', async () => {
    const { live, team } = await sealed();
    const signed = await team.signed(live, 'rob', OBJECTION);
    const { index } = await live.registry.commit(team.member, signed);
    const salt = 'ab'.repeat(32);
    const other = team.open(live, index, { ...signed, salt });
    await expect(other).rejects.toThrowWithCode('digest-mismatch');
    const context = { n: 0, previous: null };
    const approval = await team.signed(live, 'rob', { decision: 'approve' }, { context });
    await expect(team.open(live, index, approval)).rejects.toThrowWithCode('digest-mismatch');
    const again = live.registry.commit(team.member, { ...signed, commit: approval.commit });
    await expect(again).rejects.toThrowWithCode('conflict');
  });

  test('by a stranger, or by a key that was enrolled after its commitment, is nobody’s', async () => {
    const { live, team } = await sealed();
    const key = makeKey();
    const signed = await team.signed(live, 'rob', OBJECTION, { key });
    const { index } = await live.registry.commit(team.member, signed);
    await expect(team.open(live, index, signed)).rejects.toThrowWithCode('untrusted');
    // Of a stranger nobody looks for labels: it blocks nothing either.
    expect(await team.needs(live)).toEqual(['approval', 'intent']);
  });

  test.each([
    ['registry', { origin: 'other.example' }, 'bad-statement'],
    ['release', { release: 'acme/other@v1' }, 'bad-statement'],
    ['namespace', { release: 'other/tiny@v1.0' }, 'bad-statement'],
    ['revision', { revision: 2 }, 'conflict'],
  ] as const)('about another %s is refused', async (_, context, code) => {
    const { live, team } = await sealed();
    const signed = await team.signed(live, 'rita', { decision: 'approve' }, { context });
    const { index } = await live.registry.commit(team.member, signed);
    await expect(team.open(live, index, signed)).rejects.toThrowWithCode(code);
  });

  test('on a former revision is opened late if it was committed before the next was sealed, and not after', async () => {
    const { live, team, digest } = await sealed();
    const early = await team.signed(live, 'rob', { decision: 'approve' });
    const { index } = await live.registry.commit(team.member, early);
    await live.upload(team.pat, RELEASE, { 'README.md': 'Another' });
    await live.seal(team.pat, RELEASE, Object.keys(FILES), nonceOf(2));
    expect(await team.needs(live)).toEqual(['unopened', 'approval', 'intent']);
    await team.open(live, index, early);
    expect(await team.needs(live)).toEqual(['approval', 'intent']);
    const about = { digest, context: { revision: 1, n: 0, previous: null } };
    const late = await team.signed(live, 'rita', { decision: 'approve' }, about);
    const logged = await live.registry.commit(team.member, late);
    await expect(team.open(live, logged.index, late)).rejects.toThrowWithCode('conflict');
  });

  test('about other bytes, or by the registry’s own words, is refused', async () => {
    const { live, team } = await sealed();
    const digest = digestOf(nodeHost, utf8('other'));
    const wrong = await team.signed(live, 'rita', { decision: 'approve' }, { digest });
    const { index } = await live.registry.commit(team.member, wrong);
    await expect(team.open(live, index, wrong)).rejects.toThrowWithCode('conflict');
    for (const said of [
      { decision: 'seal', pushers: ['nobody'] },
      { decision: 'publish' },
    ] as const) {
      const context = { n: 0, previous: null };
      const signed = await team.signed(live, said.decision === 'seal' ? 'rob' : 'max', said, {
        context,
      });
      const logged = await live.registry.commit(team.member, signed);
      await expect(team.open(live, logged.index, signed)).rejects.toThrowWithCode('bad-statement');
    }
  });

  test('out of its signer’s order is refused: nobody would find it', async () => {
    const { live, team } = await sealed();
    const previous = digestOf(nodeHost, utf8('lost'));
    const gap = await team.signed(live, 'rob', HOLD, { context: { n: 3, previous } });
    const { index } = await live.registry.commit(team.member, gap);
    await expect(team.open(live, index, gap)).rejects.toThrow('number 0');
    await team.decide(live, 'rita', { decision: 'approve' });
    const other = await team.signed(live, 'rita', HOLD, { context: { n: 1, previous } });
    const logged = await live.registry.commit(team.member, other);
    await expect(team.open(live, logged.index, other)).rejects.toThrowWithCode('conflict');
  });

  test('names a report that is there, which is public with the release and not before', async () => {
    const { live, team } = await sealed();
    const body = utf8('All is well.');
    const digest = digestOf(nodeHost, body);
    const said = { decision: 'evaluate', suite: 'safety', result: 'passed' } as const;
    const report = { digest, size: body.length };
    const early = team.decide(live, 'eve', { ...said, report });
    await expect(early).rejects.toThrowWithCode('conflict');
    const put = await live.registry.putReport(team.member, RELEASE, streamOf(body));
    expect(put).toEqual(report);
    const { unopened } = await live.registry.decisions(team.member, RELEASE);
    await team.voidLabel(live, unopened[0]!.label, 'olga');
    const previous = digestOf(nodeHost, utf8('void'));
    await team.decide(live, 'eve', { ...said, report }, { context: { n: 1, previous } });
    const secret = { digest: digestOf(nodeHost, utf8('x')), size: 1, private: true } as const;
    await team.decide(live, 'eve', { ...said, report: secret });
    const read = () => live.registry.report(RELEASE, digest);
    await expect(read()).rejects.toThrowWithCode('not-found');
    expect(await live.registry.draftReport(team.member, RELEASE, digest)).toEqual(body);
    const kept = live.registry.draftReport(team.member, RELEASE, secret.digest);
    await expect(kept).rejects.toThrowWithCode('not-found');
    await team.decide(live, 'rita', { decision: 'approve' });
    await team.publish(live);
    expect(await read()).toEqual(body);
    const hidden = live.registry.report(RELEASE, secret.digest);
    await expect(hidden).rejects.toThrowWithCode('not-found');
  });
});

describe('a namespace that was never gated', () => {
  test('takes no decisions, and publishes as ever: its entry names no grounds', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    const digest = await live.push(PUBLISHER, RELEASE);
    const disclosure = { index: 0, salt: '00'.repeat(32), envelope: utf8('{}') };
    const decided = live.registry.decide(PUBLISHER, RELEASE, disclosure);
    await expect(decided).rejects.toThrow('solo');
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    expect(await live.kinds()).toEqual(['namespace', 'heads', 'release', 'hashedrekord', 'heads']);
    expect(Object.keys((await live.entries())[2]!)).not.toContain('decisions');
    const keys = [...world.disk.objects.keys()];
    expect(keys.filter((key) => /private\/(labels|decisions|roots)/.test(key))).toEqual([]);
  });
});

async function text(
  live: LiveRegistry,
  document: 'decisions.json' | 'verdict.dsse' | 'intent.dsse',
) {
  return new TextDecoder().decode(await live.registry.document(RELEASE, document));
}

/** What a token must not do, whatever its roles. */
describe('a CI job and an upload session', () => {
  test('are refused by every one of the gate’s use cases', async () => {
    const { live, team } = await sealed();
    const { registry } = live;
    const signed = await team.signed(live, 'rob', OBJECTION);
    const { index } = await registry.commit(team.member, signed);
    const policy = team.signPolicy(team.policy({}, { version: 2 }), 'olga');
    for (const limit of [{ ci: true }, { session: RELEASE }]) {
      const caller = { ...team.member, roles: ['owner', 'reviewer'] as const, ...limit };
      await refused(registry.commit(caller, signed));
      await refused(registry.decide(caller, RELEASE, { index, ...signed }));
      await refused(registry.decisions(caller, RELEASE));
      await refused(registry.putReport(caller, RELEASE, streamOf(utf8('x'))));
      await refused(registry.draftReport(caller, RELEASE, signed.digest));
      await refused(registry.setPolicy(caller, policy));
      const words = { namespace: RELEASE.namespace, label: signed.label, signed: policy.signed };
      await refused(registry.voidLabel(caller, words));
      await refused(registry.publish(caller, RELEASE, signed.digest, signed.envelope));
    }
    await team.open(live, index, signed);
    const job = { ...team.pat, roles: [], ci: true };
    const status = await registry.draftStatus(job, RELEASE);
    expect(status.decisions).toEqual([]);
    // That something stops the draft, and neither who nor why.
    expect(status.missing.map(({ need }) => need)).toContain('objection');
    expect(JSON.stringify(status)).not.toContain(OBJECTION.reason);
    expect(JSON.stringify(status)).not.toContain('rob objects');
  });

  const refused = (it: Promise<unknown>) => expect(it).rejects.toThrowWithCode('not-authorised');
});
