import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nodeHost } from '../../src/hashing/host.ts';
import { formatKept, parseKept } from '../../src/registry/documents/signature.ts';

test('a signature is kept to the byte, and any bit that flips is found', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (signature, place) => {
      const kept = formatKept(nodeHost, signature);
      expect(parseKept(nodeHost, kept)).toEqual(signature);
      const bit = place % (8 * kept.length);
      kept[bit >> 3]! ^= 1 << (bit & 7);
      expect(parseKept(nodeHost, kept)).toBeUndefined();
      expect(parseKept(nodeHost, kept.subarray(0, place % kept.length))).toBeUndefined();
    }),
  );
});
