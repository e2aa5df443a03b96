import { describe, expect, test } from '@jest/globals';
import { GrowingTree } from '../../../src/core/audit/growth.ts';
import { hashBundle } from '../../../src/core/audit/hashed-bundle.ts';
import { formatEntryBundle, formatTilePath, TILE_WIDTH } from '../../../src/core/log/tile.ts';
import { emptyEdge, grow, type TreeEdge } from '../../../src/core/log/tree.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

/** More than a full tile at level 1, so that level 2 begins; a partial bundle at the end. */
const SIZE = 66_000;
const entries = Array.from({ length: SIZE }, (_, i) => new Uint8Array([i >> 16, i >> 8, i]));

const hashed = (bundle: readonly Uint8Array[]) =>
  hashBundle(nodeHost, formatEntryBundle(bundle), bundle.length);

/** Replays the bundles of a log of `size` from `edge`; every tile above level 0 that it makes. */
function replay(edge: TreeEdge, size: number) {
  const tree = new GrowingTree(nodeHost, edge);
  const tiles = new Map<string, Uint8Array>();
  for (let index = Math.floor(edge.size / TILE_WIDTH); index * TILE_WIDTH < size; index++) {
    const bundle = entries.slice(index * TILE_WIDTH, Math.min(size, (index + 1) * TILE_WIDTH));
    for (const { tile, bytes } of tree.append(index, hashed(bundle))) {
      tiles.set(formatTilePath(tile), bytes);
    }
  }
  for (const { tile, bytes } of tree.partialTiles()) tiles.set(formatTilePath(tile), bytes);
  return { head: tree.head, tiles };
}

function upperTiles(files: readonly { path: string; bytes: Uint8Array }[]) {
  return files.filter(({ path }) => !/^tile\/(?:entries|0)\//.test(path));
}

describe('a tree that is hashed again', () => {
  test('has the log’s root and makes every tile above level 0', () => {
    const { edge, files } = grow(nodeHost, emptyEdge(nodeHost), entries);
    const { head, tiles } = replay(emptyEdge(nodeHost), SIZE);
    expect(head).toEqual({ size: SIZE, root: edge.root });
    const due = upperTiles(files);
    expect([...tiles.keys()].sort()).toEqual(due.map(({ path }) => path).sort());
    for (const { path, bytes } of due) expect(tiles.get(path)).toEqual(bytes);
  });

  test.each([1, 255, 256, 257, 700, 768])('goes on from a tree of %i entries', (from) => {
    const { edge } = grow(nodeHost, emptyEdge(nodeHost), entries.slice(0, from));
    const grown = grow(nodeHost, edge, entries.slice(from, 1500));
    const { head, tiles } = replay(edge, 1500);
    expect(head.root).toEqual(grown.edge.root);
    for (const { path, bytes } of upperTiles(grown.files)) expect(tiles.get(path)).toEqual(bytes);
  });

  test('takes no bundle that does not follow', () => {
    const tree = new GrowingTree(nodeHost, emptyEdge(nodeHost));
    const first = hashed(entries.slice(0, 256));
    tree.append(0, first);
    expect(() => tree.append(0, first)).toThrowWithCode('internal');
    expect(() => tree.append(2, first)).toThrowWithCode('internal');
  });
});
