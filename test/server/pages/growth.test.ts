import { expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { formatEntry } from '../../../src/core/log/entry.ts';
import { Growth, MAX_SAMPLES, samplesOf } from '../../../src/server/pages/growth.ts';
import { growthChart } from '../../../src/server/pages/views/growth.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const RECORD = utf8('{"kind":"hashedrekord"}');

/** A log of entries a minute apart; counts the bundles that it is asked for. */
function logOf(entryAt: (index: number) => Uint8Array = root) {
  const asked: (readonly [number, number])[] = [];
  const entries = async (start: number, end: number) => {
    asked.push([start, end]);
    return Array.from({ length: end - start }, (_, i) => entryAt(start + i));
  };
  return { growth: new Growth({ entries }), asked };
}

function root(index: number): Uint8Array {
  const digest = `sha256:${'0'.repeat(64)}` as const;
  return formatEntry({ v: 1, kind: 'root', version: 1, digest: digest as never, time: at(index) });
}

test('samples are few, in order, and have the first and the last entry, whatever the size', () => {
  for (const size of [1, 2, MAX_SAMPLES - 1, MAX_SAMPLES, MAX_SAMPLES + 1, 1_000, 10 ** 9]) {
    const samples = samplesOf(size);
    expect(samples.length).toBeLessThanOrEqual(MAX_SAMPLES);
    expect([samples[0], samples.at(-1)]).toEqual([0, size - 1]);
    expect(samples).toEqual([...new Set(samples)].sort((a, b) => a - b));
  }
  expect(samplesOf(0)).toEqual([]);
});

test('no bundle is read twice for one size, nor again for what is known of another', async () => {
  const { growth, asked } = logOf();
  const points = await growth.points(1_000);
  expect(points[0]).toEqual({ size: 1, time: at(0) });
  expect(points.at(-1)).toEqual({ size: 1_000, time: at(999) });
  expect(asked.map(([start]) => start).sort((a, b) => a - b)).toEqual([0, 256, 512, 768]);
  await growth.points(1_000);
  expect(asked).toHaveLength(4);
  await growth.points(1_001);
  expect(asked).toHaveLength(5);
});

test('an entry that says no time is passed over for the one before it', async () => {
  const { growth } = logOf((index) => (index % 2 === 1 ? RECORD : root(index)));
  const points = await growth.points(4);
  expect(points).toEqual([
    { size: 1, time: at(0) },
    { size: 3, time: at(2) },
  ]);
});

test('a failure is not kept', async () => {
  let fails = true;
  const entries = async (start: number, end: number) => {
    if (fails) throw new Error('the store fails');
    return Array.from({ length: end - start }, (_, i) => root(start + i));
  };
  const growth = new Growth({ entries });
  await expect(growth.points(3)).rejects.toThrow('the store fails');
  fails = false;
  expect(await growth.points(3)).toHaveLength(3);
});

test('the chart stands still where a clock went back, and says so of a log that is too young', () => {
  const text = growthChart([
    { size: 1, time: at(0) },
    { size: 2, time: at(10) },
    { size: 4, time: at(5) },
  ]).toString();
  expect(text).toContain('points="0,750 1000,500 1000,0"');
  expect(growthChart([{ size: 1, time: at(0) }]).toString()).toContain('too young');
  expect(growthChart([]).toString()).toContain('too young');
});
