import { describe, expect, test } from '@jest/globals';
import { BoundedMap } from '../../src/core/bounded-map.ts';

describe('a bounded map', () => {
  test('keeps as many entries as its limit, and of one more forgets the oldest', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect([map.get('a'), map.get('b')]).toEqual([1, 2]);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, 2, 3]);
  });

  test('counts what its entries weigh, at the limit and one past it', () => {
    const map = new BoundedMap<string, string>(5, (text) => text.length);
    map.set('a', 'xx');
    map.set('b', 'xxx');
    expect(map.get('a')).toBe('xx');
    map.set('b', 'xxxx');
    expect([map.get('a'), map.get('b')]).toEqual([undefined, 'xxxx']);
    map.set('c', 'xxxxxx');
    expect([map.get('b'), map.get('c')]).toEqual([undefined, undefined]);
    map.set('d', 'xxxxx');
    expect(map.get('d')).toBe('xxxxx');
  });

  test('makes room by what is set anew or deleted', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4]);
    map.delete('a');
    map.delete('a');
    map.set('d', 5);
    expect([map.get('c'), map.get('d')]).toEqual([4, 5]);
  });
});
