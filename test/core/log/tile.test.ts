import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatEntryBundle,
  formatTilePath,
  MAX_BUNDLE_BYTES,
  MAX_ENTRY_BYTES,
  MAX_TILE_LEVEL,
  parseEntryBundle,
  parseHashTile,
  parseTilePath,
  partialTiles,
  TILE_WIDTH,
  type Tile,
  tilesBetween,
  tileWidth,
} from '../../../src/core/log/tile.ts';

const tiles: fc.Arbitrary<Tile> = fc.record({
  level: fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: MAX_TILE_LEVEL })),
  index: fc.oneof(fc.maxSafeNat(), fc.nat(2000), fc.nat(2_000_000)),
  width: fc.integer({ min: 1, max: TILE_WIDTH }),
});

describe('paths', () => {
  test.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 3, index: 1_234_067, width: 256 }, 'tile/3/x001/x234/067'],
    [{ level: 0, index: 273, width: 112 }, 'tile/0/273.p/112'],
    [{ level: 'entries', index: 1000, width: 1 }, 'tile/entries/x001/000.p/1'],
    [{ level: 63, index: 999, width: 255 }, 'tile/63/999.p/255'],
  ] as const)('%j is %s', (tile, path) => {
    expect(formatTilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test('every tile survives format and parse', () => {
    fc.assert(
      fc.property(tiles, (tile) => {
        expect(parseTilePath(formatTilePath(tile))).toEqual(tile);
      }),
    );
  });

  test.each([
    '',
    'tile',
    'tile/0',
    'tile/0/',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x000/000',
    'tile/0/x000/x001/000',
    'tile/0/001/000',
    'tile/0/x001/x000',
    'tile/0/x001',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/000.p',
    'tile/0/000.p/',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/1/',
    'tile/0/000.p/1\n',
    'tile/0/000\n',
    '/tile/0/000',
    'tile/0/../000',
    'tile/0/%30%30%30',
    'tile/8/0/000',
    'tile/Entries/000',
    'tile/data/000',
    'checkpoint',
    'tile/0/x009/x007/x199/x254/x740/992',
    `tile/0/${'x001/'.repeat(1000)}000`,
  ])('%j is no path', (path) => {
    expect(() => parseTilePath(path)).toThrowWithCode('bad-tile');
  });

  test('there is no path for what is no tile', () => {
    for (const tile of [
      { level: -1, index: 0, width: 1 },
      { level: MAX_TILE_LEVEL + 1, index: 0, width: 1 },
      { level: 0.5, index: 0, width: 1 },
      { level: 0, index: -1, width: 1 },
      { level: 0, index: 2 ** 53, width: 1 },
      { level: 0, index: 0, width: 0 },
      { level: 0, index: 0, width: 257 },
    ]) {
      expect(() => formatTilePath(tile)).toThrowWithCode('bad-tile');
    }
  });
});

describe('which tiles a tree has', () => {
  const paths = (tiles: readonly Tile[]) => tiles.map(formatTilePath);

  test('agrees with the two examples of the specification', () => {
    expect(paths(partialTiles(70_000))).toEqual([
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ]);
    expect(paths(tilesBetween(0, 256))).toEqual([
      'tile/entries/000',
      'tile/0/000',
      'tile/1/000.p/1',
    ]);
    expect(
      tilesBetween(0, 70_000).filter(({ level, width }) => level === 0 && width === 256),
    ).toHaveLength(273);
    expect(tileWidth(1, 0, 70_000)).toBe(256);
    expect(tileWidth(1, 1, 70_000)).toBe(17);
    expect(tileWidth(1, 2, 70_000)).toBe(0);
  });

  test('an empty tree has none, and no tree has an empty one', () => {
    expect(partialTiles(0)).toEqual([]);
    expect(tilesBetween(0, 0)).toEqual([]);
    expect(partialTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(partialTiles(65_536)).toEqual([{ level: 2, index: 0, width: 1 }]);
  });

  test('growing writes exactly the files that the larger tree has and the smaller had not', () => {
    const all = (size: number) => new Set(paths(tilesBetween(0, size)));
    fc.assert(
      fc.property(fc.nat(140_000), fc.nat(2_000), (before, growth) => {
        const [had, has] = [all(before), all(before + growth)];
        const written = paths(tilesBetween(before, before + growth));
        expect(new Set(written)).toEqual(new Set([...has].filter((path) => !had.has(path))));
        expect(new Set(written).size).toBe(written.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('entry bundles', () => {
  const entry = fc.uint8Array({ maxLength: 40 });

  test('every bundle survives format and parse, empty entries too', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: TILE_WIDTH }), (entries) => {
        expect(parseEntryBundle(formatEntryBundle(entries), entries.length)).toEqual(entries);
      }),
    );
  });

  test('the length stands in two bytes, the larger first', () => {
    const bundle = formatEntryBundle([new Uint8Array(258).fill(7), Uint8Array.of(1)]);
    expect([...bundle.subarray(0, 3)]).toEqual([1, 2, 7]);
    expect([...bundle.subarray(-3)]).toEqual([0, 1, 1]);
  });

  test(`an entry may have ${MAX_ENTRY_BYTES} bytes, not one more; a bundle 256 entries`, () => {
    const longest = new Uint8Array(MAX_ENTRY_BYTES);
    expect(formatEntryBundle(Array(TILE_WIDTH).fill(longest))).toHaveLength(MAX_BUNDLE_BYTES);
    expect(() => formatEntryBundle([new Uint8Array(MAX_ENTRY_BYTES + 1)])).toThrowWithCode(
      'too-large',
    );
    expect(() => formatEntryBundle(Array(TILE_WIDTH + 1).fill(Uint8Array.of(1)))).toThrowWithCode(
      'bad-tile',
    );
    expect(() => formatEntryBundle([])).toThrowWithCode('bad-tile');
  });

  test('a bundle that is cut short, too long, or holds another number is refused', () => {
    const bundle = formatEntryBundle([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
    for (let end = 0; end < bundle.length; end++) {
      expect(() => parseEntryBundle(bundle.subarray(0, end), 3)).toThrowWithCode('bad-tile');
    }
    for (const width of [0, 1, 2, 4, 257, 1.5]) {
      expect(() => parseEntryBundle(bundle, width)).toThrowWithCode('bad-tile');
    }
    expect(() => parseEntryBundle(Uint8Array.of(...bundle, 0), 3)).toThrowWithCode('bad-tile');
  });
});

test('a hash tile has 32 bytes a hash, and nothing else', () => {
  expect(parseHashTile(new Uint8Array(64), 2)).toHaveLength(64);
  expect(() => parseHashTile(new Uint8Array(63), 2)).toThrowWithCode('bad-tile');
  expect(() => parseHashTile(new Uint8Array(65), 2)).toThrowWithCode('bad-tile');
  expect(() => parseHashTile(new Uint8Array(0), 0)).toThrowWithCode('bad-tile');
});
