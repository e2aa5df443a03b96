/** Withdrawing: by a token where nobody was asked to decide, else by the key of one who may. */
import { describe, expect, test } from '@jest/globals';
import { FILES, nonceOf, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { openGated, openSealed, type PersonName } from '../made/team.ts';

const makeWorld = useWorlds();
const WITHDRAWN = { decision: 'withdraw', reason: 'Another base model' } as const;

const sealed = async () => openSealed(await makeWorld());

describe('a sealed draft of a gated namespace', () => {
  test('is withdrawn by the signed decision of one who may publish, and shows whose it was', async () => {
    for (const who of ['pat', 'max', 'olga'] as const) {
      const { live, team, digest } = await sealed();
      const { index } = await team.decide(live, who, WITHDRAWN);
      const status = await live.registry.draftStatus(team.member, RELEASE);
      expect(status).toMatchObject({ state: 'withdrawn', digest, missing: [] });
      expect(status.decisions).toMatchObject([
        { decision: 'seal' },
        { decision: 'withdraw', person: who, index, detail: WITHDRAWN.reason },
      ]);
    }
  });

  test('is not withdrawn by a token, sealed or reopened', async () => {
    const { live, team } = await sealed();
    const { registry } = live;
    const withdraw = () => registry.withdraw(team.pat, RELEASE);
    await expect(withdraw()).rejects.toThrow('weighhouse withdraw acme/tiny@v1.0 --reason');
    await expect(withdraw()).rejects.toThrowWithCode('gate-unmet');
    await live.upload(team.pat, RELEASE, { 'README.md': 'Another' });
    await expect(withdraw()).rejects.toThrow('was sealed before');
    expect(await registry.draftStatus(team.pat, RELEASE)).toMatchObject({ state: 'draft' });
  });

  test.each<PersonName>(['rita', 'eve'])(
    'is not withdrawn by one who may not (%s), whose word counts for nothing',
    async (who) => {
      const { live, team } = await sealed();
      await team.decide(live, who, WITHDRAWN);
      expect(await team.needs(live)).toEqual(['approval', 'intent']);
      await team.decide(live, 'rita', { decision: 'approve' });
      await team.publish(live);
    },
  );

  test('once withdrawn is withdrawn again, takes no push, seal or publish, and a late word without use', async () => {
    const { live, team, digest } = await sealed();
    const { registry } = live;
    await team.decide(live, 'rita', { decision: 'approve' });
    const intent = await team.signed(live, 'max', { decision: 'publish' });
    await team.decide(live, 'pat', WITHDRAWN);
    const attempts = [
      () => registry.publish(team.pat, RELEASE, digest, intent.envelope),
      () => registry.seal(team.pat, RELEASE, { nonce: nonceOf(1), paths: Object.keys(FILES) }),
      () => registry.openDraft(team.pat, RELEASE),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrowWithCode('conflict');
    const about = { digest, context: { revision: 1 } };
    await expect(registry.decisions(team.member, RELEASE)).rejects.toThrowWithCode('conflict');
    await team.decide(live, 'rob', { decision: 'object', reason: 'Late' }, about);
    expect(await registry.withdraw(team.pat, RELEASE)).toMatchObject({ state: 'withdrawn' });
    expect(await live.kinds()).not.toContain('release');
  });

  test('is withdrawn though the answer was lost, whoever asks next, and answers again the same', async () => {
    const { world, live, team } = await sealed();
    const signed = await team.signed(live, 'pat', WITHDRAWN);
    const { index } = await live.registry.commit(team.member, signed);
    await live.close();
    // Lost between the two writes: the decision is recorded, the draft is still sealed.
    const draft = 'private/drafts/acme/tiny/v1.0/head';
    const dying = await world.open({
      fault: ({ kind, key }) => (kind === 'swap' && key === draft ? 'fail' : undefined),
    });
    await expect(team.open(dying, index, signed)).rejects.toThrow();
    await dying.close();
    const next = await world.open();
    expect(await next.registry.draftStatus(team.pat, RELEASE)).toMatchObject({
      state: 'withdrawn',
    });
    const again = { index, digest: signed.digest, decision: 'withdraw' };
    expect(await team.open(next, index, signed)).toEqual(again);
  });

  test('of which an earlier revision was withdrawn is free of it', async () => {
    const { live, team, digest } = await sealed();
    const early = await team.signed(live, 'pat', WITHDRAWN);
    const { index } = await live.registry.commit(team.member, early);
    await live.upload(team.pat, RELEASE, { 'README.md': 'Another' });
    await live.seal(team.pat, RELEASE, Object.keys(FILES), nonceOf(2));
    expect(await team.needs(live)).toEqual(['unopened', 'approval', 'intent']);
    await team.open(live, index, early);
    expect(await team.needs(live)).toEqual(['approval', 'intent']);
    const status = await live.registry.draftStatus(team.pat, RELEASE);
    expect(status).toMatchObject({ state: 'sealed', former: [digest] });
    await team.decide(live, 'rita', { decision: 'approve' });
    await team.publish(live);
  });
});

describe('a token is enough to withdraw', () => {
  test('what a gated namespace never sealed', async () => {
    const world = await makeWorld();
    const { live, team } = await openGated(world);
    await live.upload(team.pat, RELEASE, { 'a.txt': 'a' });
    const withdrawn = await live.registry.withdraw(team.pat, RELEASE);
    expect(withdrawn).toMatchObject({ state: 'withdrawn' });
    expect(withdrawn).not.toHaveProperty('digest');
  });

  test('what a solo namespace sealed, which keeps its digest', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    const digest = await live.push(PUBLISHER, RELEASE);
    const withdrawn = await live.registry.withdraw(PUBLISHER, RELEASE);
    expect(withdrawn).toMatchObject({ state: 'withdrawn', digest });
  });
});
