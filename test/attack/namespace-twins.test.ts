import { describe, expect, test } from '@jest/globals';
import { formatPolicy, POLICY_PAYLOAD_TYPE } from '../../src/core/release/policy.ts';
import { enrolled } from '../made/enrolment.ts';
import { type LiveRegistry, OPERATOR, PUBLISHER, useWorlds } from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';

const makeWorld = useWorlds();

async function lastEntry(live: LiveRegistry, kind: string) {
  return (await live.entries()).findLast((entry) => entry.kind === kind);
}

describe('namespaces that look like another one', () => {
  test.each(['acrne', 'ac-me', 'ac.me', 'a.c.m.e'])(
    '%s is taken for acme and refused',
    async (twin) => {
      const live = await (await makeWorld()).openWithNamespace();
      await expect(live.createNamespace(twin)).rejects.toThrowWithCode('conflict');
    },
  );

  test('are made with the operator’s override, which the log says', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.createNamespace('acrne', {}, true);
    expect(await lastEntry(live, 'namespace')).toMatchObject({ override: 'skeleton' });
    await expect(live.createNamespace('ac-me')).rejects.toThrowWithCode('conflict');
  });

  test('an override that was not needed is not logged', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.createNamespace('other', {}, true);
    expect(await lastEntry(live, 'namespace')).not.toHaveProperty('override');
  });

  test('of two that are asked for at the same time one is made', async () => {
    const live = await (await makeWorld()).open();
    const outcomes = await Promise.allSettled(
      ['g00gle', 'google', 'goog1e'].map((name) => live.createNamespace(name)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
  });
});

describe('a namespace begins once', () => {
  test('another first policy is refused; the same one is answered with its index', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    expect(await live.createNamespace('acme')).toEqual({ namespace: 'acme', index: 0 });
    const second = live.createNamespace('acme', { formats: { allow: ['pickle'] } });
    await expect(second).rejects.toThrowWithCode('conflict');
    expect((await live.kinds()).filter((kind) => kind === 'namespace')).toHaveLength(1);
  });

  test('two firsts at the same time log one', async () => {
    const live = await (await makeWorld()).open();
    // Even with the override, which is about other names that look alike.
    const outcomes = await Promise.allSettled([
      live.createNamespace('acme', { formats: { allow: ['pickle'] } }, true),
      live.createNamespace('acme', {}, true),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await live.kinds()).filter((kind) => kind === 'namespace')).toHaveLength(1);
  });

  test('nobody but the operator makes one', async () => {
    const world = await makeWorld();
    const live = await world.open();
    const policy = formatPolicy(world.policy('acme'));
    const signed = [world.sign(POLICY_PAYLOAD_TYPE, policy)];
    const request = { policy, signed, override: false };
    const create = live.registry.createNamespace(PUBLISHER, request);
    await expect(create).rejects.toThrowWithCode('not-authorised');
  });

  test('it takes as many of its owners’ signatures as its policy says, each owner counted once', async () => {
    const world = await makeWorld();
    const live = await world.open();
    const second = makeKey();
    const base = world.policy('acme');
    const keys = [enrolled(second, { person: 'second' })];
    const person = { id: 'second', name: 'Second', keys };
    const policy = formatPolicy({
      ...base,
      people: [...base.people, person],
      roles: { owner: ['owner', 'second'] },
      owners: 2,
    });
    const mine = world.sign(POLICY_PAYLOAD_TYPE, policy);
    const create = (signed: Uint8Array[]) =>
      live.registry.createNamespace(OPERATOR, { policy, signed, override: false });
    const again = world.sign(POLICY_PAYLOAD_TYPE, policy);
    for (const signed of [[], [mine], [mine, again]]) {
      await expect(create(signed)).rejects.toThrowWithCode('signature-invalid');
    }
    const stranger = world.sign(POLICY_PAYLOAD_TYPE, policy, makeKey());
    await expect(create([mine, stranger])).rejects.toThrowWithCode('signature-invalid');
    const other = world.sign(POLICY_PAYLOAD_TYPE, formatPolicy(base), second);
    await expect(create([mine, other])).rejects.toThrowWithCode('bad-envelope');
    const theirs = world.sign(POLICY_PAYLOAD_TYPE, policy, second);
    expect(await create([mine, theirs])).toMatchObject({ namespace: 'acme' });
  });
});
