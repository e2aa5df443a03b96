import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import { inParallel } from '../../src/core/parallel.ts';
import { parseReleaseName, type ReleaseName } from '../../src/core/release/name.ts';
import { Chores } from '../../src/registry/chores.ts';
import { countNamespace } from '../../src/registry/quota-count.ts';
import { STALE_MS } from '../../src/registry/quota-repair.ts';
import {
  type Limits,
  Quotas,
  recountQuota,
  setQuota,
  type Usage,
} from '../../src/registry/quotas.ts';
import type { DeclaredFile } from '../../src/registry/registry.ts';
import { forFaults, forWrites, openDying } from '../made/dying.ts';
import {
  ACME,
  declared,
  type LiveRegistry,
  PUBLISHER,
  RELEASE,
  useWorlds,
  type World,
} from '../made/live-registry.ts';
import type { Fault } from '../made/memory-store.ts';

const makeWorld = useWorlds();
const NEXT = parseReleaseName('acme/tiny@v2');

/** A file that is never sent: what counts is what was declared. */
function sized(path: string, size: number): DeclaredFile {
  const file = declared(path, 'x');
  return { ...file, size };
}

async function limited(limits: Limits): Promise<LiveRegistry> {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  await setQuota(world.disk.open(), ACME, limits, world.clock());
  await live.registry.openDraft(PUBLISHER, RELEASE);
  return live;
}

function declare(live: LiveRegistry, path: string, size: number, release: ReleaseName = RELEASE) {
  return live.registry.declareFile(PUBLISHER, release, sized(path, size));
}

/** What is used once nothing is set aside any more, counted twice: as noted, and from the drafts. */
async function usedIn(world: World): Promise<Usage['used']> {
  const live = await world.open();
  const { used, setAside } = (await live.registry.usage(PUBLISHER, ACME))!;
  expect(setAside).toEqual({ files: 0, bytes: 0 });
  expect(used).toEqual(await countedIn(world));
  return used;
}

async function countedIn(world: World): Promise<Usage['used']> {
  const { settled, drafts } = await countNamespace(world.disk.open(), ACME);
  const all = [settled, ...Object.values(drafts)];
  return {
    files: all.reduce((sum, { files }) => sum + files, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

describe('a namespace with a quota of bytes', () => {
  test('takes files up to the last byte, and refuses one more, whatever of them has been sent', async () => {
    const live = await limited({ bytes: 1_000 });
    await declare(live, 'a.bin', 400);
    await declare(live, 'b.bin', 600);
    const refused = await declare(live, 'c.bin', 1).catch((error) => error);
    expect(refused).toMatchObject({
      code: 'quota-exceeded',
      details: { namespace: 'acme', what: 'bytes', used: 1_000, asked: 1, limit: 1_000 },
    });
    expect(refused.message).toContain('uses 1000 of 1000 bytes');
    await live.close();
    expect(await usedIn(live.world)).toEqual({ files: 2, bytes: 1_000 });
  });

  test('counts a file once that is declared again, and the newer one of two at one path', async () => {
    const live = await limited({ bytes: 1_000 });
    for (let again = 0; again < 3; again++) await declare(live, 'a.bin', 900);
    await declare(live, 'a.bin', 950);
    await expect(declare(live, 'b.bin', 51)).rejects.toThrowWithCode('quota-exceeded');
    await declare(live, 'a.bin', 100);
    await declare(live, 'b.bin', 900);
    await live.close();
    expect(await usedIn(live.world)).toEqual({ files: 2, bytes: 1_000 });
  });

  test('has back what a draft that is withdrawn took', async () => {
    const live = await limited({ bytes: 1_000 });
    await declare(live, 'a.bin', 1_000);
    await live.registry.openDraft(PUBLISHER, NEXT);
    await expect(declare(live, 'a.bin', 1, NEXT)).rejects.toThrowWithCode('quota-exceeded');
    await live.registry.withdraw(PUBLISHER, RELEASE);
    await live.world.pass(60_000);
    await declare(live, 'a.bin', 1_000, NEXT);
    await live.close();
    expect(await usedIn(live.world)).toEqual({ files: 1, bytes: 1_000 });
  });

  test('never has back what is published', async () => {
    const live = await limited({ bytes: 1_000 });
    const files = { 'README.md': 'x'.repeat(700) };
    await live.release(PUBLISHER, RELEASE, files);
    await live.registry.openDraft(PUBLISHER, NEXT);
    await expect(declare(live, 'a.bin', 301, NEXT)).rejects.toThrowWithCode('quota-exceeded');
    await declare(live, 'a.bin', 300, NEXT);
    await live.close();
    const usage = await (await live.world.open()).registry.usage(PUBLISHER, ACME);
    expect(usage).toMatchObject({ published: { files: 1, bytes: 700 }, drafts: 1 });
    expect(await usedIn(live.world)).toEqual({ files: 2, bytes: 1_000 });
  });

  test('refuses a push that cannot fit when its draft is opened, and takes one that can', async () => {
    const live = await limited({ bytes: 1_000, files: 3 });
    await declare(live, 'a.bin', 600);
    const open = (files: number, bytes: number) =>
      live.registry.openDraft(PUBLISHER, RELEASE, { files, bytes });
    // What is in this draft already is part of the plan.
    await open(3, 1_000);
    await expect(open(3, 1_001)).rejects.toThrowWithCode('quota-exceeded');
    await expect(open(4, 1_000)).rejects.toThrowWithCode('quota-exceeded');
    const other = live.registry.openDraft(PUBLISHER, NEXT, { files: 1, bytes: 401 });
    await expect(other).rejects.toThrowWithCode('quota-exceeded');
    await expect(live.registry.draftStatus(PUBLISHER, NEXT)).rejects.toThrowWithCode('not-found');
  });
});

describe('a quota of files and of drafts', () => {
  test('counts files, empty ones too', async () => {
    const live = await limited({ files: 2 });
    await live.uploadFile(PUBLISHER, RELEASE, 'empty', '');
    await declare(live, 'a.bin', 1);
    await expect(declare(live, 'b.bin', 1)).rejects.toThrowWithCode('quota-exceeded');
    await declare(live, 'a.bin', 2);
  });

  test('counts drafts until they are published or withdrawn', async () => {
    const live = await limited({ drafts: 1 });
    const open = () => live.registry.openDraft(PUBLISHER, NEXT);
    await expect(open()).rejects.toThrowWithCode('quota-exceeded');
    await live.registry.openDraft(PUBLISHER, RELEASE);
    await live.release(PUBLISHER, RELEASE);
    await live.world.pass(60_000);
    await open();
    await live.registry.withdraw(PUBLISHER, NEXT);
    await live.world.pass(60_000);
    await live.registry.openDraft(PUBLISHER, parseReleaseName('acme/tiny@v3'));
  });
});

describe('a quota', () => {
  test('is never exceeded by many servers at the same time, and no byte of it is lost', async () => {
    const first = await limited({ bytes: 1_000 });
    const { world } = first;
    const servers = [first, await world.open({ turns: () => 3 }), await world.open()];
    const declarations = Array.from({ length: 150 }, (_, i) => async () => {
      const live = servers[i % servers.length]!;
      try {
        await declare(live, `${i}.bin`, 10);
        return 10;
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        expect(['quota-exceeded', 'overloaded']).toContain(error.code);
        return 0;
      }
    });
    const taken = (await Promise.all(declarations.map((it) => it()))).reduce<number>(
      (a, b) => a + b,
      0,
    );
    expect(taken).toBeLessThanOrEqual(1_000);
    expect((await countedIn(world)).bytes).toBe(taken);
    // Once the others have given back what they had set aside, the rest fits exactly.
    for (const live of servers) await live.close();
    const last = await world.open();
    if (taken < 1_000) await declare(last, 'rest.bin', 1_000 - taken);
    await expect(declare(last, 'more.bin', 1)).rejects.toThrowWithCode('quota-exceeded');
    await last.close();
    expect((await usedIn(world)).bytes).toBe(1_000);
  });

  test('costs a few swaps for a thousand files; without one nothing is read or written for it', async () => {
    const swapsOf = async (limits: Limits | undefined) => {
      const world = await makeWorld();
      await (await world.openWithNamespace()).close();
      if (limits !== undefined) await setQuota(world.disk.open(), ACME, limits, world.clock());
      const asked: string[] = [];
      const live = await world.open({
        fault: ({ kind, key }) => {
          if (key === 'private/quotas/acme') asked.push(kind);
          return undefined;
        },
      });
      await live.registry.openDraft(PUBLISHER, RELEASE);
      for (let i = 0; i < 1_000; i++) await declare(live, `${i}.bin`, 1_000);
      await live.close();
      return asked;
    };
    expect(await swapsOf(undefined)).toEqual(['get']);
    const asked = await swapsOf({ bytes: 10_000_000, files: 10_000, drafts: 10 });
    expect(asked.filter((kind) => kind === 'swap').length).toBeLessThan(5);
    expect(asked.length).toBeLessThan(10);
  });

  test('is asked of the store by few of many that declare at the same time', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    await setQuota(world.disk.open(), ACME, { bytes: 10_000_000 }, world.clock());
    const before = world.disk.writes.length;
    // Slow enough that others always come while a swap is under way.
    const store = world.disk.open({ turns: () => 5 });
    const random = () => new Uint8Array(16);
    const quotas = new Quotas({ store, clock: world.clock, random }, new Chores());
    const one = { files: 1, bytes: 10 };
    await inParallel(Array.from({ length: 1_000 }), 8, async () => {
      (await quotas.reserve(RELEASE, one)).end('done', one);
    });
    await quotas.close();
    expect(world.disk.writes.length - before).toBeLessThan(5);
  });

  test('that is set later counts all that is there', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    await live.release(PUBLISHER, RELEASE, { 'a.txt': 'x'.repeat(100) });
    await live.registry.openDraft(PUBLISHER, NEXT);
    await declare(live, 'a.bin', 200, NEXT);
    await setQuota(world.disk.open(), ACME, { bytes: 300 }, world.clock());
    world.pass(60_000);
    await expect(declare(live, 'b.bin', 1, NEXT)).rejects.toThrowWithCode('quota-exceeded');
    const usage = await live.registry.usage(PUBLISHER, ACME);
    expect(usage).toMatchObject({ used: { files: 2, bytes: 300 }, drafts: 1 });
  });

  test('is raised and taken away while servers run', async () => {
    const live = await limited({ bytes: 10 });
    const set = (limits: Limits) =>
      setQuota(live.world.disk.open(), ACME, limits, live.world.clock());
    await expect(declare(live, 'a.bin', 11)).rejects.toThrowWithCode('quota-exceeded');
    await set({ bytes: 11 });
    await declare(live, 'a.bin', 11);
    await set({});
    await declare(live, 'b.bin', 10_000);
  });

  test('of the server holds for namespaces that have none of their own', async () => {
    const world = await makeWorld();
    const before = await world.openWithNamespace();
    await before.registry.openDraft(PUBLISHER, RELEASE);
    await declare(before, 'a.bin', 60);
    await before.close();
    const live = await world.open({}, { quota: { bytes: 100 } });
    await expect(declare(live, 'b.bin', 41)).rejects.toThrowWithCode('quota-exceeded');
    await declare(live, 'b.bin', 40);
    await setQuota(world.disk.open(), ACME, { bytes: 101 }, world.clock());
    await declare(live, 'c.bin', 1);
  });

  test('of no namespace that is there is refused', async () => {
    const world = await makeWorld();
    const set = setQuota(world.disk.open(), ACME, {}, world.clock());
    await expect(set).rejects.toThrowWithCode('not-found');
    const recount = recountQuota(world.disk.open(), ACME, world.clock());
    await expect(recount).rejects.toThrowWithCode('not-found');
  });

  test('is told to those of the namespace, and to nobody else', async () => {
    const live = await limited({ bytes: 10 });
    const stranger = { ...PUBLISHER, namespace: 'other' as typeof ACME };
    await expect(live.registry.usage(stranger, ACME)).rejects.toThrowWithCode('not-authorised');
    expect((await live.registry.usage(PUBLISHER, ACME))?.limits).toEqual({ bytes: 10 });
  });
});

describe('a server that is killed before its k-th write', () => {
  test('leaves never too little counted, and what is too much does not last, for every k', async () => {
    const world = await makeWorld();
    const origin = await world.openWithNamespace();
    await setQuota(world.disk.open(), ACME, { bytes: 1_000, files: 10 }, world.clock());
    await origin.close();
    await forWrites(async (k) => {
      const fork = world.fork();
      const dying = await openDying(fork, k);
      await dying.attempt(async (live) => {
        await live.registry.openDraft(PUBLISHER, RELEASE);
        await declare(live, 'a.bin', 100);
        await declare(live, 'b.bin', 300);
        await declare(live, 'a.bin', 200);
        await declare(live, 'b.bin', 100);
        await live.registry.openDraft(PUBLISHER, NEXT);
        await declare(live, 'a.bin', 100, NEXT);
        await live.registry.withdraw(PUBLISHER, NEXT);
      });
      const killed = await dying.isKilled();

      const next = await fork.open();
      const { used, setAside } = (await next.registry.usage(PUBLISHER, ACME))!;
      const counted = await countedIn(fork);
      expect(used.bytes + setAside.bytes).toBeGreaterThanOrEqual(counted.bytes);

      // Whoever would be refused makes it be counted anew, once the dead server's grants are stale.
      fork.pass(STALE_MS);
      await next.registry.openDraft(PUBLISHER, RELEASE);
      await declare(next, 'rest.bin', 1_000 - (await countedIn(fork)).bytes);
      await expect(declare(next, 'more.bin', 1)).rejects.toThrowWithCode('quota-exceeded');
      await next.close();
      expect((await usedIn(fork)).bytes).toBe(1_000);
      await fork.close();
      return killed;
    });
  });
});

describe.each<Fault>(['fail', 'lose', 'full'])(
  'a store that answers its k-th write with "%s"',
  (fault) => {
    test('costs no byte of the quota in the end, for every k', async () => {
      const world = await makeWorld();
      const origin = await world.openWithNamespace();
      await setQuota(world.disk.open(), ACME, { bytes: 1_000, files: 10 }, world.clock());
      await origin.close();
      await forFaults(fault, async (faulty) => {
        const fork = world.fork();
        const live = await fork.open(faulty);
        await again(() => live.registry.openDraft(PUBLISHER, RELEASE));
        await again(() => declare(live, 'a.bin', 100));
        await again(() => declare(live, 'b.bin', 300));
        await again(() => declare(live, 'a.bin', 200));
        await again(() => declare(live, 'b.bin', 50));
        await live.close();
        const next = await fork.open();
        const { used, setAside } = (await next.registry.usage(PUBLISHER, ACME))!;
        expect(used.bytes + setAside.bytes).toBeGreaterThanOrEqual(250);
        fork.pass(STALE_MS);
        await declare(next, 'rest.bin', 750);
        await expect(declare(next, 'more.bin', 1)).rejects.toThrowWithCode('quota-exceeded');
        await fork.close();
      });
    });
  },
);

/** What a client does that was told of a failure of the store. */
async function again(act: () => Promise<unknown>): Promise<unknown> {
  return act().catch(act);
}

describe('counting anew', () => {
  test('sets right what somebody has changed in the store, but no draft that is worked on', async () => {
    const live = await limited({ bytes: 1_000 });
    const { world } = live;
    await declare(live, 'a.bin', 900);
    await live.close();
    for (const key of world.disk.objects.keys()) {
      if (key.includes('/tiny/v1.0/files/')) world.disk.objects.delete(key);
    }
    const next = await world.open();
    await expect(declare(next, 'b.bin', 101)).rejects.toThrowWithCode('quota-exceeded');
    await recountQuota(world.disk.open(), ACME, world.clock());
    await declare(next, 'b.bin', 101);
    // It is being declared from: its count is left alone.
    const before = await next.registry.usage(PUBLISHER, ACME);
    await recountQuota(world.disk.open(), ACME, world.clock());
    expect(await next.registry.usage(PUBLISHER, ACME)).toEqual(before);
  });
});
