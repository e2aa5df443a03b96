import { describe, expect, test } from '@jest/globals';
import { isPartial, selector } from '../../src/transfer/glob.ts';

describe('a selection', () => {
  test.each([
    ['*.json', 'config.json', true],
    ['*.json', 'onnx/config.json', true],
    ['*.json', 'config.json5', false],
    ['onnx', 'onnx/model.onnx', true],
    ['onnx/', 'onnx/model.onnx', true],
    ['onnx/*.onnx', 'onnx/model.onnx', true],
    ['onnx/*.onnx', 'other/onnx/model.onnx', false],
    ['**/*.onnx', 'a/b/model.onnx', true],
    ['model-0000[12]-*', 'model-00002-of-00008.safetensors', true],
  ])('%s fits %s: %s', (pattern, path, fits) => {
    expect(selector({ include: [pattern] })(path)).toBe(fits);
    expect(selector({ exclude: [pattern] })(path)).toBe(!fits);
  });

  test('excludes what it includes', () => {
    const select = selector({ include: ['*.bin'], exclude: ['old'] });
    expect(['a.bin', 'old/a.bin', 'a.txt'].filter(select)).toEqual(['a.bin']);
  });

  test('without patterns is everything', () => {
    expect(selector({})('anything')).toBe(true);
    expect(isPartial({})).toBe(false);
    expect(isPartial({ exclude: ['x'] })).toBe(true);
  });

  test('has at most 64 patterns of 256 characters', () => {
    expect(() => selector({ include: Array(64).fill('a'.repeat(256)) })).not.toThrow();
    expect(() => selector({ include: Array(65).fill('a') })).toThrowWithCode('usage');
    expect(() => selector({ exclude: ['a'.repeat(257)] })).toThrowWithCode('usage');
    expect(() => selector({ exclude: [''] })).toThrowWithCode('usage');
  });
});
