import { describe, expect, test } from '@jest/globals';
import { compare, isMet, median, withoutPeer } from '../../scripts/bench/figure.ts';
import { takeTurns } from '../../scripts/bench/turns.ts';

const about = { figure: 'a race', unit: 'MB/s', atLeast: 0.9, command: { ours: 'a', peer: 'b' } };

describe('a figure', () => {
  test('is the median of the ratios within a round, so that a slow round of both counts for nothing', () => {
    const rounds = [
      { ours: 100, peer: 100 },
      { ours: 10, peer: 10 },
      { ours: 95, peer: 100 },
    ];
    expect(compare(about, rounds)).toMatchObject({ ours: 95, peer: 100, ratio: 1 });
  });

  test('is met at its limit and missed below', () => {
    expect(isMet(compare(about, [{ ours: 90, peer: 100 }]))).toBe(true);
    expect(isMet(compare(about, [{ ours: 89, peer: 100 }]))).toBe(false);
  });

  test('may have a limit from above, and no peer', () => {
    const start = { figure: 'start', unit: 's', atMost: 3, command: {}, runs: [] };
    expect(isMet({ ...start, ours: 3 })).toBe(true);
    expect(isMet({ ...start, ours: 3.1 })).toBe(false);
  });

  test('is neither met nor missed where nothing was asked of it', () => {
    expect(isMet({ figure: 'a look', unit: 's', command: {}, runs: [], ours: 3 })).toBeUndefined();
  });

  test('is neither met nor missed where the peer is missing', () => {
    const figure = withoutPeer(about, 'aria2c');
    expect(figure).toMatchObject({ missing: 'aria2c', runs: [] });
    expect(isMet(figure)).toBeUndefined();
  });
});

describe('the median', () => {
  test('is the middle one, or the mean of the middle two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('turns', () => {
  test('begin with a round that does not count, and change who goes first', async () => {
    const order: string[] = [];
    const runner = (name: string) => async () => order.push(name);
    const rounds = await takeTurns(3, { a: runner('a'), b: runner('b') });
    expect(order.join('')).toBe('ab' + 'ab' + 'ba' + 'ab');
    expect(rounds).toHaveLength(3);
  });
});
