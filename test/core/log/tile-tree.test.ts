import { describe, expect, test } from '@jest/globals';
import { checkConsistency, checkInclusion, rootOfLeaves } from '../../../src/core/log/merkle.ts';
import type { TilePath } from '../../../src/core/log/tile.ts';
import { openTileTree } from '../../../src/core/log/tile-tree.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';
import { entryAt, makeLog } from './made-log.ts';

const small = makeLog(600, [10, 300]);
const large = makeLog(66_000);

describe('proofs from tiles', () => {
  test('of inclusion hold, at both ends and around every tile’s end', async () => {
    for (const { edge, leafHashes, read } of [small, large]) {
      const { size, root } = edge;
      const tree = await openTileTree(host, edge, read);
      for (const index of [0, 1, 254, 255, 256, 257, 511, 512, size - 2, size - 1]) {
        const proof = await tree.proveInclusion(index);
        const leafHash = await tree.leafHash(index);
        expect(leafHash).toEqual(leafHashes[index]);
        expect(checkInclusion(host, { index, size, leafHash, root, proof })).toEqual({ ok: true });
      }
    }
  });

  test('of consistency hold between every kind of sizes', async () => {
    for (const { edge, leafHashes, read } of [small, large]) {
      const { size: newSize, root: newRoot } = edge;
      const tree = await openTileTree(host, edge, read);
      for (const oldSize of [0, 1, 2, 255, 256, 257, 300, 512, 599, newSize - 1, newSize]) {
        const oldRoot = await tree.rootAt(oldSize);
        const proof = await tree.proveConsistency(oldSize);
        expect(oldRoot).toEqual(rootOfLeaves(host, leafHashes.slice(0, oldSize)));
        const claim = { oldSize, oldRoot, newSize, newRoot, proof };
        expect(checkConsistency(host, claim)).toEqual({ ok: true });
      }
    }
  });

  test('of every small size can be made', async () => {
    for (let size = 0; size <= 20; size++) {
      const { edge, read } = makeLog(size);
      const tree = await openTileTree(host, edge, read);
      for (let index = 0; index < size; index++) {
        const leafHash = await tree.leafHash(index);
        const proof = await tree.proveInclusion(index);
        const claim = { index, size, leafHash, root: edge.root, proof };
        expect(checkInclusion(host, claim)).toEqual({ ok: true });
      }
    }
  });

  test('of an older checkpoint can still be made when its partial tiles are gone', async () => {
    const old = makeLog(300);
    const tree = await openTileTree(host, old.edge, async (path) =>
      path.includes('.p/44') ? undefined : small.files.get(path),
    );
    expect(await tree.entry(299)).toEqual(entryAt(299));
    expect(await tree.bundle(1)).toHaveLength(44);
  });

  test('beyond the tree are refused', async () => {
    const tree = await openTileTree(host, small.edge, small.read);
    for (const index of [600, -1, 0.5]) {
      await expect(tree.proveInclusion(index)).rejects.toThrowWithCode('bad-proof');
      await expect(tree.entry(index)).rejects.toThrowWithCode('bad-proof');
      await expect(tree.leafHash(index)).rejects.toThrowWithCode('bad-proof');
    }
    await expect(tree.proveConsistency(601)).rejects.toThrowWithCode('bad-proof');
    await expect(tree.rootAt(601)).rejects.toThrowWithCode('bad-proof');
    await expect(tree.bundle(3)).rejects.toThrowWithCode('bad-proof');
  });
});

describe('tiles that lie', () => {
  const lie = (path: string, at: number) => async (asked: TilePath) => {
    const bytes = small.files.get(asked);
    return asked === path && bytes ? bytes.with(at, bytes[at]! ^ 1) : bytes;
  };

  test('at the right edge are found when the tree is opened', async () => {
    for (const path of ['tile/0/002.p/88', 'tile/1/000.p/2']) {
      for (let at = 0; at < 64; at++) {
        const opening = openTileTree(host, small.edge, lie(path, at));
        await expect(opening).rejects.toThrowWithCode('proof-invalid');
      }
    }
  });

  test('inside are found before anything is made of them', async () => {
    for (let at = 0; at < 8192; at += 37) {
      const tree = await openTileTree(host, small.edge, lie('tile/0/000', at));
      await expect(tree.leafHash(3)).rejects.toThrowWithCode('proof-invalid');
      await expect(tree.proveInclusion(0)).rejects.toThrowWithCode('proof-invalid');
    }
  });

  test('are found though the tile above was changed to fit', async () => {
    const other = makeLog(66_000).files;
    const tree = await openTileTree(host, large.edge, async (path) =>
      path === 'tile/1/000' || path === 'tile/0/000'
        ? new Uint8Array(8192).fill(1)
        : other.get(path),
    );
    await expect(tree.leafHash(0)).rejects.toThrowWithCode('proof-invalid');
  });

  test('an entry that is not the one that was logged is found', async () => {
    const bundle = small.files.get('tile/entries/001' as TilePath)!;
    for (let at = 0; at < bundle.length; at += 7) {
      const tree = await openTileTree(host, small.edge, lie('tile/entries/001', at));
      await expect(tree.entry(256)).rejects.toThrow();
    }
  });

  test('a tile that is missing is named, and asked for again the next time', async () => {
    let gone = true;
    const tree = await openTileTree(host, small.edge, async (path) =>
      path === 'tile/0/000' && gone ? undefined : small.files.get(path),
    );
    await expect(tree.leafHash(0)).rejects.toThrowWithCode('not-found');
    gone = false;
    expect(await tree.leafHash(0)).toEqual(small.leafHashes[0]);
  });

  test('a root that the tiles do not have is refused, of an empty log too', async () => {
    const root = small.edge.root.with(0, small.edge.root[0]! ^ 1);
    for (const size of [600, 0]) {
      await expect(openTileTree(host, { size, root }, small.read)).rejects.toThrowWithCode(
        'proof-invalid',
      );
    }
  });
});

test('each tile is read once', async () => {
  const reads: string[] = [];
  const tree = await openTileTree(host, large.edge, async (path) => {
    reads.push(path);
    return large.files.get(path);
  });
  await Promise.all([3, 700, 3, 40_000].map((index) => tree.proveInclusion(index)));
  expect(new Set(reads).size).toBe(reads.length);
});
