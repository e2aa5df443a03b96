import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/core/digest.ts';
import { MAX_CHUNKS, MIN_CHUNK_SIZE } from '../../src/core/release/chunks.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { FileState } from '../../src/server/file-state.ts';
import { AT_REST_MS, REMEMBERED_MS, WholeChunks } from '../../src/server/whole-chunks.ts';

const NOW = 1_800_000_000_000;
const AT_REST: FileState = { identity: 'a', changed: NOW - AT_REST_MS };

function file(name: string, chunks = 20) {
  const sha256 = digestOf(nodeHost, new TextEncoder().encode(name));
  return { sha256, size: chunks * MIN_CHUNK_SIZE, chunkSize: MIN_CHUNK_SIZE };
}
const FILE = file('weights');

describe('a chunk that was found whole', () => {
  test('is remembered, and no other one is', () => {
    const whole = new WholeChunks();
    for (const index of [0, 7, 8, 19]) whole.add(FILE, AT_REST, index, NOW, NOW);
    const remembered = [...Array(20).keys()].filter((i) => whole.has(FILE, AT_REST, i, NOW));
    expect(remembered).toEqual([0, 7, 8, 19]);
    expect(whole.has(file('another'), AT_REST, 0, NOW)).toBe(false);
  });

  test('beside another one, by a hash that began later and ended before, is remembered with it', () => {
    const whole = new WholeChunks();
    whole.add(FILE, AT_REST, 1, NOW + 1, NOW + 2);
    whole.add(FILE, AT_REST, 0, NOW, NOW + 3);
    for (const index of [0, 1]) expect(whole.has(FILE, AT_REST, index, NOW + 3)).toBe(true);
  });

  test('can be the last one of the longest list', () => {
    const whole = new WholeChunks();
    const longest = file('longest', MAX_CHUNKS);
    whole.add(longest, AT_REST, MAX_CHUNKS - 1, NOW, NOW);
    expect(whole.has(longest, AT_REST, MAX_CHUNKS - 1, NOW)).toBe(true);
    expect(whole.has(longest, AT_REST, MAX_CHUNKS - 2, NOW)).toBe(false);
  });

  test('counts up to the limit after the first of its file was hashed, and not a moment longer', () => {
    const whole = new WholeChunks();
    whole.add(FILE, AT_REST, 0, NOW, NOW);
    whole.add(FILE, AT_REST, 1, NOW + REMEMBERED_MS, NOW + REMEMBERED_MS);
    for (const index of [0, 1]) {
      expect(whole.has(FILE, AT_REST, index, NOW + REMEMBERED_MS)).toBe(true);
      expect(whole.has(FILE, AT_REST, index, NOW + REMEMBERED_MS + 1)).toBe(false);
    }
  });

  test('is hashed again after that, and counts from then on, alone', () => {
    const whole = new WholeChunks();
    const later = NOW + REMEMBERED_MS + 1;
    whole.add(FILE, AT_REST, 0, NOW, NOW);
    whole.add(FILE, AT_REST, 1, later, later);
    expect(whole.has(FILE, AT_REST, 0, later)).toBe(false);
    expect(whole.has(FILE, AT_REST, 1, later + REMEMBERED_MS)).toBe(true);
  });

  test('does not count for a clock that was set back', () => {
    const whole = new WholeChunks();
    whole.add(FILE, AT_REST, 0, NOW, NOW);
    expect(whole.has(FILE, AT_REST, 0, NOW - 1)).toBe(false);
  });
});

describe('a file in another state', () => {
  test('is another file', () => {
    const whole = new WholeChunks();
    const written = { ...AT_REST, identity: 'b' };
    whole.add(FILE, AT_REST, 0, NOW, NOW);
    expect(whole.has(FILE, written, 0, NOW)).toBe(false);
    whole.add(FILE, written, 1, NOW, NOW);
    expect(whole.has(FILE, written, 0, NOW)).toBe(false);
    expect(whole.has(FILE, AT_REST, 0, NOW)).toBe(false);
  });

  test('that is not at rest yet is not remembered', () => {
    const whole = new WholeChunks();
    whole.add(FILE, { ...AT_REST, changed: NOW - AT_REST_MS + 1 }, 0, NOW, NOW);
    whole.add(FILE, { ...AT_REST, changed: NOW + 1 }, 0, NOW, NOW);
    expect(whole.size).toBe(0);
  });
});

test('of more files than there is room for, that which was hashed first is forgotten', () => {
  const whole = new WholeChunks(2);
  const [first, second, third] = [file('first'), file('second'), file('third')];
  for (const each of [first, second, first, third]) whole.add(each, AT_REST, 0, NOW, NOW);
  expect(whole.size).toBe(2);
  expect([first, second, third].map((each) => whole.has(each, AT_REST, 0, NOW))).toEqual([
    ...[false, true, true],
  ]);
});
