import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import {
  compareFiles,
  compareTensors,
  fateOf,
  filesOf,
  type TensorContent,
} from '../../../src/core/weights/compare.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const tensor = (name: string, values: string, changes: Partial<TensorContent> = {}) => ({
  name,
  dtype: 'F32',
  shape: [2, 2],
  size: 16,
  sha256: digestOf(nodeHost, utf8(values)),
  file: 'model.safetensors',
  ...changes,
});

const fates = (before: TensorContent[], after: TensorContent[]) =>
  compareTensors(before, after).map((change) => [change.name, fateOf(change)]);

describe('two models', () => {
  test('differ in what was changed, added and removed', () => {
    const before = [tensor('a', '1'), tensor('b', '2'), tensor('c', '3')];
    const after = [tensor('d', '4'), tensor('b', 'other'), tensor('a', '1')];
    expect(fates(before, after)).toEqual([
      ['d', 'added'],
      ['b', 'changed'],
      ['c', 'removed'],
    ]);
  });

  test('differ in dtype and shape, even of the same bytes', () => {
    const before = [tensor('a', '1'), tensor('b', '2')];
    const after = [tensor('a', '1', { dtype: 'I32' }), tensor('b', '2', { shape: [4] })];
    expect(fates(before, after)).toEqual([
      ['a', 'changed'],
      ['b', 'changed'],
    ]);
  });

  test('do not differ by being cut into other files', () => {
    const before = [tensor('a', '1'), tensor('b', '2')];
    const after = [tensor('a', '1', { file: '1' }), tensor('b', '2', { file: '2' })];
    expect(fates(before, after)).toEqual([]);
  });

  test('may have a name twice: it is told apart by its file', () => {
    const before = [tensor('a', '1', { file: '1' }), tensor('a', '2', { file: '2' })];
    const after = [tensor('a', '1', { file: '1' }), tensor('a', 'other', { file: '2' })];
    expect(fates(before, after)).toEqual([['2:a', 'changed']]);
  });

  test('differ in files by their bytes', () => {
    const file = (path: string, text: string) => ({
      path,
      size: text.length,
      sha256: digestOf(nodeHost, utf8(text)),
    });
    const changes = compareFiles([file('a', '1'), file('b', '2')], [file('b', '3')]);
    expect(changes.map((change) => [change.name, fateOf(change)])).toEqual([
      ['b', 'changed'],
      ['a', 'removed'],
    ]);
  });

  test('are compared in one pass: a hundred thousand others take no hour', () => {
    const side = (values: string) => {
      const one = tensor('', values);
      return Array.from({ length: 100_000 }, (_, i) => ({
        ...one,
        name: `${i}`,
        file: `${i % 9}`,
      }));
    };
    const changes = compareTensors(side('1'), side('2'));
    expect(filesOf(changes).size).toBe(9);
    expect(changes).toHaveLength(100_000);
  });
});
