import { describe, expect, test } from '@jest/globals';
import { formatCanonical } from '../../src/core/json.ts';
import { signCheckpoint } from '../../src/core/log/checkpoint.ts';
import { signingKey } from '../../src/core/note/key.ts';
import { noteSigner } from '../../src/core/note/note.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { Item } from '../../src/log/item.ts';
import type { LastSeen } from '../../src/log/last-seen.ts';
import { formatLock, parseLock } from '../../src/log/lock.ts';
import { createLog } from '../../src/log/recover.ts';
import { keys } from '../../src/store/keys.ts';
import {
  committedEntries,
  countingRandom,
  emptyLog,
  entry,
  LOG_KEY,
  logOptions,
  ORIGIN,
  publishedEntries,
  START,
  sequence,
} from '../made/log.ts';
import { Disk, type Fault, type Operation } from '../made/memory-store.ts';

/** Some tests run dozens of logs: on a busy machine they need more than the usual five seconds. */
const MANY_RUNS_MS = 60_000;

const said = (text: string | number) => `entry ${text}`;
const documentKey = (text: string) => keys.namespace(parseNamespace(text));

/** An entry with a document of its own, and one document that all of them replace. */
function item(text: string): Item {
  return {
    entries: [entry(text)],
    documents: async ({ index }) => [
      { kind: 'immutable', key: documentKey(text), bytes: entry(text) },
      {
        kind: 'newest',
        key: documentKey('newest'),
        index,
        bytes: formatCanonical({ index, text }),
      },
    ],
  };
}

/** What a node remembers, without its disk. */
function remembering(): LastSeen {
  let note: Uint8Array | undefined;
  return {
    name: 'memory',
    load: async () => note,
    save: (newest) => {
      note = newest;
    },
    settle: async () => {},
  };
}

/** A log of `size` entries, closed. */
async function logOf(size: number): Promise<Disk> {
  const disk = await emptyLog();
  const log = await sequence(disk.open());
  for (let i = 0; i < size; i++) await log.append(item(`e${i}`));
  await log.close();
  return disk;
}

const isWrite = ({ kind }: Operation) => kind === 'create' || kind === 'swap' || kind === 'delete';

/** Runs until the process dies at its `nth` write; resolves to what was acknowledged, and whether it died. */
async function runUntilKilled(disk: Disk, nth: number, fault: Fault) {
  let writes = 0;
  let die = () => {};
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const store = disk.open({
    fault: (operation) => {
      if (!isWrite(operation) || ++writes !== nth) return undefined;
      setImmediate(die);
      return fault;
    },
  });
  const acknowledged: [number, string][] = [];
  const append = async (text: string, log: Awaited<ReturnType<typeof sequence>>) => {
    const { index } = await log.append(item(text));
    acknowledged.push([index, text]);
  };
  const life = async () => {
    const log = await sequence(store);
    await append('a', log);
    await Promise.all([append('b', log), append('c', log)]);
    await append('d', log);
    await log.close();
  };
  const died = await Promise.race([life().then(() => false), death.then(() => true)]);
  return { acknowledged, died };
}

describe('a process that is killed', () => {
  test.each<Fault>(['die-before', 'die-after'])(
    'at any write (%s) loses nothing it acknowledged and leaves nothing half done',
    async (fault) => {
      for (let nth = 1; ; nth++) {
        const disk = await emptyLog();
        const { acknowledged, died } = await runUntilKilled(disk, nth, fault);
        if (!died) break;
        const published = await publishedEntries(disk).catch(() => []);
        const log = await sequence(disk.open());
        const { index } = await log.append(item('after'));
        await log.close();

        const entries = await publishedEntries(disk);
        for (const [at, text] of acknowledged) expect(entries[at]).toBe(said(text));
        expect(entries.slice(0, published.length)).toEqual(published);
        expect(new Set(entries).size).toBe(entries.length);
        expect(entries[index]).toBe(said('after'));
        for (const text of ['a', 'b', 'c', 'd']) {
          expect(disk.objects.has(documentKey(text))).toBe(entries.includes(said(text)));
        }
        expect(await committedEntries(disk)).toEqual(entries);
      }
    },
    MANY_RUNS_MS,
  );

  test('after its commit is finished by the next, from the staging bundle', async () => {
    const disk = await logOf(1);
    const store = disk.open({
      fault: ({ kind, key }) => (kind === 'swap' && key === keys.lock() ? 'die-after' : undefined),
    });
    const log = await sequence(store);
    void log.append(item('committed'));
    await until(() => disk.writes.at(-1)?.key === keys.lock());
    expect(disk.objects.has('log/tile/0/000.p/2')).toBe(false);

    const next = await sequence(disk.open());
    expect(next.committed().size).toBe(2);
    await next.close();
    expect(await publishedEntries(disk)).toEqual([said('e0'), said('committed')]);
    expect(disk.bytes(documentKey('committed'))).toEqual(entry('committed'));
    expect([...disk.objects.keys()].filter((key) => key.startsWith('private/staging'))).toEqual([]);
  });
});

describe('a new log', () => {
  test('is of size 0, signed and published', async () => {
    const disk = await emptyLog();
    expect(await publishedEntries(disk)).toEqual([]);
    expect(disk.bytes('log/checkpoint')).toEqual(parseLock(disk.bytes('private/lock')).checkpoint);
  });

  test.each(['private/lock', 'log/checkpoint'])('is refused where there is a %s', async (key) => {
    const disk = new Disk();
    disk.plant(key, (await emptyLog()).bytes(key));
    const creation = createLog({
      ...logOptions(disk.open()),
      time: START,
      random: new Uint8Array(16).fill(1),
    });
    await expect(creation).rejects.toThrowWithCode('conflict');
  });

  test('made by two processes at once is made once', async () => {
    const disk = new Disk();
    const random = countingRandom();
    const create = () =>
      createLog({ ...logOptions(disk.open({ turns: () => 1 })), time: START, random: random() });
    const outcomes = await Promise.allSettled([create(), create()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a start is refused', () => {
  test('where there is no log', async () => {
    await expect(sequence(new Disk().open())).rejects.toThrowWithCode('not-found');
  });

  test('when the lock was restored from an older copy and the checkpoint was not', async () => {
    const old = await logOf(2);
    const disk = old.copy();
    const log = await sequence(disk.open());
    await log.append(item('more'));
    await log.close();
    disk.plant('private/lock', old.bytes('private/lock'));
    await expect(sequence(disk.open())).rejects.toThrowWithCode('rolled-back');
  });

  test('when lock and checkpoint were restored from an older copy and tiles are beyond', async () => {
    const old = await logOf(2);
    const disk = old.copy();
    const log = await sequence(disk.open());
    await log.append(item('more'));
    await log.close();
    disk.plant('private/lock', old.bytes('private/lock'));
    disk.plant('log/checkpoint', old.bytes('log/checkpoint'));
    await expect(sequence(disk.open())).rejects.toThrowWithCode('rolled-back');
  });

  test('when the full tile beyond the lock is there, its partial ones long gone', async () => {
    const disk = await logOf(2);
    disk.plant('log/tile/0/000', new Uint8Array(8192));
    await expect(sequence(disk.open())).rejects.toThrowWithCode('rolled-back');
  });

  test('when the published checkpoint has another root at the size of the lock', async () => {
    const disk = await logOf(2);
    const root = new Uint8Array(32).fill(1);
    const note = signCheckpoint({ origin: ORIGIN, size: 2, root }, [noteSigner(LOG_KEY)]);
    disk.plant('log/checkpoint', note);
    await expect(sequence(disk.open())).rejects.toThrowWithCode('fork');
  });

  test('when the published checkpoint is smaller and of another tree', async () => {
    const disk = await logOf(3);
    const root = new Uint8Array(32).fill(1);
    const note = signCheckpoint({ origin: ORIGIN, size: 2, root }, [noteSigner(LOG_KEY)]);
    disk.plant('log/checkpoint', note);
    await expect(sequence(disk.open())).rejects.toThrowWithCode('fork');
  });

  test('when the whole store was restored from an older copy, and this node has seen more', async () => {
    const disk = await logOf(2);
    const old = disk.copy();
    const lastSeen = remembering();
    const log = await sequence(disk.open(), { lastSeen });
    await log.append(item('more'));
    await log.close();
    await expect(sequence(old.open(), { lastSeen })).rejects.toThrowWithCode('rolled-back');
    // Grown beyond what was seen, in another way.
    const other = await sequence(old.open());
    for (const text of ['x', 'y']) await other.append(item(text));
    await other.close();
    await expect(sequence(old.open(), { lastSeen })).rejects.toThrowWithCode('fork');
    await (await sequence(disk.open(), { lastSeen })).close();
  });

  test('when what this node remembers is not of this log', async () => {
    const lastSeen = remembering();
    const stranger = signingKey(nodeHost, ORIGIN, new Uint8Array(32).fill(9));
    const root = new Uint8Array(32);
    lastSeen.save(signCheckpoint({ origin: ORIGIN, size: 1, root }, [noteSigner(stranger)]));
    const start = sequence((await logOf(1)).open(), { lastSeen });
    await expect(start).rejects.toThrowWithCode('untrusted');
  });

  test.each([['log/checkpoint'], ['private/lock']])(
    'when %s is signed by a stranger',
    async (key) => {
      const disk = await logOf(1);
      const stranger = signingKey(nodeHost, ORIGIN, new Uint8Array(32).fill(9));
      const root = new Uint8Array(32);
      const note = signCheckpoint({ origin: ORIGIN, size: 1, root }, [noteSigner(stranger)]);
      const lock = parseLock(disk.bytes('private/lock'));
      const bytes = key === 'log/checkpoint' ? note : formatLock({ ...lock, checkpoint: note });
      disk.plant(key, bytes);
      await expect(sequence(disk.open())).rejects.toThrowWithCode('untrusted');
    },
  );

  test.each(['log/tile/0/000.p/2', 'log/tile/entries/000.p/2'])(
    'when any byte of %s, at the edge, was changed',
    async (key) => {
      const disk = await logOf(2);
      const good = disk.bytes(key);
      for (let at = 0; at < good.length; at++) {
        const bad = good.slice();
        bad[at]! ^= 1;
        disk.plant(key, bad);
        await expect(sequence(disk.open())).rejects.toThrow(/restore|bundle/);
      }
      disk.plant(key, good);
      await (await sequence(disk.open())).close();
    },
    MANY_RUNS_MS,
  );

  test('when a tile at the edge is missing', async () => {
    const disk = await logOf(2);
    disk.objects.delete('log/tile/0/000.p/2');
    await expect(sequence(disk.open())).rejects.toThrowWithCode('not-found');
  });

  test('when the staging bundle of the commit is damaged', async () => {
    const disk = await logOf(1);
    const store = disk.open({
      fault: ({ kind, key }) => (kind === 'swap' && key === keys.lock() ? 'die-after' : undefined),
    });
    void (await sequence(store)).append(item('x'));
    await until(() => disk.writes.at(-1)?.key === keys.lock());
    const key = [...disk.objects.keys()].find((name) => name.startsWith('private/staging'))!;
    const bytes = disk.bytes(key).slice();
    bytes[bytes.length - 1]! ^= 1;
    disk.plant(key, bytes);
    await expect(sequence(disk.open())).rejects.toThrowWithCode('bad-document');
  });
});

describe('a start', () => {
  test('publishes what was committed and not yet published', async () => {
    const disk = await logOf(1);
    const old = disk.bytes('log/checkpoint');
    const log = await sequence(disk.open());
    await log.append(item('more'));
    await log.close();
    disk.plant('log/checkpoint', old);
    await (await sequence(disk.open())).close();
    expect(await publishedEntries(disk)).toEqual([said('e0'), said('more')]);
  });

  test('sweeps the bundles of attempts that can no longer be committed, and no others', async () => {
    const disk = await logOf(2);
    const bundle = (size: number) => keys.staging(size, 'ab'.repeat(32), 'cd'.repeat(16));
    for (const size of [1, 2, 3]) disk.plant(bundle(size), new Uint8Array(1));
    await (await sequence(disk.open())).close();
    expect([1, 2, 3].map((size) => disk.objects.has(bundle(size)))).toEqual([false, false, true]);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 100_000 && !condition(); turns++) await turn();
}
