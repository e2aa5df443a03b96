import { describe, expect, test } from '@jest/globals';
import { concat, formatHex, utf8 } from '../../../src/core/bytes.ts';
import { digestHex } from '../../../src/core/digest.ts';
import {
  chunkCount,
  chunkRange,
  chunkRoot,
  chunkSizeFor,
  MAX_CHUNK_SIZE,
  MAX_CHUNKS,
  MAX_FILE_SIZE,
  MIN_CHUNK_SIZE,
  parseChunkList,
} from '../../../src/core/release/chunks.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const sha256 = nodeHost.sha256;

describe('chunk sizes', () => {
  test('are the smallest power of two from 8 MiB that gives at most 8,192 chunks', () => {
    expect(chunkSizeFor(0)).toBe(MIN_CHUNK_SIZE);
    for (let chunk = MIN_CHUNK_SIZE; chunk < MAX_CHUNK_SIZE; chunk *= 2) {
      expect(chunkSizeFor(chunk * MAX_CHUNKS)).toBe(chunk);
      expect(chunkSizeFor(chunk * MAX_CHUNKS + 1)).toBe(2 * chunk);
    }
  });

  test('end with files of 8 TiB', () => {
    expect(chunkSizeFor(MAX_FILE_SIZE)).toBe(MAX_CHUNK_SIZE);
    expect(() => chunkSizeFor(MAX_FILE_SIZE + 1)).toThrowWithCode('too-large');
    expect(() => chunkSizeFor(-1)).toThrowWithCode('too-large');
  });

  test('the last chunk is what is left', () => {
    expect(chunkCount(20, 8)).toBe(3);
    expect(chunkRange(20, 8, 2)).toEqual({ offset: 16, length: 4 });
    expect(chunkRange(16, 8, 1)).toEqual({ offset: 8, length: 8 });
  });
});

describe('chunk lists', () => {
  const hashes = ['a', 'b', 'c'].map((text) => sha256(utf8(text)));
  const list = concat(...hashes);
  const size = 2 * MIN_CHUNK_SIZE + 1;

  test('have the root that RFC 6962 gives', () => {
    const [a, b, c] = hashes.map((hash) => sha256(concat(Uint8Array.of(0), hash)));
    const left = sha256(concat(Uint8Array.of(1), a!, b!));
    expect(digestHex(chunkRoot(nodeHost, list))).toBe(
      formatHex(sha256(concat(Uint8Array.of(1), left, c!))),
    );
    expect(digestHex(chunkRoot(nodeHost, new Uint8Array()))).toBe(
      formatHex(sha256(new Uint8Array())),
    );
  });

  test('are refused with any byte changed, and with a hash too many or too few', () => {
    const chunks = { size: MIN_CHUNK_SIZE, root: chunkRoot(nodeHost, list) };
    const read = (bytes: Uint8Array) => parseChunkList(nodeHost, bytes, size, chunks, 'model.bin');
    expect(read(list).at(2)).toEqual(hashes[2]);
    for (let at = 0; at < list.length; at++) {
      const copy = list.slice();
      copy[at]! ^= 1;
      expect(() => read(copy)).toThrowWithCode('digest-mismatch');
    }
    expect(() => read(list.subarray(32))).toThrowWithCode('digest-mismatch');
    expect(() => read(concat(list, hashes[0]!))).toThrowWithCode('digest-mismatch');
  });
});
