import { describe, expect, test } from '@jest/globals';
import { Commitments, NO_COMMITMENTS } from '../../../src/core/audit/commitments.ts';
import { formatHex, utf8 } from '../../../src/core/bytes.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const SEED = nodeHost.sha256(utf8('seed'));
const TIME = Date.UTC(2026, 1, 1, 12);

const hashOf = (text: string) => formatHex(nodeHost.sha256(utf8(text)));

function made(i: number) {
  const time = new Date(TIME + i).toISOString();
  return { label: hashOf(`label ${i}`), commit: hashOf(`commit ${i}`), index: 3 * i, time };
}

function filled(count: number): Commitments {
  const commitments = new Commitments(NO_COMMITMENTS, SEED);
  for (let i = 0; i < count; i++) commitments.add(made(i));
  return commitments;
}

/** Commitments of which somebody chose the labels. */
function chosen(count: number, label: (i: number) => string): Commitments {
  const commitments = new Commitments(NO_COMMITMENTS, SEED);
  const { commit, time } = made(0);
  for (let i = 0; i < count; i++) commitments.add({ label: label(i), commit, index: i, time });
  return commitments;
}

describe('the commitments of a log', () => {
  test('are found by label, from the entry after them on', () => {
    const commitments = filled(20_000);
    for (const i of [0, 1, 8191, 8192, 19_999]) {
      const { label, index } = made(i);
      expect(commitments.find(label, index + 1)).toEqual(made(i));
      expect(commitments.find(label, index)).toBeUndefined();
    }
    expect(commitments.find(hashOf('another'), 10 ** 9)).toBeUndefined();
  });

  test('stand once each: the first counts', () => {
    const commitments = filled(2);
    expect(commitments.add({ ...made(7), label: made(1).label })).toBe(false);
    expect(commitments.find(made(1).label, 100)).toEqual(made(1));
  });

  test('go on from a state, without those that a release has accounted for', () => {
    const commitments = filled(10_000);
    const voids = [3, 4].map((i) => ({ namespace: 'acme', label: made(i).label, index: 40_000 }));
    for (const each of voids) commitments.addVoid(each);
    for (const i of [0, 4, 9_999]) commitments.close(made(i).label);
    commitments.close(made(0).label);
    const { state } = commitments;
    expect(state.packed).toHaveLength(9_997 * 80);
    expect(state.voids).toEqual([voids[0]]);
    const later = new Commitments(state, nodeHost.sha256(utf8('another seed')));
    expect(later.find(made(4).label, 10 ** 9)).toBeUndefined();
    expect(later.find(made(9_998).label, 10 ** 9)).toEqual(made(9_998));
    expect(later.isVoid('acme', made(3).label, 40_001)).toBe(true);
    expect(later.state).toEqual(state);
  });

  test('are voided by their own namespace, after they were made, and from then on', () => {
    const commitments = filled(3);
    const label = hashOf('not yet');
    commitments.addVoid({ namespace: 'acme', label, index: 10 });
    commitments.add({ ...made(5), label });
    commitments.addVoid({ namespace: 'acme', label: made(1).label, index: 20 });
    expect(commitments.isVoid('acme', label, 100)).toBe(false);
    expect(commitments.isVoid('acme', made(1).label, 21)).toBe(true);
    expect(commitments.isVoid('acme', made(1).label, 20)).toBe(false);
    expect(commitments.isVoid('zoo', made(1).label, 100)).toBe(false);
  });

  test('that somebody chose to look alike are found as fast as any', () => {
    const alike = (i: number) => `${'00'.repeat(28)}${i.toString(16).padStart(8, '0')}`;
    const begun = performance.now();
    const commitments = chosen(100_000, alike);
    let found = 0;
    for (let i = 0; i < 100_000; i++) if (commitments.find(alike(i), 10 ** 9)) found++;
    expect(found).toBe(100_000);
    // In one place of the table they would take minutes.
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  test('take less than 100 bytes each', () => {
    const count = 250_000; // just below a power of two, where the table is as full as it gets
    const before = process.memoryUsage().arrayBuffers;
    const label = (i: number) => `${(i * 2_654_435_761).toString(16)}`.padStart(64, '0');
    const commitments = chosen(count, label);
    const taken = process.memoryUsage().arrayBuffers - before;
    expect(commitments.find(label(count - 1), 10 ** 9)).toBeDefined();
    expect(taken / count).toBeLessThan(100);
  });
});
