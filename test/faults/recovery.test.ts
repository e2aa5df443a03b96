/** A start meets publishes and seals that were left in the middle; some cannot be finished now, or never. */
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReleaseName, type ReleaseName } from '../../src/core/release/name.ts';
import { nonceOf, PUBLISHER, RELEASE, useWorlds, type World } from '../made/live-registry.ts';
import type { Operation } from '../made/memory-store.ts';
import { openGated } from '../made/team.ts';

const makeWorld = useWorlds();
const SECOND = parseReleaseName('acme/tiny@v2');
const HEAD = 'private/drafts/acme/tiny/v1.0/head';

/** A world in which processes were killed after the intents of these publishes were saved. */
async function leftInTheMiddle(...releases: readonly ReleaseName[]): Promise<World> {
  const world = await makeWorld();
  await (await world.openWithNamespace()).close();
  for (const [n, release] of releases.entries()) {
    const died = Promise.withResolvers<void>();
    const fault = ({ kind, key }: Operation) => {
      if (kind !== 'create' || !key.startsWith('private/staging')) return undefined;
      died.resolve();
      return 'die-before' as const;
    };
    const live = await world.open({ fault });
    const digest = await live.push(PUBLISHER, release, { 'a.txt': `${n}` }, nonceOf(n));
    void live.registry.publish(PUBLISHER, release, digest);
    await died.promise;
    world.bury(live);
  }
  return world;
}

function markersIn({ disk }: World): string[] {
  return [...disk.objects.keys()].filter((key) => key.startsWith('private/intents/'));
}

/** A process that has recovered; what it could not finish. */
async function start(world: World) {
  const left: string[] = [];
  const live = await world.open({}, { onUnfinished: (marker) => left.push(marker) });
  await live.registry.recover();
  return { live, left };
}

describe('a start', () => {
  test('is not kept from finishing one publish by the rotten draft of another', async () => {
    const world = await leftInTheMiddle(RELEASE, SECOND);
    const good = world.disk.bytes(HEAD);
    world.disk.plant(HEAD, utf8('rot'));
    const { live, left } = await start(world);
    expect(left).toEqual([expect.stringContaining('private/intents/acme/tiny/v1.0/')]);
    expect(await live.registry.release(SECOND)).toBeDefined();
    await live.close();

    world.disk.plant(HEAD, good);
    const healed = await start(world);
    expect(healed.left).toEqual([]);
    expect(await healed.live.registry.release(RELEASE)).toBeDefined();
    await healed.live.close();
    expect(markersIn(world)).toEqual([]);
  });

  test('survives a marker that makes no sense', async () => {
    const world = await leftInTheMiddle(RELEASE);
    world.disk.plant('private/intents/acme/tiny/v0/1', utf8('rot'));
    const { live, left } = await start(world);
    expect(left).toEqual(['private/intents/acme/tiny/v0/1']);
    expect(await live.registry.release(RELEASE)).toBeDefined();
  });

  test('survives a clock that is behind the last commit, and leaves the publish for later', async () => {
    const world = await leftInTheMiddle(RELEASE);
    world.pass(-1_000_000);
    const { live, left } = await start(world);
    expect(left).toHaveLength(1);
    world.pass(1_000_000);
    await live.registry.recover();
    expect(await live.registry.release(RELEASE)).toBeDefined();
  });
});

describe('the marker of a publish', () => {
  test('goes when the publish is given up', async () => {
    const world = await leftInTheMiddle(RELEASE);
    // As if another policy had been logged meanwhile.
    const record = JSON.parse(new TextDecoder().decode(world.disk.bytes('namespaces/acme')));
    record.head.policy = record.policies[0].index = 1;
    world.disk.plant('namespaces/acme', utf8(JSON.stringify(record)));
    const { live, left } = await start(world);
    expect(left).toEqual([]);
    expect(await live.registry.draftStatus(PUBLISHER, RELEASE)).toMatchObject({ state: 'sealed' });
    await live.close();
    expect(markersIn(world)).toEqual([]);
  });

  test.each(['withdrawn', 'reopened'])(
    'goes at the next start when its draft was %s',
    async (how) => {
      const world = await makeWorld();
      const live = await world.openWithNamespace();
      await live.push(PUBLISHER, RELEASE);
      // As if the process had been killed between marker and intent.
      const { generation } = JSON.parse(new TextDecoder().decode(world.disk.bytes(HEAD)));
      const key = `private/intents/acme/tiny/v1.0/${generation}`;
      const marker = { generation, release: 'acme/tiny@v1.0', v: 1 };
      world.disk.plant(key, utf8(JSON.stringify(marker)));
      await (await start(world)).live.close();
      expect(markersIn(world)).toEqual([key]);

      if (how === 'withdrawn') await live.registry.withdraw(PUBLISHER, RELEASE);
      else await live.uploadFile(PUBLISHER, RELEASE, 'more.txt', 'more');
      await (await start(world)).live.close();
      expect(markersIn(world)).toEqual([]);
    },
  );
});

describe('the seal of a gated draft', () => {
  /** A world in which a process was killed before it wrote there, after the draft was sealed. */
  async function sealedUntil(prefix: string) {
    const world = await makeWorld();
    const { live: first, team } = await openGated(world);
    await first.close();
    const died = Promise.withResolvers<void>();
    const fault = ({ kind, key }: Operation) => {
      if ((kind !== 'create' && kind !== 'swap') || !key.startsWith(prefix)) return undefined;
      died.resolve();
      return 'die-before' as const;
    };
    const live = await world.open({ fault });
    void live.push(team.pat, RELEASE);
    await died.promise;
    world.bury(live);
    return { world, team };
  }

  const unlogged = ({ disk }: World) =>
    [...disk.objects.keys()].filter((key) => key.startsWith('private/unlogged/'));
  const sealsIn = (kinds: readonly string[]) =>
    kinds.filter((kind) => kind === 'commitment').length;

  test.each(['private/roots', 'private/decisions', 'private/staging', 'private/lock'])(
    'is logged by the next start, with nobody asking, after a kill before %s',
    async (prefix) => {
      const { world, team } = await sealedUntil(prefix);
      expect(JSON.parse(new TextDecoder().decode(world.disk.bytes(HEAD))).state).toBe('sealed');
      const { live, left } = await start(world);
      expect(left).toEqual([]);
      expect(sealsIn(await live.kinds())).toBe(1);
      await live.close();
      expect(unlogged(world)).toEqual([]);

      const next = await start(world);
      expect(await team.needs(next.live)).toEqual(['approval', 'intent']);
      expect(sealsIn(await next.live.kinds())).toBe(1);
    },
  );

  test('that never came to be is not logged', async () => {
    const world = await makeWorld();
    const { live, team } = await openGated(world);
    // As if it had been killed between marker and seal.
    await live.upload(team.pat, RELEASE, { 'a.txt': 'a' });
    const key = 'private/unlogged/acme/tiny/v1.0/1';
    const marker = { release: 'acme/tiny@v1.0', revision: 1, v: 1 };
    world.disk.plant(key, utf8(JSON.stringify(marker)));
    await live.registry.recover();
    expect(unlogged(world)).toEqual([key]);
    expect(sealsIn(await live.kinds())).toBe(0);

    await live.registry.withdraw(team.pat, RELEASE);
    await live.registry.recover();
    expect(unlogged(world)).toEqual([]);
    expect(sealsIn(await live.kinds())).toBe(0);
  });

  test('that the log does not take now is told, and stays for later', async () => {
    const { world } = await sealedUntil('private/staging');
    world.pass(-1_000_000);
    const { live, left } = await start(world);
    expect(left).toEqual(unlogged(world));
    expect(left).toHaveLength(1);
    world.pass(1_000_000);
    await live.registry.recover();
    expect(sealsIn(await live.kinds())).toBe(1);
  });
});

test('a draft of the solo policy leaves no word of a seal', async () => {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  const writes: string[] = [];
  await live.close();
  const watched = await world.open({
    fault: ({ kind, key }) => {
      if (kind === 'create') writes.push(key);
      return undefined;
    },
  });
  await watched.push(PUBLISHER, RELEASE);
  expect(writes.filter((key) => key.startsWith('private/unlogged/'))).toEqual([]);
});
