import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CodedError } from '../../src/core/error.ts';
import { formatCanonical } from '../../src/core/json.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import type { Item, StagedDocument } from '../../src/log/item.ts';
import { LATE_ITEM } from '../../src/log/pool.ts';
import { keys } from '../../src/store/keys.ts';
import {
  committedEntries,
  emptyLog,
  entry,
  publishedEntries,
  START,
  sequence,
} from '../made/log.ts';

const one = (text: string | number): Item => ({ entries: [entry(text)] });
const said = (text: string | number) => `entry ${text}`;

const head = keys.namespace(parseNamespace('acme'));
const release = keys.namespace(parseNamespace('globex'));

function newest(index: number, more: string | number): StagedDocument {
  return { kind: 'newest', key: head, index, bytes: formatCanonical({ index, more }) };
}

describe('appending', () => {
  test('an entry that was answered is committed, published and included', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    expect(await log.append(one('a'))).toEqual({ index: 0, size: 1, published: true });
    expect(await log.append(one('b'))).toEqual({ index: 1, size: 2, published: true });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('a'), said('b')]);
    expect(await committedEntries(disk)).toEqual([said('a'), said('b')]);
  });

  test('items that arrive together are one commit, in order of arrival, their leaves side by side', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const answers = await Promise.all([
      log.append({ entries: [entry('a1'), entry('a2')] }),
      log.append(one('b')),
      log.append({ entries: async (view) => [entry(`c at ${view.index}`), entry('d')] }),
    ]);
    expect(answers.map(({ index }) => index)).toEqual([0, 2, 3]);
    expect(answers.map(({ size }) => size)).toEqual([5, 5, 5]);
    await log.close();
    expect(await publishedEntries(disk)).toEqual(['a1', 'a2', 'b', 'c at 3', 'd'].map(said));
  });

  test('what arrives during a commit waits for the next, together', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const during: Promise<{ size: number }>[] = [];
    await log.append({
      entries: [entry('first')],
      guard: async () => {
        for (let i = 0; i < 10; i++) during.push(log.append(one(i)));
      },
    });
    expect((await Promise.all(during)).map(({ size }) => size)).toEqual(Array(10).fill(11));
    await log.close();
  });

  test('batches of any sizes make one log, over the tile boundaries', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 5 }),
        async (batches) => {
          const disk = await emptyLog();
          const expected: string[] = [];
          let log = await sequence(disk.open());
          for (const size of batches) {
            const items = Array.from({ length: size }, (_, i) => `${expected.length + i}`);
            await Promise.all(items.map((text) => log.append(one(text))));
            expected.push(...items.map(said));
            await log.close();
            log = await sequence(disk.open());
          }
          await log.close();
          expect(await publishedEntries(disk)).toEqual(expected);
        },
      ),
      { numRuns: 8 },
    );
  }, 30_000);

  test('an entry may have 65,535 bytes and not one more', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await log.append({ entries: [new Uint8Array(65_535)] });
    const tooLong = new Uint8Array(65_536);
    await expect(log.append({ entries: [tooLong] })).rejects.toThrowWithCode('too-large');
    await expect(log.append({ entries: async () => [tooLong] })).rejects.toThrowWithCode(
      'too-large',
    );
    await log.append({ entries: [new Uint8Array(0)] });
    await log.close();
    expect(await publishedEntries(disk)).toEqual(['\0'.repeat(65_535), '']);
  });

  test('an item without entries is refused', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await expect(log.append({ entries: [] })).rejects.toThrowWithCode('bad-entry');
    await expect(log.append({ entries: async () => [] })).rejects.toThrowWithCode('bad-entry');
    await log.close();
  });

  test('entries made late are bounded as the pool counted them', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const late = (count: number): Item => ({
      entries: async () => Array.from({ length: count }, (_, i) => entry(i)),
    });
    await log.append(late(LATE_ITEM.entries));
    await expect(log.append(late(LATE_ITEM.entries + 1))).rejects.toThrowWithCode('too-large');
    await log.close();
  });

  test('a commit leaves no staging bundle behind', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await log.append(one('a'));
    await log.close();
    expect([...disk.objects.keys()].filter((key) => key.startsWith('private/staging'))).toEqual([]);
  });
});

describe('guards', () => {
  test('a guard that throws rejects its item alone', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const refused = {
      ...one('refused'),
      guard: async () => {
        throw new CodedError('gate-unmet', 'held');
      },
    };
    const [before, held, after] = await Promise.allSettled([
      log.append(one('before')),
      log.append(refused),
      log.append(one('after')),
    ]);
    expect(before).toMatchObject({ value: { index: 0 } });
    expect(held).toMatchObject({ reason: { code: 'gate-unmet' } });
    expect(after).toMatchObject({ value: { index: 1 } });
    await log.close();
    expect(await publishedEntries(disk)).toEqual([said('before'), said('after')]);
  });

  test('a guard alone in its batch rejects without a commit', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const guard = async () => {
      throw new CodedError('gate-unmet', 'held');
    };
    const writes = disk.writes.length;
    await expect(log.append({ ...one('x'), guard })).rejects.toThrowWithCode('gate-unmet');
    await log.close();
    expect(disk.writes.length).toBe(writes);
  });

  test('a guard sees the index, the locked entries and the time, and no entry beyond', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    await log.append(one('a'));
    const seen: unknown[] = [];
    const look: Item = {
      ...one('c'),
      guard: async (view) => {
        seen.push(view.index, view.time, new TextDecoder().decode(await view.entry(0)));
        await expect(view.entry(1)).rejects.toThrowWithCode('not-found');
      },
    };
    await Promise.all([log.append(one('b')), log.append(look)]);
    expect(seen).toEqual([2, START, said('a')]);
    await log.close();
  });

  test('a guard sees the documents of the items before it, and of none behind it', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const seen: (string | undefined)[] = [];
    const step = (name: string): Item => ({
      ...one(name),
      guard: async (view) => {
        const bytes = await view.document(head);
        seen.push(bytes && new TextDecoder().decode(bytes));
      },
      documents: async (view) => [newest(view.index, name)],
    });
    await Promise.all([log.append(step('a')), log.append(step('b'))]);
    await log.append(step('c'));
    await log.close();
    expect(seen).toEqual([undefined, '{"index":0,"more":"a"}', '{"index":1,"more":"b"}']);
    expect(new TextDecoder().decode(disk.bytes(head))).toBe('{"index":2,"more":"c"}');
  });

  test('the documents of a refused item are not seen by the next and never written', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const wrong: Item = {
      ...one('wrong'),
      documents: async (view) => [newest(view.index, 'x'), newest(view.index + 9, 'foreign index')],
    };
    let seen: Uint8Array | undefined = new Uint8Array(1);
    const next: Item = {
      ...one('next'),
      guard: async (view) => {
        seen = await view.document(head);
      },
    };
    const [first] = await Promise.allSettled([log.append(wrong), log.append(next)]);
    await log.close();
    expect(first).toMatchObject({ reason: { code: 'internal' } });
    expect(seen).toBeUndefined();
    expect(disk.objects.has(head)).toBe(false);
  });

  test('an immutable document in the place of another is refused before the commit', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open());
    const put = (text: string): Item => ({
      ...one(text),
      documents: async () => [{ kind: 'immutable', key: release, bytes: entry(text) }],
    });
    const [a, b] = await Promise.allSettled([log.append(put('a')), log.append(put('b'))]);
    expect(a).toMatchObject({ status: 'fulfilled' });
    expect(b).toMatchObject({ reason: { code: 'conflict' } });
    await expect(log.append(put('c'))).rejects.toThrowWithCode('conflict');
    expect(await log.append(put('a'))).toMatchObject({ index: 1 });
    await log.close();
    expect(disk.bytes(release)).toEqual(entry('a'));
  });
});

describe('the closing item', () => {
  const heads =
    (asked: string[][]) => async (view: { index: number }, changed: ReadonlySet<string>) => {
      asked.push([...changed]);
      return changed.size > 0 || asked.length > 3 ? one(`heads at ${view.index}`) : undefined;
    };

  test('is asked with what changed, and stands behind the items that it closes', async () => {
    const disk = await emptyLog();
    const asked: string[][] = [];
    const log = await sequence(disk.open(), { closing: heads(asked) });
    await Promise.all([
      log.append(one('a')),
      log.append({ ...one('b'), documents: async (view) => [newest(view.index, 'b')] }),
    ]);
    await log.close();
    expect(asked).toEqual([[head]]);
    expect(await publishedEntries(disk)).toEqual(['a', 'b', 'heads at 2'].map(said));
  });

  test('is asked when nothing else happens for the longest idle time', async () => {
    const disk = await emptyLog();
    const asked: string[][] = [];
    const published = new Promise<void>((resolve) => {
      void sequence(disk.open(), {
        closing: heads(asked),
        maxIdle: 2,
        observer: { published: ({ size }) => size === 1 && resolve() },
      }).then((log) => published.then(() => log.close()));
    });
    await published;
    expect(await publishedEntries(disk)).toEqual([said('heads at 0')]);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  test('is asked at once when the last commit was long ago', async () => {
    const disk = await emptyLog();
    const committed = new Promise<void>((resolve) => {
      void sequence(disk.open(), {
        clock: () => START + 3_600_000,
        closing: async () => one('heads'),
        observer: { committed: () => resolve() },
      }).then((log) => committed.then(() => log.close()));
    });
    await committed;
    expect(await committedEntries(disk)).toEqual([said('heads')]);
  });
});

describe('backpressure', () => {
  test('a full pool answers overloaded with a time to come again, and takes the rest', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open(), { poolLimit: { entries: 3, bytes: 1000 } });
    const answers = await Promise.allSettled([1, 2, 3, 4].map((n) => log.append(one(n))));
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(answers[3]).toMatchObject({
      reason: { code: 'overloaded', details: { retryAfterSeconds: 1 } },
    });
    expect(await log.append(one(4))).toMatchObject({ index: 3 });
    await log.close();
  });

  test('the pool is bounded in bytes too, and an item that never fits is too large', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open(), { poolLimit: { entries: 100, bytes: 100 } });
    const bytes = (length: number): Item => ({ entries: [new Uint8Array(length)] });
    const full = log.append(bytes(98));
    await expect(log.append(bytes(0))).rejects.toThrowWithCode('overloaded');
    await full;
    await expect(log.append(bytes(99))).rejects.toThrowWithCode('too-large');
    await log.close();
  });
});

describe('the clock', () => {
  test('a clock behind the last commit commits nothing, says so, and goes on when it has caught up', async () => {
    const disk = await emptyLog();
    let now = START;
    const log = await sequence(disk.open(), { clock: () => now });
    await log.append(one('a'));
    now = START - 1000;
    expect(log.unready()).toMatch(/clock is 1000 ms behind/);
    await expect(log.append(one('b'))).rejects.toThrowWithCode('overloaded');
    expect(await committedEntries(disk)).toEqual([said('a')]);
    now = START;
    expect(await log.append(one('b'))).toMatchObject({ index: 1 });
    expect(log.unready()).toBeUndefined();
    await log.close();
  });

  test('a process that starts with a clock in the past does not commit either', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open(), { clock: () => START - 1 });
    await expect(log.append(one('a'))).rejects.toThrowWithCode('overloaded');
    expect(await committedEntries(disk)).toEqual([]);
    await log.close();
  });
});

describe('closing', () => {
  test('commits and publishes what is pooled, then takes nothing more', async () => {
    const disk = await emptyLog();
    const log = await sequence(disk.open(), { period: 60_000 });
    await log.append(one('first commits at once'));
    const pending = log.append(one('waits for the period'));
    await log.close();
    expect(await pending).toMatchObject({ index: 1, published: true });
    await expect(log.append(one('late'))).rejects.toThrowWithCode('overloaded');
  });
});
