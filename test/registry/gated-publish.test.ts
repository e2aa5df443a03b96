/** What comes between the intent of a gated publish and its commit. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { parseUtf8 } from '../../src/core/bytes.ts';
import { type LiveRegistry, RELEASE, useWorlds, type World } from '../made/live-registry.ts';
import type { Operation } from '../made/memory-store.ts';
import { openGated, type Team } from '../made/team.ts';

const makeWorld = useWorlds();
const HEAD = 'private/drafts/acme/tiny/v1.0/head';
const MINUTE = 60_000;

/** Approved and sealed, in a world without a process. */
async function approved() {
  const world = await makeWorld();
  const { live, team } = await openGated(world, undefined, { delay: 24 * 3600 });
  await live.push(team.pat, RELEASE);
  await team.decide(live, 'rita', { decision: 'approve' });
  await live.close();
  return { world, team };
}

/** A process whose guards take their time, so that a test can come between intent and commit. */
async function openSlow(world: World): Promise<LiveRegistry> {
  let guards = 0;
  // The first one alone: what is tried again is not waited for again.
  const isGuard = ({ kind, key }: Operation) =>
    kind === 'get' && key.startsWith('releases/') && guards++ === 0;
  return world.open({ turns: (operation) => (isGuard(operation) ? 800 : 0) });
}

async function intentSaved(world: World): Promise<void> {
  const head = () => parseUtf8(world.disk.bytes(HEAD));
  while (!head().includes('"publishing"')) {
    if (head().includes('"published"')) throw new Error('the publish was not slow enough');
    await setImmediate();
  }
}

const decisionsOf = async (live: LiveRegistry) => {
  const { decisions } = JSON.parse(
    parseUtf8(await live.registry.document(RELEASE, 'decisions.json')),
  );
  return decisions.map(({ index }: { index: number }) => index);
};

describe('between intent and commit', () => {
  test('a decision that stops nothing is brought before the gate and revealed with the others', async () => {
    const { world, team } = await approved();
    const [live, other] = [await openSlow(world), await world.open()];
    const publish = team.publish(live);
    publish.catch(() => {});
    await intentSaved(world);
    const { index } = await team.decide(other, 'rob', { decision: 'approve' });
    expect((await publish).index).toBeGreaterThan(index);
    expect(await decisionsOf(live)).toContain(index);
  });

  test('a commitment that nobody has opened yet stops it', async () => {
    const { world, team } = await approved();
    const [live, other] = [await openSlow(world), await world.open()];
    const publish = team.publish(live);
    publish.catch(() => {});
    await intentSaved(world);
    const hold = await team.signed(other, 'rob', { decision: 'hold', reason: 'Wait' });
    const { index } = await other.registry.commit(team.member, hold);
    await expect(publish).rejects.toThrowWithCode('gate-unmet');
    await team.open(other, index, hold);
    expect(await team.needs(other)).toEqual(['hold', 'intent']);
    expect(await other.kinds()).not.toContain('release');
  });

  test('a key that is revoked signs no intent any more', async () => {
    const { world, team } = await approved();
    const [live, other] = [await openSlow(world), await world.open()];
    const publish = team.publish(live);
    publish.catch(() => {});
    await intentSaved(world);
    await other.registry.setPolicy(team.member, team.signPolicy(revoking(team), 'olga'));
    await expect(publish).rejects.toThrowWithCode('signature-invalid');
    expect(await other.kinds()).not.toContain('release');
    expect(await team.needs(other)).toEqual(['intent']);
  });

  function revoking(team: Team) {
    const gate = { approvals: [{ role: 'reviewer' as const, count: 1 }] };
    const policy = team.policy(gate, { version: 2, delay: 24 * 3600 });
    const people = policy.people.map((person) =>
      person.id === 'max'
        ? { ...person, keys: person.keys.map((key) => ({ ...key, revoked: true as const })) }
        : person,
    );
    return { ...policy, people };
  }
});

describe('an intent that a killed process left', () => {
  /** A world in which a process was killed before the commit of its publish. */
  async function leftBehind() {
    const { world, team } = await approved();
    let isDead = false;
    const dying = await world.open({
      fault: ({ kind, key }) => {
        isDead ||= kind === 'create' && key.startsWith('private/staging');
        return isDead ? 'die-before' : undefined;
      },
    });
    void team.publish(dying).catch(() => {});
    await intentSaved(world);
    while (!isDead) await setImmediate();
    world.bury(dying);
    return { world, team };
  }

  test('is carried out by the next start', async () => {
    const { world } = await leftBehind();
    const live = await world.open();
    await live.registry.recover();
    expect(await live.kinds()).toContain('release');
  });

  test('is given up when it is old, and signed anew by whoever asks again', async () => {
    const { world, team } = await leftBehind();
    world.pass(6 * MINUTE);
    const live = await world.open();
    await live.registry.recover();
    expect(await live.kinds()).not.toContain('release');
    expect(await team.needs(live)).toEqual(['intent']);
    await team.publish(live);
  });

  test('is given up by a publish that comes before the next start, too', async () => {
    const { world, team } = await leftBehind();
    world.pass(6 * MINUTE);
    const live = await world.open();
    const { index } = await team.publish(live);
    expect((await live.entries())[index]).toMatchObject({ kind: 'release' });
  });

  test('meets a hold that was logged since', async () => {
    const { world, team } = await leftBehind();
    const live = await world.open();
    await team.decide(live, 'rob', { decision: 'hold', reason: 'Wait' });
    await live.registry.recover();
    expect(await live.kinds()).not.toContain('release');
    expect(await team.needs(live)).toEqual(['hold', 'intent']);
  });
});

describe('the registry’s seal', () => {
  test('that a crash left unlogged is logged by the next who asks for the status', async () => {
    const world = await makeWorld();
    const { live, team } = await openGated(world);
    await live.upload(team.pat, RELEASE, { 'README.md': 'x' });
    await live.close();
    let isDead = false;
    const dying = await world.open({
      fault: ({ kind, key }) => {
        isDead ||= kind === 'create' && key.startsWith('private/staging');
        return isDead ? 'die-before' : undefined;
      },
    });
    void live.seal.call(dying, team.pat, RELEASE, ['README.md']).catch(() => {});
    while (!isDead) await setImmediate();
    world.bury(dying);
    const next = await world.open();
    expect(await team.needs(next)).toEqual(['approval', 'intent']);
    const { decisions } = await next.registry.decisions(team.member, RELEASE);
    expect(decisions).toMatchObject([{ decision: 'seal', detail: 'pushed by pat' }]);
  });
});
