/** A decision by somebody who saw another log is refused: whoever was shown one has to learn of it. */
import { describe, expect, test } from '@jest/globals';
import { formatDigest } from '../../src/core/digest.ts';
import { RELEASE, useWorlds } from '../made/live-registry.ts';
import { openSealed, type Team } from '../made/team.ts';

const makeWorld = useWorlds();

const sealed = async () => openSealed(await makeWorld());

type Live = Awaited<ReturnType<typeof sealed>>['live'];

/** As somebody sees the log now. */
async function seen({ reader }: Live) {
  const { size, root } = await reader.published();
  return { checkpoint: { size, root: formatDigest(root) } };
}

async function approve(live: Live, team: Team, context: object) {
  const signed = await team.signed(live, 'rita', { decision: 'approve' }, { context });
  const { index } = await live.registry.commit(team.member, signed);
  return { signed, index, opening: team.open(live, index, signed) };
}

describe('a decision', () => {
  test('by somebody who saw this log, now or long ago, is recorded', async () => {
    const { live, team } = await sealed();
    const { checkpoint } = await seen(live);
    await (await approve(live, team, { checkpoint })).opening;
    for (let size = 0; size < checkpoint.size; size++) {
      const root = formatDigest((await live.reader.rootAt(size))!);
      await (await approve(live, team, { checkpoint: { size, root } })).opening;
    }
    await team.publish(live);
  });

  test('by somebody who was shown a fork of it is refused, and blocks like any unopened one', async () => {
    const { world, live, team } = await sealed();
    // Two futures of one log: the same size, other entries.
    const fork = world.fork();
    const other = await fork.open();
    const commitment = { label: '11'.repeat(32), commit: '22'.repeat(32) };
    await other.registry.commit(team.member, commitment);
    await live.registry.commit(team.member, { ...commitment, commit: '33'.repeat(32) });
    const context = await seen(other);
    expect(context.checkpoint.size).toBe((await seen(live)).checkpoint.size);
    await fork.close();
    const { index, signed, opening } = await approve(live, team, context);
    await expect(opening).rejects.toThrowWithCode('fork');
    await expect(team.open(live, index, signed)).rejects.toMatchObject({
      details: { signer: 'rita', ...context, expected: (await seenAt(live, context)).root },
    });
    expect(await team.needs(live)).toEqual(['unopened', 'approval', 'intent']);
  });

  test('by somebody who saw more than there was is refused', async () => {
    const { live, team } = await sealed();
    const { checkpoint } = await seen(live);
    for (const more of [1, 2, 1000]) {
      const future = { ...checkpoint, size: checkpoint.size + more * 10 };
      const { opening } = await approve(live, team, { checkpoint: future });
      await expect(opening).rejects.toThrowWithCode('untrusted');
    }
  });
});

describe('an intent to publish', () => {
  test('by somebody who saw another log, or of another chain, is refused', async () => {
    const { live, team, digest } = await sealed();
    await team.decide(live, 'rita', { decision: 'approve' });
    await team.decide(live, 'max', { decision: 'approve' });
    const { checkpoint } = await seen(live);
    const publish = async (context: object) => {
      const { envelope } = await team.signed(live, 'max', { decision: 'publish' }, { context });
      return live.registry.publish(team.pat, RELEASE, digest, envelope);
    };
    const root = digest;
    const forked = publish({ checkpoint: { ...checkpoint, root } });
    await expect(forked).rejects.toThrowWithCode('fork');
    const future = publish({ checkpoint: { ...checkpoint, size: checkpoint.size + 100 } });
    await expect(future).rejects.toThrowWithCode('untrusted');
    await expect(publish({ previous: digest })).rejects.toThrowWithCode('conflict');
    expect(await live.kinds()).not.toContain('release');
    await publish({ checkpoint });
  });
});

async function seenAt({ reader }: Live, { checkpoint }: { checkpoint: { size: number } }) {
  return { root: formatDigest((await reader.rootAt(checkpoint.size))!) };
}
