/** A drawn proof leads to the root of its checkpoint, or is not drawn. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { signCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { proveInclusion } from '../../../src/core/log/merkle.ts';
import { formatTlogProof } from '../../../src/core/log/tlog-proof.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import { noteSigner } from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';
import { proofPath } from '../../../src/server/pages/proof-path.ts';
import { entryAt, makeLog } from '../../core/log/made-log.ts';

const key = signingKey(host, 'log.example', new Uint8Array(32).fill(1));

/** A log of `size` entries, and what proves the one at `index`. */
function prove(size: number, index: number) {
  const { edge, leafHashes } = makeLog(size);
  const checkpoint = signCheckpoint({ ...edge, origin: 'log.example' }, [noteSigner(key)]);
  const hashes = proveInclusion(host, leafHashes, index);
  const format = (changed: readonly Uint8Array[]) =>
    formatTlogProof({ index, hashes: [...changed], checkpoint });
  return { edge, entry: entryAt(index), hashes, format };
}

const place = fc
  .integer({ min: 1, max: 40 })
  .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));

test('each step covers what is below it, and the last one is the root', () => {
  fc.assert(
    fc.property(place, ([size, index]) => {
      const { edge, entry, hashes, format } = prove(size, index);
      const path = proofPath(host, entry, format(hashes));
      expect(path).toMatchObject({ size, root: edge.root, leaf: { start: index, end: index + 1 } });
      let below = path.leaf;
      for (const { sibling, side, node } of path.steps) {
        const [left, right] = side === 'left' ? [sibling, below] : [below, sibling];
        expect([left.end, node.start, node.end]).toEqual([right.start, left.start, right.end]);
        below = node;
      }
      expect(below).toMatchObject({ start: 0, end: size, hash: edge.root });
    }),
  );
});

test('a proof of another entry, with another hash, one more or one less, is not drawn', () => {
  fc.assert(
    fc.property(place, fc.nat(), ([size, index], at) => {
      const { entry, hashes, format } = prove(size, index);
      const refused = (of: Uint8Array, changed: readonly Uint8Array[]) =>
        expect(() => proofPath(host, of, format(changed))).toThrowWithCode('proof-invalid');
      refused(new Uint8Array([...entry, 0]), hashes);
      refused(entry, [...hashes, new Uint8Array(32)]);
      if (hashes.length === 0) return;
      const flipped = hashes.map((hash) => hash.slice());
      flipped[at % hashes.length]![at % 32]! ^= 1;
      refused(entry, flipped);
      refused(entry, hashes.slice(0, -1));
    }),
  );
});
