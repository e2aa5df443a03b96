import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Host } from '../../../src/core/host.ts';
import { rootOfLeaves } from '../../../src/core/log/merkle.ts';
import { checkGrowth } from '../../../src/core/log/recompute.ts';
import {
  formatTilePath,
  MAX_ENTRY_BYTES,
  type TilePath,
  tilesBetween,
} from '../../../src/core/log/tile.ts';
import {
  emptyEdge,
  type Growth,
  grow,
  loadEdge,
  type TreeEdge,
} from '../../../src/core/log/tree.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';
import { entryAt, makeLog } from './made-log.ts';

const entriesFrom = (start: number, count: number) =>
  Array.from({ length: count }, (_, i) => entryAt(start + i));

describe('growing', () => {
  test('has the root of RFC 6962 at every size', () => {
    const { leafHashes } = makeLog(520);
    let edge = emptyEdge(host);
    for (let size = 1; size <= 520; size++) {
      edge = grow(host, edge, entriesFrom(size - 1, 1)).edge;
      expect(edge.root).toEqual(rootOfLeaves(host, leafHashes.slice(0, size)));
    }
  });

  test('in batches or at once makes the same tree', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 6 }), (batches) => {
        const committed = batches.toSorted((a, b) => a - b);
        expect(makeLog(900, committed).edge).toEqual(makeLog(900).edge);
      }),
      { numRuns: 30 },
    );
  });

  test('writes the files that the arithmetic of tiles lists, and no others', () => {
    for (const [before, after] of [
      [0, 1],
      [0, 256],
      [255, 256],
      [256, 257],
      [3, 700],
      [500, 66_000],
    ] as const) {
      const { edge } = makeLog(before);
      const { files } = grow(host, edge, entriesFrom(before, after - before));
      expect(files.map(({ path }) => path)).toEqual(
        tilesBetween(before, after).map(formatTilePath),
      );
    }
  });

  test('leaves the edge that it grew from as it was', () => {
    const { edge } = makeLog(300);
    const before = structuredClone(edge);
    grow(host, edge, entriesFrom(300, 500));
    expect(edge).toEqual(before);
    expect(grow(host, edge, entriesFrom(300, 1)).edge).toEqual(makeLog(301).edge);
  });

  test('by nothing changes nothing and writes nothing', () => {
    const { edge } = makeLog(300);
    expect(grow(host, edge, [])).toEqual({ edge, files: [], leafHashes: [] });
    expect(checkGrowth(host, edge, grow(host, edge, []))).toEqual({ ok: true });
  });

  test(`takes an entry of ${MAX_ENTRY_BYTES} bytes, not one more, and an empty one`, () => {
    const longest = new Uint8Array(MAX_ENTRY_BYTES);
    expect(grow(host, emptyEdge(host), [longest, new Uint8Array(0)]).edge.size).toBe(2);
    expect(() =>
      grow(host, emptyEdge(host), [new Uint8Array(MAX_ENTRY_BYTES + 1)]),
    ).toThrowWithCode('too-large');
  });
});

describe('loading the edge', () => {
  test('gives back what was grown, at every kind of size', async () => {
    for (const size of [0, 1, 255, 256, 257, 511, 65_535, 65_536, 65_537]) {
      const { edge, read } = makeLog(size);
      expect(await loadEdge(host, edge, read)).toEqual(edge);
    }
  });

  test('takes the full tile where the partial one has been deleted', async () => {
    const old = makeLog(300);
    const { files } = makeLog(600, [300]);
    expect(files.delete('tile/0/001.p/44' as TilePath)).toBe(true);
    expect(files.delete('tile/entries/001.p/44' as TilePath)).toBe(true);
    expect(await loadEdge(host, old.edge, async (path) => files.get(path))).toEqual(old.edge);
  });

  test('names a file that is missing', async () => {
    const { edge, files, read } = makeLog(300);
    for (const path of [
      'tile/0/001.p/44',
      'tile/1/000.p/1',
      'tile/entries/001.p/44',
    ] as TilePath[]) {
      const bytes = files.get(path)!;
      files.delete(path);
      await expect(loadEdge(host, edge, read)).rejects.toThrowWithCode('not-found');
      files.set(path, bytes);
    }
  });

  test('refuses every flipped byte of every file that it reads', async () => {
    const { edge, files, read } = makeLog(260);
    for (const path of ['tile/0/001.p/4', 'tile/1/000.p/1', 'tile/entries/001.p/4'] as TilePath[]) {
      const good = files.get(path)!;
      for (let at = 0; at < good.length; at++) {
        files.set(path, good.with(at, good[at]! ^ 1));
        await expect(loadEdge(host, edge, read)).rejects.toThrow();
      }
      files.set(path, good);
    }
  });

  test('refuses the tiles of another tree, and an empty log with a root', async () => {
    const { edge, read } = makeLog(260);
    const head = { size: 260, root: edge.root.with(0, edge.root[0]! ^ 1) };
    await expect(loadEdge(host, head, read)).rejects.toThrowWithCode('proof-invalid');
    await expect(loadEdge(host, { size: 0, root: edge.root }, read)).rejects.toThrowWithCode(
      'proof-invalid',
    );
  });
});

describe('the second computation', () => {
  const before = makeLog(250).edge;
  const growth = grow(host, before, entriesFrom(250, 300));

  test('agrees with the first at any sizes', () => {
    fc.assert(
      fc.property(fc.nat(1500), fc.nat(700), (size, more) => {
        const { edge } = makeLog(size);
        const grown = grow(host, edge, entriesFrom(size, more));
        expect(checkGrowth(host, edge, grown)).toEqual({ ok: true });
      }),
      { numRuns: 25 },
    );
    const { edge } = makeLog(65_530);
    expect(checkGrowth(host, edge, grow(host, edge, entriesFrom(65_530, 10)))).toEqual({
      ok: true,
    });
  });

  test('finds a bit that flipped in any file', () => {
    for (const [i, { path, bytes }] of growth.files.entries()) {
      for (let at = 0; at < bytes.length; at += 61) {
        const files = growth.files.with(i, { path, bytes: bytes.with(at, bytes[at]! ^ 16) });
        expect(agrees(before, { ...growth, files })).toBe(false);
      }
    }
  });

  test('finds a bit that flipped in the root, or in a node of the edge before', () => {
    const root = growth.edge.root.with(7, growth.edge.root[7]! ^ 1);
    expect(agrees(before, { ...growth, edge: { ...growth.edge, root } })).toBe(false);
    const nodes = before.nodes.map((node, i) => (i === 0 ? node.with(0, node[0]! ^ 1) : node));
    const flipped = { ...before, nodes };
    expect(agrees(flipped, grow(host, flipped, entriesFrom(250, 2)))).toBe(false);
  });

  test('finds a hash that came out wrong, whichever it was', () => {
    const entries = entriesFrom(250, 12);
    for (let wrong = 0, calls = 1; wrong < calls; wrong++) {
      calls = 0;
      const faulty: Host = {
        ...host,
        sha256: (bytes) => {
          const hash = host.sha256(bytes);
          return calls++ === wrong ? hash.with(3, hash[3]! ^ 4) : hash;
        },
      };
      const grown = grow(faulty, before, entries);
      expect(calls).toBeGreaterThan(24);
      expect(agrees(before, grown)).toBe(false);
    }
  });

  test('finds a hash that was changed in what was committed before', () => {
    const [tile] = before.tiles as [Uint8Array];
    const other = { ...before, tiles: [tile.with(40, tile[40]! ^ 1)] };
    expect(agrees(other, growth)).toBe(false);
  });

  test('finds a file too few, too many, or twice', () => {
    const [file] = growth.files as [Growth['files'][number]];
    for (const files of [
      growth.files.slice(1),
      [...growth.files, file],
      growth.files.with(1, file),
    ]) {
      expect(agrees(before, { ...growth, files })).toBe(false);
    }
  });
});

function agrees(before: TreeEdge, growth: Growth): boolean {
  try {
    return checkGrowth(host, before, growth).ok;
  } catch {
    return false;
  }
}
