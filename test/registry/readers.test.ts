import { describe, expect, test } from '@jest/globals';
import type { WhoReads } from '../../src/registry/registry.ts';
import { keys } from '../../src/store/keys.ts';
import { ACME, caller, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { openGated } from '../made/team.ts';

const makeWorld = useWorlds();
const DAY = 24 * 3600;
const FOR_READERS = { for: 'readers' } as const;
const CONFIG = 'config.json';
const nobody: WhoReads = async () => undefined;
const reader = async () => caller('acme', 'reader');

async function published(bytes?: typeof FOR_READERS, delay = 0) {
  const world = await makeWorld();
  const changes = { delay, ...(bytes && { bytes }) };
  const it = await openGated(world, {}, changes);
  await it.live.release(it.team.pat, RELEASE);
  const set = (next: typeof FOR_READERS | undefined, version: number) =>
    it.live.registry.setPolicy(
      it.team.member,
      it.team.signPolicy(
        it.team.policy({}, { version, delay, ...(next && { bytes: next }) }),
        'olga',
      ),
    );
  return {
    world,
    ...it,
    set,
    content: (who = nobody) => it.live.registry.content(RELEASE, CONFIG, who),
  };
}

describe('bytes for readers', () => {
  test('are so from the policy’s entry on, also those of earlier releases', async () => {
    const { content, set, live } = await published(undefined, DAY);
    expect(await content()).not.toHaveProperty('forReaders');
    await set(FOR_READERS, 2);
    await expect(content()).rejects.toThrowWithCode('not-authorised');
    expect(await content(reader)).toMatchObject({ forReaders: true });
    expect(await live.registry.restriction(ACME)).toEqual(FOR_READERS);
  });

  test('are everybody’s only after the delay, for that cannot be taken back', async () => {
    const { world, content, set } = await published(FOR_READERS, DAY);
    await set(undefined, 2);
    await expect(content()).rejects.toThrowWithCode('not-authorised');
    world.pass(DAY * 1000 - 1_000);
    await expect(content()).rejects.toThrowWithCode('not-authorised');
    world.pass(2_000);
    expect(await content()).not.toHaveProperty('forReaders');
  });

  test('are given to nobody while it cannot be told whose they are', async () => {
    const { world, content, live } = await published(FOR_READERS);
    await content(reader);
    await world.disk.open().delete(keys.namespace(ACME));
    await expect(content(reader)).rejects.toThrowWithCode('storage');
    await expect(live.registry.restriction(ACME)).rejects.toThrowWithCode('storage');
  });

  test('are shown to the registry itself, which says what is in them', async () => {
    const { live } = await published(FOR_READERS);
    expect((await live.registry.contentToDescribe(RELEASE, CONFIG)).path).toBe(CONFIG);
    expect(await live.registry.artifacts(RELEASE)).toBeDefined();
  });

  test('ask nobody who they are for what is everybody’s', async () => {
    const { live } = await published();
    const asked = async () => {
      throw new Error('nobody asks');
    };
    await expect(live.registry.content(RELEASE, CONFIG, asked)).resolves.toBeDefined();
    const { live: closed } = await published(FOR_READERS);
    await expect(closed.registry.content(RELEASE, 'README.md', asked)).resolves.toBeDefined();
    await expect(closed.registry.content(RELEASE, CONFIG, asked)).rejects.toThrow('nobody asks');
  });
});

test('the publisher of the namespace reads as they did', async () => {
  const { content } = await published(FOR_READERS);
  expect(await content(async () => PUBLISHER)).toMatchObject({ forReaders: true });
});
