import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { openEnvelope, parseEnvelope } from '../../src/core/statement/dsse.ts';
import { verifyFreshness } from '../../src/core/verify/freshness.ts';
import { verifyRelease } from '../../src/core/verify/release.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import {
  ACME,
  caller,
  type LiveRegistry,
  PUBLISHER,
  RELEASE,
  useWorlds,
  type World,
} from '../made/live-registry.ts';
import type { Operation } from '../made/memory-store.ts';
import { type MadeKey, makeKey } from '../made/p256.ts';

const makeWorld = useWorlds();
const HEAD = 'private/drafts/acme/tiny/v1.0/head';

/** Resolves once the draft says that it is being published. */
async function intentSaved(world: World): Promise<void> {
  const head = () => parseUtf8(world.disk.bytes(HEAD));
  while (!head().includes('"publishing"')) {
    if (head().includes('"published"')) throw new Error('the publish was not slow enough');
    await setImmediate();
  }
}

/** A process whose guards take their time, so that a test can come between intent and commit. */
async function openSlow(world: World): Promise<LiveRegistry> {
  await (await world.openWithNamespace()).close();
  const isGuard = ({ kind, key }: Operation) => kind === 'get' && key.startsWith('releases/');
  return world.open({ turns: (operation) => (isGuard(operation) ? 300 : 0) });
}

describe('publishing', () => {
  test('logs the release entry and its hashedrekord side by side, and the heads after them', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    const result = await live.release(PUBLISHER, RELEASE);
    expect(await live.kinds()).toEqual(['namespace', 'heads', 'release', 'hashedrekord', 'heads']);
    expect(result).toMatchObject({ index: 2, size: 5, published: true });
  });

  test('makes documents that a client’s verification accepts', async () => {
    const world = await makeWorld();
    const { registry, ...live } = await published(world);
    const verdict = await verifyRelease(nodeHost, world.root, RELEASE, {
      manifest: await registry.document(RELEASE, 'manifest.json'),
      modelSig: await registry.document(RELEASE, 'model.sig'),
      releaseDsse: await registry.document(RELEASE, 'release.dsse'),
      entry: await registry.document(RELEASE, 'entry'),
      releaseProof: await registry.document(RELEASE, 'release.tlog-proof'),
      recordProof: await registry.document(RELEASE, 'model-sig.tlog-proof'),
    });
    expect(verdict).toMatchObject({ ok: true, digest: live.digest, index: 2 });

    const freshness = await registry.freshness(ACME);
    const documents = { ...freshness, proof: utf8(freshness.proof), advisories: [] };
    const fresh = verifyFreshness(nodeHost, world.root, ACME, documents, world.clock());
    expect(fresh).toMatchObject({ ok: true, head: { releases: { tiny: 2 } } });
  });

  test('shows as published only what the published checkpoint covers', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    const live = await world.open({}, { cosign: async () => undefined, patience: 0 });
    const result = await live.release(PUBLISHER, RELEASE);
    expect(result).toMatchObject({ index: 2, published: false });
    expect(await live.registry.draftStatus(PUBLISHER, RELEASE)).toMatchObject({
      state: 'published',
      index: 2,
    });
    expect(await live.registry.release(RELEASE)).toBeUndefined();
  });

  test('needs a sealed draft, and says so as the gate does', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.upload(PUBLISHER, RELEASE, { 'a.txt': 'a' });
    const { registry } = live;
    const { missing } = await registry.draftStatus(PUBLISHER, RELEASE);
    expect(missing).toMatchObject([{ need: 'seal' }]);
    await expect(registry.publish(PUBLISHER, RELEASE, undefined)).rejects.toThrowWithCode(
      'gate-unmet',
    );
  });

  test('is refused to those whose role does not publish', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const digest = await live.push(PUBLISHER, RELEASE);
    for (const role of ['reader', 'reviewer', 'evaluator', 'operator'] as const) {
      const publish = live.registry.publish(caller('acme', role), RELEASE, digest);
      await expect(publish).rejects.toThrowWithCode('not-authorised');
    }
    const status = await live.registry.draftStatus(caller('acme', 'reviewer'), RELEASE);
    expect(status.missing).toMatchObject([{ need: 'role' }]);
  });
});

describe('between intent and commit', () => {
  test('a policy that changed is met again, and the draft is sealed as before', async () => {
    const world = await makeWorld();
    const live = await openSlow(world);
    const digest = await live.push(PUBLISHER, RELEASE);
    const publish = live.registry.publish(PUBLISHER, RELEASE, digest);
    publish.catch(() => {});
    await intentSaved(world);

    const record = parseUtf8(world.disk.bytes('namespaces/acme'));
    world.disk.plant(
      'namespaces/acme',
      utf8(record.replace('"index":0,"signed"', '"index":1,"signed"')),
    );
    await expect(publish).rejects.toThrowWithCode('conflict');
    const status = await live.registry.draftStatus(PUBLISHER, RELEASE);
    expect(status).toMatchObject({ state: 'sealed', digest });
    expect(await live.kinds()).not.toContain('release');
  });

  test('an intent that another process gave up is not logged', async () => {
    const world = await makeWorld();
    const live = await openSlow(world);
    const digest = await live.push(PUBLISHER, RELEASE);
    const sealed = world.disk.bytes(HEAD);
    const publish = live.registry.publish(PUBLISHER, RELEASE, digest);
    publish.catch(() => {});
    await intentSaved(world);
    world.disk.plant(HEAD, sealed);
    await expect(publish).rejects.toThrowWithCode('conflict');
    expect(await live.kinds()).not.toContain('release');
  });

  test('the draft can be neither withdrawn nor changed', async () => {
    const world = await makeWorld();
    const live = await openSlow(world);
    const { registry } = live;
    const digest = await live.push(PUBLISHER, RELEASE);
    const publish = registry.publish(PUBLISHER, RELEASE, digest);
    await intentSaved(world);
    await expect(registry.withdraw(PUBLISHER, RELEASE)).rejects.toThrowWithCode('conflict');
    const change = live.uploadFile(PUBLISHER, RELEASE, 'more.txt', 'more');
    await expect(change).rejects.toThrowWithCode('conflict');
    await expect(registry.openDraft(PUBLISHER, RELEASE)).rejects.toThrowWithCode('conflict');
    expect(await publish).toMatchObject({ digest, index: 2 });
  });

  test('a process that ends leaves an intent that the next start carries out', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    const live = await world.open({
      fault: ({ kind, key }) =>
        kind === 'create' && key.startsWith('private/staging') ? 'die-before' : undefined,
    });
    const digest = await live.push(PUBLISHER, RELEASE);
    void live.registry.publish(PUBLISHER, RELEASE, digest);
    await intentSaved(world);
    world.bury(live);

    const next = await world.open();
    await next.registry.recover();
    expect(await next.registry.release(RELEASE)).toMatchObject({ digest, index: 2 });
    expect(await next.registry.publish(PUBLISHER, RELEASE, digest)).toMatchObject({ index: 2 });
    await next.registry.recover();
    await next.close();
    expect([...world.disk.objects.keys()].filter((key) => key.includes('intents'))).toEqual([]);
  });
});

async function published(world: World) {
  const live = await world.openWithNamespace();
  const { digest } = await live.release(PUBLISHER, RELEASE);
  return { registry: live.registry, digest };
}

describe('a release key that ends', () => {
  const young = makeKey();
  const signer = ({ spki, sign }: MadeKey) => ({
    spki,
    sign: async (bytes: Uint8Array) => sign(bytes),
  });
  /** Keys that change when `rotate` is called and the registry looks. */
  function rotating(world: World) {
    let [rotated, seen] = [false, false];
    world.keys = {
      logKeyAt: () => world.logKey,
      releaseKeyAt: () => signer(seen ? young : world.releaseKey),
      releaseKeys: () => [world.releaseKey.spki, young.spki],
      renew: async () => {
        seen = rotated;
      },
    };
    return {
      rotate: () => {
        rotated = true;
      },
    };
  }
  const signedBy = async (live: LiveRegistry, key: MadeKey) => {
    const envelope = parseEnvelope(await live.registry.document(RELEASE, 'release.dsse'));
    return (await openEnvelope(nodeHost, envelope, key.spki)).ok;
  };

  test('between intent and commit is put aside: the one after it signs anew', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    const { rotate } = rotating(world);
    await live.close();
    const second = await world.open();
    const digest = await second.push(PUBLISHER, RELEASE);
    rotate();
    const result = await second.registry.publish(PUBLISHER, RELEASE, digest);
    expect(result).toMatchObject({ published: true, digest });
    expect(await signedBy(second, young)).toBe(true);
    expect(await signedBy(second, world.releaseKey)).toBe(false);
    expect(await second.kinds()).toEqual([
      ...['namespace', 'heads', 'release', 'hashedrekord', 'heads'],
    ]);
  });

  test('leaves no intent behind that a later start could log', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    rotating(world);
    const dying = await world.open();
    const digest = await dying.push(PUBLISHER, RELEASE);
    // Its guard never ends: the process dies between intent and commit.
    Object.assign(world.keys!, { renew: () => new Promise(() => {}) });
    void dying.registry.publish(PUBLISHER, RELEASE, digest).catch(() => {});
    await intentSaved(world);
    world.bury(dying);

    rotating(world).rotate();
    const next = await world.open();
    await next.registry.recover();
    const status = await next.registry.draftStatus(PUBLISHER, RELEASE);
    expect(status).toMatchObject({ state: 'sealed', digest });
    expect(await next.kinds()).toEqual(['namespace', 'heads']);
    await next.registry.publish(PUBLISHER, RELEASE, digest);
    expect(await signedBy(next, young)).toBe(true);
  });

  test('countersigns no namespace', async () => {
    const world = await makeWorld();
    const { rotate } = rotating(world);
    const live = await world.open();
    rotate();
    await live.createNamespace('acme');
    const { signed } = await live.registry.policy(ACME);
    const ours = parseEnvelope(signed.at(-1)!);
    expect((await openEnvelope(nodeHost, ours, young.spki)).ok).toBe(true);
  });
});
