import { describe, expect, test } from '@jest/globals';
import { hashBundle } from '../../../src/core/audit/hashed-bundle.ts';
import { KEPT_BUNDLES, PastRoots } from '../../../src/core/audit/past-roots.ts';
import { CompactRange } from '../../../src/core/log/compact-range.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { formatEntryBundle, TILE_WIDTH } from '../../../src/core/log/tile.ts';
import { emptyEdge, grow, type TreeEdge } from '../../../src/core/log/tree.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const SIZE = 5 * TILE_WIDTH + 77;
const entries = Array.from({ length: SIZE }, (_, i) => new Uint8Array([i >> 8, i]));

const hashed = (bundle: readonly Uint8Array[]) =>
  hashBundle(nodeHost, formatEntryBundle(bundle), bundle.length);

/** The roots that the log really had, by size. */
const ROOTS: Uint8Array[] = [];
const range = CompactRange.empty(nodeHost);
for (const entry of entries) {
  ROOTS.push(range.root);
  range.append(leafHash(nodeHost, entry));
}
ROOTS.push(range.root);

function replay(edge: TreeEdge, size = SIZE): PastRoots {
  const past = new PastRoots(nodeHost, edge);
  for (let index = Math.floor(edge.size / TILE_WIDTH); index * TILE_WIDTH < size; index++) {
    const end = Math.min(size, (index + 1) * TILE_WIDTH);
    past.append(index, hashed(entries.slice(index * TILE_WIDTH, end)));
  }
  return past;
}

describe('the roots of the past', () => {
  test('are those that the log had, at every size, in whatever order they are asked', () => {
    const past = replay(emptyEdge(nodeHost));
    for (let size = SIZE; size >= 0; size--) expect(past.at(size)).toEqual(ROOTS[size]);
    for (let size = 0; size <= SIZE; size += 7) expect(past.at(size)).toEqual(ROOTS[size]);
  });

  test.each([0, 1, 255, 256, 257, 512, 600])('go on from a log of %i entries', (from) => {
    const { edge } = grow(nodeHost, emptyEdge(nodeHost), entries.slice(0, from));
    const past = replay(edge);
    // The bundle in which the audit begins is known in part: what is not known is not told.
    const known = Math.ceil(from / TILE_WIDTH) * TILE_WIDTH;
    for (let size = known; size <= SIZE; size++) expect(past.at(size)).toEqual(ROOTS[size]);
    for (let size = 0; size < known; size++) expect(past.at(size)).toBeUndefined();
  });

  test('are not known of what is not there yet', () => {
    const past = replay(emptyEdge(nodeHost), TILE_WIDTH);
    expect(past.at(TILE_WIDTH)).toEqual(ROOTS[TILE_WIDTH]);
    expect(past.at(TILE_WIDTH + 1)).toBeUndefined();
  });

  test(`are kept for ${KEPT_BUNDLES} bundles, and not one more`, () => {
    const past = new PastRoots(nodeHost, emptyEdge(nodeHost));
    const bundle = hashed(entries.slice(0, TILE_WIDTH));
    for (let index = 0; index < KEPT_BUNDLES; index++) past.append(index, bundle);
    expect(past.at(1)).toBeDefined();
    past.append(KEPT_BUNDLES, bundle);
    expect(past.at(1)).toBeUndefined();
    expect(past.at(TILE_WIDTH)).toBeDefined();
  });
});
