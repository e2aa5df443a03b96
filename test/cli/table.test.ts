import { describe, expect, test } from '@jest/globals';
import { formatFields, formatTable } from '../../src/cli/table.ts';

describe('tables', () => {
  test('columns are as wide as their widest cell, and no line ends in blanks', () => {
    const rows = [
      ['model.safetensors', '1.0 MiB', 'f32'],
      ['a', '19 B', ''],
    ];
    expect(formatTable(['FILE', 'SIZE', 'DTYPE'], rows, ['left', 'right'])).toEqual([
      'FILE                  SIZE  DTYPE',
      'model.safetensors  1.0 MiB  f32',
      'a                     19 B',
    ]);
  });

  test('a table without rows still has its headings', () => {
    expect(formatTable(['A', 'B'], [])).toEqual(['A  B']);
  });

  test('has room for as many rows as a release has tensors', () => {
    const rows = Array.from({ length: 750_000 }, () => ['w']);
    expect(formatTable(['TENSOR'], rows)).toHaveLength(750_001);
  });

  test('values of fields stand below each other', () => {
    expect(
      formatFields([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toEqual(['a     1', 'long  2']);
  });
});
