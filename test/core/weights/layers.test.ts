import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { compareTensors, type TensorContent } from '../../../src/core/weights/compare.ts';
import { MAX_LAYERS, MAX_STACKS, placeOf, tallyLayers } from '../../../src/core/weights/layers.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const tensor = (name: string, values = name, size = 100): TensorContent => ({
  name,
  dtype: 'U8',
  shape: [size],
  size,
  sha256: digestOf(nodeHost, utf8(values)),
  file: 'model.safetensors',
});

const tally = (before: TensorContent[], after: TensorContent[]) =>
  tallyLayers(before, compareTensors(before, after));

describe('the place of a tensor', () => {
  test.each([
    ['model.layers.12.mlp.experts.3.up_proj.weight', 'model.layers', '12'],
    ['blk.0.ffn_up.weight', 'blk', '0'],
    ['encoder.block.3.layer.0.weight', 'encoder.block', '3'],
    ['decoder/layers/7/kernel', 'decoder/layers', '7'],
    ['lm_head.weight', '', 'lm_head'],
    ['conv2d_1/kernel', '', 'conv2d_1'],
    ['0.weight', '', '0'],
    ['scale', '', 'scale'],
    ['layers.007.weight', '', 'layers.007'],
  ])('%s', (name, stack, layer) => {
    expect(placeOf(name)).toEqual({ stack, layer });
  });
});

describe('what changed in each layer', () => {
  test('is told in tensors and bytes, the layers in the order of their numbers', () => {
    const layers = (values: string) =>
      [0, 2, 10].flatMap((i) => [
        tensor(`layers.${i}.a`, 'same', 300),
        tensor(`layers.${i}.b`, i === 2 ? values : 'same'),
      ]);
    const { stacks } = tally(layers('before'), layers('after'));
    expect(stacks).toEqual([
      {
        name: 'layers',
        more: 0,
        layers: ['0', '2', '10'].map((name) => ({
          name,
          tensors: 2,
          changed: name === '2' ? 1 : 0,
          bytes: 400,
          changedBytes: name === '2' ? 100 : 0,
        })),
      },
    ]);
  });

  test('counts a tensor of another size by what it is now', () => {
    const { stacks } = tally([tensor('h.0.w', 'a', 400)], [tensor('h.0.w', 'b', 100)]);
    expect(stacks[0]!.layers).toMatchObject([{ bytes: 100, changedBytes: 100, changed: 1 }]);
  });

  test('says of which layers there is one side alone', () => {
    const { stacks } = tally(
      [tensor('h.0.w'), tensor('h.1.w'), tensor('head.w')],
      [tensor('h.0.w'), tensor('h.2.w'), tensor('head.w')],
    );
    expect(stacks.map(({ name }) => name)).toEqual(['h', '']);
    expect(stacks[0]!.layers.map(({ name, only, bytes }) => [name, only, bytes])).toEqual([
      ['0', undefined, 100],
      ['1', 'removed', 100],
      ['2', 'added', 100],
    ]);
  });

  test('has an end, whatever numbers the names have', () => {
    const deep = Array.from({ length: MAX_LAYERS + 1 }, (_, i) => tensor(`h.${i}.w`, 'x'));
    expect(tally(deep, []).stacks).toMatchObject([{ more: 1 }]);
    const many = Array.from({ length: MAX_STACKS + 2 }, (_, i) => tensor(`s${i}.0.w`, 'x'));
    expect(tally(many, [])).toMatchObject({ more: 2 });
    expect(tally(many, []).stacks).toHaveLength(MAX_STACKS);
  });
});
