import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import type { Item } from '../../src/log/item.ts';
import { formatLock, parseLock } from '../../src/log/lock.ts';
import { keys } from '../../src/store/keys.ts';
import { committedEntries, emptyLog, entry, publishedEntries, sequence } from '../made/log.ts';
import type { Disk, Fault, Operation } from '../made/memory-store.ts';

const said = (text: string | number) => `entry ${text}`;
const one = (text: string | number): Item => ({ entries: [entry(text)] });

describe('two processes on one store', () => {
  test('the published checkpoint never goes back, however late a process comes to publish', async () => {
    const disk = await emptyLog();
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const late = await sequence(disk.open(), {
      cosign: ({ note }) => gate.then(() => note),
      patience: 1,
    });
    expect(await late.append(one('a'))).toMatchObject({ published: false });
    const other = await sequence(disk.open());
    await other.append(one('b'));
    await other.close();
    const newest = disk.bytes('log/checkpoint');
    open();
    await late.close();
    expect(disk.bytes('log/checkpoint')).toEqual(newest);
    expect(await publishedEntries(disk)).toEqual([said('a'), said('b')]);
  });

  test('a guard that passed before another process committed is asked again, and may refuse', async () => {
    const disk = await emptyLog();
    const [a, b] = [await sequence(disk.open()), await sequence(disk.open())];
    const hold: Item = {
      ...one('hold'),
      documents: async () => [{ kind: 'immutable', key: keys.probe('hold'), bytes: entry('hold') }],
    };
    let asked = 0;
    const publish: Item = {
      ...one('publish'),
      guard: async (view) => {
        asked += 1;
        if (asked === 1) await a.append(hold);
        const held = await view.document(keys.probe('hold'));
        // At the first try the hold is not in the tree that this attempt stands on.
        if (asked > 1 && held) throw new CodedError('gate-unmet', 'held');
      },
    };
    await expect(b.append(publish)).rejects.toThrowWithCode('gate-unmet');
    expect(asked).toBe(2);
    await Promise.all([a.close(), b.close()]);
    expect(await publishedEntries(disk)).toEqual([said('hold')]);
  });

  test('a refusal that rests on half a commit of another process is judged again', async () => {
    const disk = await emptyLog();
    const [a, b] = [await sequence(disk.open()), await sequence(disk.open())];
    let asked = 0;
    const item: Item = {
      ...one('late'),
      guard: async (view) => {
        asked += 1;
        // The lock moves while the guard runs; what it then reads is beyond its own tree.
        if (asked === 1) await a.append(one('early'));
        await view.entry(0);
      },
    };
    expect(await b.append(item)).toMatchObject({ index: 1 });
    expect(asked).toBe(2);
    await Promise.all([a.close(), b.close()]);
  });
});

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

describe('an answer that is lost', () => {
  const lockSwap = ({ kind, key }: Operation) => kind === 'swap' && key === keys.lock();

  /** A store that misbehaves at its first swap of the lock. */
  function faultyOnce(disk: Disk, fault: Fault) {
    let left = 1;
    return disk.open({
      fault: (operation) => (lockSwap(operation) && left-- > 0 ? fault : undefined),
    });
  }

  test('after the commit took effect: committed once, answered with its index', async () => {
    const disk = await emptyLog();
    const log = await sequence(faultyOnce(disk, 'lose'));
    expect(await log.append(one('a'))).toEqual({ index: 0, size: 1, published: true });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('a')]);
  });

  test('of a request that never arrived: the same commit is driven on', async () => {
    const disk = await emptyLog();
    const log = await sequence(faultyOnce(disk, 'fail'));
    expect(await log.append(one('a'))).toMatchObject({ index: 0 });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('a')]);
  });

  test('of a request that arrives after its retry: it finds the document changed', async () => {
    const disk = await emptyLog();
    const log = await sequence(faultyOnce(disk, 'late'));
    expect(await log.append(one('a'))).toMatchObject({ index: 0 });
    disk.deliver();
    expect(await log.append(one('b'))).toMatchObject({ index: 1 });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('a'), said('b')]);
  });

  test('and upon which another process has built since: committed once, answered with its index', async () => {
    const disk = await emptyLog();
    const other = await sequence(disk.open());
    // The second look at the lock, which settles the outcome, comes after the other's commit.
    let swaps = 0;
    let built: Promise<unknown> | undefined;
    const log = await sequence(
      disk.open({
        fault: (operation) => {
          if (!lockSwap(operation)) return undefined;
          swaps += 1;
          return swaps === 1 ? 'lose' : undefined;
        },
        turns: (operation) => {
          if (lockSwap(operation) && swaps === 2) built ??= other.append(one('other'));
          return lockSwap(operation) && swaps === 2 ? 2000 : 0;
        },
      }),
    );
    expect(await log.append(one('ours'))).toMatchObject({ index: 0 });
    await built;
    await Promise.all([log.close(), other.close()]);
    expect(await publishedEntries(disk)).toEqual([said('ours'), said('other')]);
  });

  test('leaves the outcome unknown, and says so, when the process is closed before it is settled', async () => {
    const disk = await emptyLog();
    const log = await sequence(
      disk.open({ fault: (operation) => (lockSwap(operation) ? 'lose' : undefined) }),
    );
    const pending = expect(log.append(one('a'))).rejects.toThrowWithCode('unknown-outcome');
    await log.close(50);
    await pending;
    await (await sequence(disk.open())).close();
    expect(await publishedEntries(disk)).toEqual([said('a')]);
  });
});

describe('a store that fails', () => {
  const isStaging = ({ kind, key }: Operation) =>
    kind === 'create' && key.startsWith('private/staging');

  test('before the commit is tried again, and no waiter notices', async () => {
    const disk = await emptyLog();
    let failures = 2;
    const store = disk.open({
      fault: (operation) => (isStaging(operation) && failures-- > 0 ? 'fail' : undefined),
    });
    const log = await sequence(store);
    expect(await log.append(one('a'))).toMatchObject({ index: 0 });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('a')]);
  });

  test('for long rejects the waiters, commits nothing of theirs, and says that it is not ready', async () => {
    const disk = await emptyLog();
    let broken = true;
    const store = disk.open({
      fault: (operation) => (isStaging(operation) && broken ? 'fail' : undefined),
    });
    const log = await sequence(store);
    const all = await Promise.allSettled([log.append(one('a')), log.append(one('b'))]);
    expect(all).toMatchObject([{ reason: { code: 'storage' } }, { reason: { code: 'storage' } }]);
    expect(log.unready()).toMatch(/failed/);
    broken = false;
    expect(await log.append(one('c'))).toMatchObject({ index: 0 });
    expect(log.unready()).toBeUndefined();
    await log.close();
  });

  test('a full disk is told at once, and heals by itself when there is space again', async () => {
    const disk = await emptyLog();
    let full = true;
    const healed = new Promise<void>((resolve) => {
      const store = disk.open({
        fault: ({ kind, key }) => {
          if (key.startsWith('private/probe') && kind === 'delete') setImmediate(resolve);
          return kind === 'create' && full ? 'full' : undefined;
        },
      });
      void sequence(store).then(async (log) => {
        await expect(log.append(one('a'))).rejects.toThrowWithCode('disk-full');
        expect(log.unready()).toBe('no space is left');
        full = false;
        await healed;
        expect(log.unready()).toBeUndefined();
        expect(await log.append(one('a'))).toMatchObject({ index: 0 });
        await log.close();
      });
    });
    await healed;
  });

  test('after the commit is tried until it is applied: the entries are in the log', async () => {
    const disk = await emptyLog();
    let failures = 3;
    const store = disk.open({
      fault: ({ kind, key }) =>
        kind === 'create' && key.startsWith('log/tile') && failures-- > 0 ? 'fail' : undefined,
    });
    const log = await sequence(store);
    expect(await log.append(one('a'))).toEqual({ index: 0, size: 1, published: true });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('a')]);
  });

  test('to have the tiles of its lock is given nothing more, and says which is missing', async () => {
    const disk = await emptyLog();
    const [log, other] = [await sequence(disk.open()), await sequence(disk.open())];
    await other.append(one('a'));
    const tile = disk.bytes('log/tile/0/000.p/1');
    disk.objects.delete('log/tile/0/000.p/1');
    await expect(log.append(one('b'))).rejects.toThrowWithCode('not-found');
    expect(log.unready()).toMatch(/tile\/0\/000.p\/1 is missing/);
    disk.plant('log/tile/0/000.p/1', tile);
    expect(await log.append(one('b'))).toMatchObject({ index: 1 });
    await Promise.all([log.close(), other.close()]);
  });
});

describe('the sequencer stops for good', () => {
  test('within a moment, also where nothing is appended, when its store is put back', async () => {
    const disk = await emptyLog();
    const stops: unknown[] = [];
    const open = () => {
      const observer = { stopped: (cause: unknown) => void stops.push(cause) };
      return sequence(disk.open(), { watch: 5, observer });
    };
    const [first, second] = [await open(), await open()];
    await first.append(one('a'));
    const backup = disk.copy();
    await first.append(one('b'));
    // The one that only looks on has seen it, too, before it is gone.
    await until(() => second.committed().size === 2);
    disk.objects.clear();
    for (const [key, object] of backup.objects) disk.objects.set(key, object);
    await until(() => stops.length === 2);
    for (const log of [first, second]) {
      expect(log.unready()).toMatch(/restored from an older copy/);
      await expect(log.append(one('c'))).rejects.toThrowWithCode('rolled-back');
      await log.close();
    }
    expect(await committedEntries(disk)).toEqual([said('a')]);
  });

  test('when the lock goes back to a tree it has signed before', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await log.append(one('a'));
    const old = parseLock(disk.bytes(keys.lock()));
    await log.append(one('b'));
    disk.plant(keys.lock(), formatLock(old));
    // It looks before it tries, for another name stands in the lock.
    await expect(log.append(one('c'))).rejects.toThrowWithCode('rolled-back');
    expect(log.unready()).toMatch(/no more entries/);
    await expect(log.append(one('d'))).rejects.toThrowWithCode('rolled-back');
    await log.close();
  });

  test('when the lock has another tree of the size it has seen', async () => {
    const disk = await emptyLog();
    const fork = await emptyLog();
    const [log, other] = [await sequence(disk.open()), await sequence(fork.open())];
    await log.append(one('a'));
    await other.append(one('another a'));
    for (const key of ['log/tile/0/000.p/1', 'log/tile/entries/000.p/1', keys.lock()]) {
      disk.plant(key, fork.bytes(key));
    }
    await expect(log.append(one('b'))).rejects.toThrowWithCode('fork');
    await expect(log.append(one('c'))).rejects.toThrowWithCode('fork');
    await Promise.all([log.close(), other.close()]);
  });

  test('when an object is in the place of a tile it committed', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await log.append(one('a'));
    disk.plant('log/tile/0/000.p/2', new Uint8Array(64));
    await expect(log.append(one('b'))).rejects.toThrowWithCode('unknown-outcome');
    await expect(log.append(one('c'))).rejects.toThrowWithCode('storage');
    expect(log.unready()).toMatch(/other bytes than were committed/);
    expect(await publishedEntries(disk)).toEqual([said('a')]);
    await log.close();
  });

  test('when the two computations of a root differ: a bit flipped, nothing is signed', async () => {
    const disk = await emptyLog();
    const flipped = { hashes: 0 };
    const { nodeHost } = await import('../../src/hashing/host.ts');
    const host = {
      ...nodeHost,
      sha256: (data: Uint8Array) => {
        const hash = nodeHost.sha256(data);
        if (data[0] === 0 && data.length === 1 + entry('b').length && flipped.hashes++ === 0) {
          hash[3]! ^= 4;
        }
        return hash;
      },
    };
    const log = await sequence(disk.open(), { host });
    await expect(log.append(one('b'))).rejects.toThrowWithCode('internal');
    expect(flipped.hashes).toBeGreaterThan(1);
    expect(log.unready()).toMatch(/differs/);
    expect(await committedEntries(disk)).toEqual([]);
    await log.close();
  });

  test('when the store says that it has failed for good', async () => {
    const disk = await emptyLog();
    const store = disk.open();
    const log = await sequence({
      ...store,
      name: store.name,
      get: store.get.bind(store),
      size: store.size.bind(store),
      list: store.list.bind(store),
      delete: store.delete.bind(store),
      swap: store.swap.bind(store),
      create: async () => {
        throw new CodedError('storage', 'fsync failed', { fatal: true });
      },
    });
    await expect(log.append(one('a'))).rejects.toThrowWithCode('storage');
    expect(log.unready()).toMatch(/fsync failed/);
    await log.close();
  });
});
