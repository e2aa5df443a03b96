import { describe, expect, test } from '@jest/globals';
import {
  ANNOUNCEMENT_PAYLOAD_TYPE,
  type Announcement,
  formatAnnouncement,
} from '../../src/core/release/announcement.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { caller, RELEASE, useWorlds } from '../made/live-registry.ts';
import { ORIGIN } from '../made/model-signature.ts';
import { openGated } from '../made/team.ts';

const makeWorld = useWorlds();

async function sealed(changes: Parameters<typeof openGated>[2] = {}) {
  const world = await makeWorld();
  const gated = await openGated(world, undefined, changes);
  await gated.live.push(gated.team.pat, RELEASE);
  return { world, ...gated };
}

describe('a commitment that nobody opens', () => {
  test('blocks until as many owners void it as sign a policy', async () => {
    const { live, team } = await sealed({ owners: 2 });
    await team.decide(live, 'rita', { decision: 'approve' });
    const lost = await team.signed(live, 'rob', { decision: 'hold', reason: 'Wait' });
    const { index } = await live.registry.commit(team.member, lost);
    expect(await team.needs(live)).toEqual(['unopened', 'intent']);
    const few = team.voidLabel(live, lost.label, 'olga');
    await expect(few).rejects.toThrowWithCode('signature-invalid');
    const voided = await team.voidLabel(live, lost.label, 'olga', 'otto');
    expect(await team.voidLabel(live, lost.label, 'otto', 'olga')).toEqual(voided);
    expect(await live.registry.voided(voided.index)).toHaveLength(2);
    expect(await team.needs(live)).toEqual(['intent']);
    await expect(team.open(live, index, lost)).rejects.toThrowWithCode('conflict');
    const { voids } = await live.registry.decisions(team.member, RELEASE);
    expect(voids).toEqual([{ label: lost.label, index: voided.index }]);
    await team.publish(live);
  });

  test('is not voided once it is opened, nor when the log has none', async () => {
    const { live, team } = await sealed();
    const signed = await team.signed(live, 'rob', { decision: 'hold', reason: 'Wait' });
    const early = team.voidLabel(live, signed.label, 'olga');
    await expect(early).rejects.toThrowWithCode('not-found');
    const { index } = await live.registry.commit(team.member, signed);
    await team.open(live, index, signed);
    const late = team.voidLabel(live, signed.label, 'olga');
    await expect(late).rejects.toThrowWithCode('conflict');
  });

  test('is not voided by the owners of another namespace', async () => {
    const { world, live, team } = await sealed();
    const lost = await team.signed(live, 'rob', { decision: 'hold', reason: 'Wait' });
    await live.registry.commit(team.member, lost);
    world.disk.plant(
      `private/voids/other/${lost.label}`,
      new TextEncoder().encode('{"index":1,"v":1}'),
    );
    expect(await team.needs(live)).toContain('unopened');
    const signed = [team.sign('olga', 'application/json', new Uint8Array(2))];
    const request = { namespace: parseNamespace('other'), label: lost.label, signed };
    const theirs = live.registry.voidLabel(caller('other', 'owner'), request);
    await expect(theirs).rejects.toThrowWithCode('not-found');
  });
});

describe('an announcement', () => {
  const said: Announcement = {
    v: 1,
    origin: ORIGIN,
    release: 'acme/tiny@v1.0',
    announcement: 'postponed',
    date: null,
    reason: 'More tests',
    time: '2026-01-01T00:00:00.000Z',
    nonce: '00'.repeat(32),
  };

  test('by a release manager is logged once, and shown to everybody', async () => {
    const { live, team } = await sealed();
    const envelope = team.sign('max', ANNOUNCEMENT_PAYLOAD_TYPE, formatAnnouncement(said));
    const logged = await live.registry.announce(team.member, envelope);
    expect(await live.registry.announce(team.member, envelope)).toEqual(logged);
    expect(await live.registry.announcement(logged.index)).toEqual(envelope);
    const entry = (await live.entries())[logged.index];
    expect(entry).toMatchObject({ kind: 'announcement', announcement: 'postponed', date: null });
    await expect(live.registry.announcement(0)).rejects.toThrowWithCode('not-found');
    await expect(live.registry.voided(0)).rejects.toThrowWithCode('not-found');
  });

  test('by anybody else, elsewhere, or of what is published is refused', async () => {
    const { live, team } = await sealed();
    const announce = (who: 'max' | 'rita', changes: Partial<Announcement> = {}) => {
      const payload = formatAnnouncement({ ...said, ...changes });
      const envelope = team.sign(who, ANNOUNCEMENT_PAYLOAD_TYPE, payload);
      return live.registry.announce(team.member, envelope);
    };
    await expect(announce('rita')).rejects.toThrowWithCode('signature-invalid');
    await expect(announce('max', { origin: 'x.example' })).rejects.toThrowWithCode('untrusted');
    const other = announce('max', { release: 'other/tiny@v1' });
    await expect(other).rejects.toThrowWithCode('not-authorised');
    await team.decide(live, 'rita', { decision: 'approve' });
    await team.publish(live);
    await expect(announce('max')).rejects.toThrowWithCode('already-published');
  });
});
