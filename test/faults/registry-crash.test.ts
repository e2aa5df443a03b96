/**
 * The registry is killed at every write of a push, a seal and a publish, and its store fails
 * or loses its answer at every one of them. The invariant (SECURITY.md): every acknowledged
 * publish is present, included and consistent; nothing unacknowledged is half visible;
 * nothing unpublished is readable; and the same commands again finish the work.
 */
import { describe, expect, jest, test } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { verifyRelease } from '../../src/core/verify/release.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { PublishResult } from '../../src/registry/registry.ts';
import { forFaults, forWrites, openDying } from '../made/dying.ts';
import {
  FILES,
  type LiveRegistry,
  PUBLISHER,
  RELEASE,
  useWorlds,
  type World,
} from '../made/live-registry.ts';
import type { Fault } from '../made/memory-store.ts';

const makeWorld = useWorlds();
jest.setTimeout(120_000);

/** How often a client asks again. */
const TRIES = 6;

describe('a registry that is killed before its k-th write', () => {
  test('keeps the invariant for every k, and the next start finishes what was begun', async () => {
    const origin = await withNamespace();
    await forWrites(async (k) => {
      const world = origin.fork();
      const dying = await openDying(world, k);
      const acknowledged = await dying.attempt((live) => live.release(PUBLISHER, RELEASE));
      const killed = await dying.isKilled();
      await expectInvariant(world, acknowledged);
      await world.close();
      return killed;
    });
  });

  test('keeps it when two processes publish and one of them is killed', async () => {
    const origin = await sealed();
    await forWrites(async (k) => {
      const world = origin.fork();
      const dying = await openDying(world, k);
      const other = await world.open();
      const { digest } = await other.registry.draftStatus(PUBLISHER, RELEASE);
      const publish = (live: LiveRegistry) => live.registry.publish(PUBLISHER, RELEASE, digest);
      const [theirs, acknowledged] = await Promise.all([dying.attempt(publish), publish(other)]);
      if (theirs !== undefined) expect(theirs).toMatchObject({ index: acknowledged.index });
      const killed = await dying.isKilled();
      await expectInvariant(world, acknowledged);
      await world.close();
      return killed;
    });
  });
});

describe.each<Fault>(['fail', 'lose', 'full'])(
  'a store that answers its k-th write with "%s"',
  (fault) => {
    test('costs the client a repetition and nothing else, for every k', async () => {
      const origin = await withNamespace();
      await forFaults(fault, async (faulty) => {
        const world = origin.fork();
        const live = await world.open(faulty);
        const acknowledged = await persistently(live);
        await live.close();
        await expectInvariant(world, acknowledged);
        await world.close();
      });
    });
  },
);

async function withNamespace(): Promise<World> {
  const world = await makeWorld();
  await (await world.openWithNamespace()).close();
  return world;
}

async function sealed(): Promise<World> {
  const world = await withNamespace();
  const live = await world.open();
  await live.push(PUBLISHER, RELEASE);
  await live.close();
  return world;
}

/** What a client does that was told of a failure of the store: the same command again. */
async function persistently(live: LiveRegistry): Promise<PublishResult> {
  const digest = await repeatedly(() => pushed(live));
  return repeatedly(() => live.registry.publish(PUBLISHER, RELEASE, digest));
}

/** Pushes, unless an earlier command came further than that. */
async function pushed(live: LiveRegistry): Promise<Digest> {
  const status = await live.registry.draftStatus(PUBLISHER, RELEASE).catch(() => undefined);
  const isDone = status?.state === 'publishing' || status?.state === 'published';
  return isDone ? status.digest! : live.push(PUBLISHER, RELEASE);
}

async function repeatedly<T>(command: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await command();
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function expectInvariant(
  world: World,
  acknowledged: PublishResult | undefined,
): Promise<void> {
  const live = await world.open();
  await live.registry.recover();
  await expectAllOrNothing(world, live);
  if (acknowledged !== undefined) {
    const { digest, index } = acknowledged;
    expect(await live.registry.release(RELEASE)).toMatchObject({ digest, index });
  }
  const finished = await persistently(live);
  if (acknowledged !== undefined) expect(finished).toMatchObject({ index: acknowledged.index });
  await expectAllOrNothing(world, live);
  expect(await live.registry.release(RELEASE)).toBeDefined();
  const content = await live.registry.content(RELEASE, 'README.md');
  expect(content.size).toBe(FILES['README.md']!.length);
}

/** One pair of leaves and all documents, or no leaf and no document. */
async function expectAllOrNothing(world: World, live: LiveRegistry): Promise<void> {
  const { registry } = live;
  const entries = await live.entries();
  const releases = entries.flatMap(({ kind }, index) => (kind === 'release' ? [index] : []));
  const records = entries.flatMap(({ kind }, index) =>
    kind === 'hashedrekord' ? [index - 1] : [],
  );
  expect(records).toEqual(releases);
  expect(releases.length).toBeLessThan(2);
  if (releases.length === 0) {
    expect(await registry.release(RELEASE)).toBeUndefined();
    await expect(registry.document(RELEASE, 'model.sig')).rejects.toThrowWithCode('not-found');
    return;
  }
  const verdict = await verifyRelease(nodeHost, world.root, RELEASE, {
    manifest: await registry.document(RELEASE, 'manifest.json'),
    modelSig: await registry.document(RELEASE, 'model.sig'),
    releaseDsse: await registry.document(RELEASE, 'release.dsse'),
    entry: await registry.document(RELEASE, 'entry'),
    releaseProof: await registry.document(RELEASE, 'release.tlog-proof'),
    recordProof: await registry.document(RELEASE, 'model-sig.tlog-proof'),
  });
  expect(verdict).toMatchObject({ ok: true, index: releases[0] });
}
