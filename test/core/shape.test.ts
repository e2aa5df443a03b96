import { describe, expect, test } from '@jest/globals';
import { count, parseShape, record } from '../../src/core/shape.ts';

describe('a record', () => {
  const parse = (value: unknown) => parseShape(record(count), value, 'the counts');

  test('keeps every name, also those that objects inherit', () => {
    const counts = { constructor: 1, prototype: 2, tostring: 3 };
    expect(Object.entries(parse(counts))).toEqual(Object.entries(counts));
  });

  test('has nothing under a name that is not in it', () => {
    expect(parse({}).constructor).toBeUndefined();
  });

  test('is refused for one member that does not fit, by its name', () => {
    expect(() => parse({ a: 1, constructor: -1 })).toThrow('the counts, field constructor: must');
  });

  test.each([null, [], 'text', 1])('is not %j', (value) => {
    expect(() => parse(value)).toThrowWithCode('bad-document');
  });
});
