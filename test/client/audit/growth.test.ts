import { describe, expect, test } from '@jest/globals';
import { followGrowth, hashingHere } from '../../../src/client/audit/growth.ts';
import { Findings } from '../../../src/core/audit/findings.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import type { TilePath } from '../../../src/core/log/tile.ts';
import { emptyEdge, grow } from '../../../src/core/log/tree.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { flipped } from '../../made/audited.ts';

const SIZE = 600;

function made(size: number, name = 'entry') {
  const entries = Array.from({ length: size }, (_, i) => utf8(`${name} ${i}`));
  const { edge, files } = grow(nodeHost, emptyEdge(nodeHost), entries);
  return { head: edge, tiles: new Map(files.map(({ path, bytes }) => [path, bytes])) };
}

async function follow({ head }: ReturnType<typeof made>, tiles: ReadonlyMap<TilePath, Uint8Array>) {
  const findings = new Findings();
  const seen: number[] = [];
  const read = async (path: TilePath) => tiles.get(path);
  const parts = { host: nodeHost, read, hasher: hashingHere(nodeHost), findings };
  const complete = await followGrowth(parts, emptyEdge(nodeHost), head, async ({ index }) => {
    seen.push(index);
  });
  return { complete, seen, found: findings.violations.map(({ index, code }) => [index, code]) };
}

function spoiled(tiles: ReadonlyMap<TilePath, Uint8Array>, path: string, at: number) {
  return new Map(tiles).set(path as TilePath, flipped(tiles.get(path as TilePath)!, at));
}

describe('following a log', () => {
  test.each([0, 1, 256, 257, SIZE])(
    'of %i entries, each bundle once and in order',
    async (size) => {
      const log = made(size);
      const { complete, seen, found } = await follow(log, log.tiles);
      expect({ complete, found }).toEqual({ complete: true, found: [] });
      expect(seen).toEqual(Array.from({ length: Math.ceil(size / 256) }, (_, i) => i));
    },
  );

  test('finds entries and tiles that agree with each other and not with the checkpoint', async () => {
    const { complete, found } = await follow(made(SIZE), made(SIZE, 'other').tiles);
    expect({ complete, found }).toEqual({ complete: false, found: [[SIZE, 'proof-invalid']] });
  });

  test('finds a hash that is wrong in a tile alone, at any level', async () => {
    const log = made(SIZE);
    const leaf = await follow(log, spoiled(log.tiles, 'tile/0/001', 32 * 9));
    expect(leaf).toMatchObject({ complete: true, found: [[256 + 9, 'proof-invalid']] });
    const upper = await follow(log, spoiled(log.tiles, 'tile/1/000.p/2', 40));
    expect(upper).toMatchObject({ complete: true, found: [[0, 'proof-invalid']] });
  });

  test('takes what it needs of a full tile where a partial one is gone', async () => {
    const log = made(SIZE);
    const later = made(1024);
    // Only the upper tile, which is not full in the later log either, cannot be had from it.
    expect((await follow(log, later.tiles)).found).toEqual([[0, 'not-found']]);
    const tiles = new Map([
      ...later.tiles,
      ['tile/1/000.p/2', log.tiles.get('tile/1/000.p/2' as TilePath)!],
    ]);
    expect(await follow(log, tiles as typeof later.tiles)).toMatchObject({
      complete: true,
      found: [],
    });
  });

  test('ends at a bundle that is missing or malformed', async () => {
    const log = made(SIZE);
    const cut = new Map(log.tiles).set('tile/entries/001' as TilePath, new Uint8Array([9]));
    expect(await follow(log, cut)).toEqual({
      complete: false,
      seen: [0],
      found: [[256, 'bad-tile']],
    });
  });
});
