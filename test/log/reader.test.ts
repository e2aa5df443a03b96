import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
} from '../../src/core/log/checkpoint.ts';
import { checkConsistency, checkInclusion, leafHash } from '../../src/core/log/merkle.ts';
import { formatTilePath, parseEntryBundle } from '../../src/core/log/tile.ts';
import { openTlogProof, parseTlogProof } from '../../src/core/log/tlog-proof.ts';
import { noteVerifier, parseNote } from '../../src/core/note/note.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type LogReader, MAX_ENTRIES_AT_ONCE, openLogReader } from '../../src/log/reader.ts';
import { emptyLog, entry, LOG_KEY, ORIGIN, sequence } from '../made/log.ts';
import { Disk } from '../made/memory-store.ts';

/** Commits of these sizes: partial tiles of 3, 255, 300 and 70 + 512 entries. */
const GROWTH = [3, 252, 45, 400];
const SIZE = 700;

let disk: Disk;
let log: LogReader;
const roots = new Map<number, Uint8Array>();

beforeAll(async () => {
  disk = await emptyLog();
  const writer = await sequence(disk.open());
  let size = 0;
  for (const count of GROWTH) {
    await writer.append({ entries: Array.from({ length: count }, (_, i) => entry(size + i)) });
    size += count;
    roots.set(size, writer.committed().root);
  }
  await writer.close();
  log = openLogReader(disk.open(), nodeHost);
});

describe('reading entries', () => {
  test('each by its index, none beyond the published tree', async () => {
    for (const index of [0, 2, 3, 255, 256, 511, 512, SIZE - 1]) {
      expect(await log.entry(index)).toEqual(entry(index));
    }
    for (const index of [SIZE, -1, 0.5, Number.MAX_SAFE_INTEGER]) {
      await expect(log.entry(index)).rejects.toThrowWithCode('not-found');
    }
  });

  test('runs of them, over bundle boundaries', async () => {
    expect(await log.entries(250, 515)).toEqual(
      Array.from({ length: 265 }, (_, i) => entry(250 + i)),
    );
    expect(await log.entries(SIZE - 1, SIZE)).toEqual([entry(SIZE - 1)]);
    await expect(log.entries(SIZE - 1, SIZE + 1)).rejects.toThrowWithCode('not-found');
  });

  test('at most 1,024 at once', async () => {
    await expect(log.entries(0, MAX_ENTRIES_AT_ONCE)).rejects.toThrowWithCode('not-found');
    await expect(log.entries(0, MAX_ENTRIES_AT_ONCE + 1)).rejects.toThrowWithCode('bad-document');
    await expect(log.entries(5, 5)).rejects.toThrowWithCode('bad-document');
    await expect(log.entries(-1, 5)).rejects.toThrowWithCode('bad-document');
  });
});

describe('proofs', () => {
  test('inclusion in the published tree and in any tree before it', async () => {
    for (const size of [...roots.keys()]) {
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        const proof = await log.inclusionProof(index, size);
        const root = roots.get(size)!;
        const claim = { index, size, root, proof, leafHash: leafHash(nodeHost, entry(index)) };
        expect(checkInclusion(nodeHost, claim)).toEqual({ ok: true });
      }
    }
    expect(await log.inclusionProof(5)).toEqual(await log.inclusionProof(5, SIZE));
  });

  test('inclusion in a tree between two commits, which never was published', async () => {
    const proof = await log.inclusionProof(600, 650);
    expect(proof.length).toBeGreaterThan(0);
    await expect(log.inclusionProof(650, 650)).rejects.toThrowWithCode('bad-proof');
    await expect(log.inclusionProof(0, SIZE + 1)).rejects.toThrowWithCode('not-found');
  });

  test('consistency between any two trees', async () => {
    const sizes = [...roots.keys()];
    for (const oldSize of sizes) {
      for (const newSize of sizes.filter((size) => size >= oldSize)) {
        const proof = await log.consistencyProof(oldSize, newSize);
        const [oldRoot, newRoot] = [roots.get(oldSize)!, roots.get(newSize)!];
        const claim = { oldSize, oldRoot, newSize, newRoot, proof };
        expect(checkConsistency(nodeHost, claim)).toEqual({ ok: true });
      }
    }
  });

  test('a .tlog-proof that opens with the log’s key', async () => {
    const proof = parseTlogProof(await log.tlogProof(256));
    const trust = { origin: ORIGIN, logVerifiers: [noteVerifier(LOG_KEY)] };
    const opened = openTlogProof(nodeHost, proof, leafHash(nodeHost, entry(256)), trust);
    expect(opened).toMatchObject({ ok: true, checkpoint: { size: SIZE } });
    await expect(log.tlogProof(SIZE)).rejects.toThrowWithCode('not-found');
  });
});

describe('files of the log', () => {
  const path = (level: number | 'entries', index: number, width: number) =>
    formatTilePath({ level, index, width });

  test('the published checkpoint, verbatim', async () => {
    const { note, size } = await log.published();
    expect(size).toBe(SIZE);
    expect(note).toEqual(disk.bytes('log/checkpoint'));
    expect(openCheckpoint(note, ORIGIN, [noteVerifier(LOG_KEY)])).toMatchObject({ ok: true });
  });

  test('tiles and bundles as they were written', async () => {
    for (const name of [
      'tile/0/000',
      'tile/0/002.p/188',
      'tile/1/000.p/2',
      'tile/entries/002.p/188',
    ]) {
      expect(await log.tile(name as never)).toEqual(disk.bytes(`log/${name}`));
    }
  });

  test('a partial one that was removed, or never written, is cut from the full one', async () => {
    const full = disk.bytes('log/tile/0/000');
    expect(await log.tile(path(0, 0, 17))).toEqual(full.subarray(0, 17 * 32));
    const bundle = await log.tile(path('entries', 0, 17));
    expect(parseEntryBundle(bundle!, 17)).toHaveLength(17);
    expect(await log.tile(path(0, 2, 7))).toEqual(
      disk.bytes('log/tile/0/002.p/188').subarray(0, 224),
    );
  });

  test('nothing beyond the published tree, though it is there', async () => {
    const ahead = disk.copy();
    const older = parseCheckpoint(parseNote(disk.bytes('log/checkpoint')).text);
    expect(formatCheckpoint(older)).toContain(`${SIZE}`);
    const writer = await sequence(ahead.open(), { cosign: async () => undefined, patience: 1 });
    await writer.append({ entries: [entry('hidden')] });
    await writer.close(50);
    expect(ahead.objects.has('log/tile/0/002.p/189')).toBe(true);
    const reader = openLogReader(ahead.open(), nodeHost);
    expect(await reader.tile(path(0, 2, 189))).toBeUndefined();
    expect(await reader.tile(path('entries', 2, 189))).toBeUndefined();
    expect(await reader.tile(path(0, 2, 256))).toBeUndefined();
    await expect(reader.entry(SIZE)).rejects.toThrowWithCode('not-found');
  });

  test('there are none where there is no log', async () => {
    const reader = openLogReader(new Disk().open(), nodeHost);
    await expect(reader.published()).rejects.toThrowWithCode('not-found');
    await expect(reader.tile(path(0, 0, 1))).rejects.toThrowWithCode('not-found');
  });
});

describe('rot', () => {
  test.each(['log/tile/0/000', 'log/tile/entries/000', 'log/tile/0/002.p/188'])(
    'in %s is named, and no proof or entry is made of it',
    async (key) => {
      const rotten = disk.copy();
      const bytes = disk.bytes(key).slice();
      bytes[40]! ^= 1;
      rotten.plant(key, bytes);
      const reader = openLogReader(rotten.open(), nodeHost);
      const index = key.includes('002') ? 690 : 1;
      await expect(reader.entry(index)).rejects.toThrow(
        /does not belong|do not have the root|bundle/,
      );
    },
  );
});

test('a published checkpoint in which any bit has flipped is not shown', async () => {
  const damaged = disk.copy();
  const reader = openLogReader(damaged.open(), nodeHost, async (note) => {
    const opened = openCheckpoint(note, ORIGIN, [noteVerifier(LOG_KEY)]);
    if (opened.ok) return opened.checkpoint;
    throw new Error(opened.message);
  });
  const good = damaged.bytes('log/checkpoint');
  expect((await reader.published()).note).toEqual(good);
  for (let bit = 0; bit < 8 * good.length; bit += 5) {
    const flipped = good.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    damaged.plant('log/checkpoint', flipped);
    await expect(reader.published()).rejects.toThrowWithCode('storage');
  }
  damaged.plant('log/checkpoint', good);
  expect((await reader.published()).note).toEqual(good);
});
