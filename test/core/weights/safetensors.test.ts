import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import {
  MAX_DIMENSIONS,
  MAX_SAFETENSORS_HEADER,
  readSafetensors,
  SAFETENSORS_DTYPES,
  safetensorsSize,
} from '../../../src/core/weights/safetensors.ts';
import { frameSafetensors, makeSafetensors } from '../../made/safetensors.ts';

const read = (file: Uint8Array) => readSafetensors(readerOf(file), 'm.safetensors');

/** A header with one tensor `w` described by this text, before `size` bytes. */
const one = (description: string, size: number) =>
  frameSafetensors(`{"w":${description}}`, new Uint8Array(size));

const tensor = fc
  .record({
    dtype: fc.constantFrom(...SAFETENSORS_DTYPES.keys()),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  })
  .filter(({ dtype, shape }) => safetensorsSize(dtype, shape) !== undefined);

describe('a safetensors file', () => {
  test('gives back the tensors that were written, where they were written', async () => {
    // JSON with a key "__proto__" is refused wherever it stands.
    const harmless = (name: string) => name !== '__proto__';
    const names = fc.string({ unit: 'grapheme' }).filter(harmless);
    const tensors = fc.dictionary(names, tensor, { maxKeys: 6 });
    const metadata = fc.option(fc.dictionary(fc.string().filter(harmless), fc.string()), {
      nil: undefined,
    });
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (made, meta) => {
        fc.pre(
          !('__metadata__' in made) && !('__proto__' in made) && !('__proto__' in (meta ?? {})),
        );
        const file = makeSafetensors(made, meta);
        const found = await read(file);
        expect(found.metadata).toEqual({ ...meta });
        expect(found.tensors).toHaveLength(Object.keys(made).length);
        for (const { name, dtype, shape } of found.tensors) {
          expect({ dtype, shape }).toEqual(made[name]);
        }
        let end = 8 + found.headerSize;
        for (const { offset, size } of found.tensors) {
          expect(offset).toBe(end);
          end += size;
        }
        expect(end).toBe(file.length);
      }),
    );
  });

  test('may have tensors without elements, of shape [], and no tensors at all', async () => {
    const file = makeSafetensors({
      empty: { dtype: 'F32', shape: [0, 3] },
      scalar: { dtype: 'I64', shape: [] },
      void: { dtype: 'F32', shape: [0] },
    });
    expect((await read(file)).tensors.map(({ name, size }) => [name, size])).toEqual([
      ['empty', 0],
      ['scalar', 8],
      ['void', 0],
    ]);
    expect(await read(frameSafetensors('{}'))).toEqual({
      metadata: {},
      tensors: [],
      headerSize: 2,
    });
  });

  test('may list its tensors in another order than they lie in, and pad its header with spaces', async () => {
    const header =
      '{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   ';
    const { tensors } = await read(frameSafetensors(header, new Uint8Array(3)));
    expect(tensors.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test.each([
    ['F4', [3], undefined],
    ['F4', [4], 2],
    ['F6_E2M3', [4], 3],
    ['F6_E3M2', [2], undefined],
    ['BF16', [2, 3], 12],
    ['C64', [], 8],
    ['F32', [2 ** 30, 2 ** 30], undefined],
    ['F32', [2 ** 53, 0], undefined],
    ['F32', [2 ** 40, 2 ** 40, 0], undefined],
    ['U64', [2 ** 50], undefined],
    ['X', [1], undefined],
  ])('counts the bytes of %s %j as %s', (dtype, shape, size) => {
    expect(safetensorsSize(dtype, shape)).toBe(size);
  });

  test('has as many dimensions as the limit and not one more', () => {
    expect(safetensorsSize('U8', Array(MAX_DIMENSIONS).fill(1))).toBe(1);
    expect(safetensorsSize('U8', Array(MAX_DIMENSIONS + 1).fill(1))).toBeUndefined();
  });

  test('means something else, or is refused, when any bit of its header is flipped', async () => {
    const file = makeSafetensors({ w: { dtype: 'F32', shape: [2, 3] } });
    const before = await read(file);
    for (let i = 0; i < file.length - 24; i++) {
      for (const flip of [1, 0x80]) {
        const changed = Uint8Array.from(file);
        changed[i]! ^= flip;
        const outcome = await read(changed).catch((error) => error);
        if (outcome instanceof Error) expect(outcome).toThrowWithCode('bad-weights');
        else expect(outcome).not.toEqual(before);
      }
    }
  });

  test('cut off anywhere is refused', async () => {
    const file = makeSafetensors({ w: { dtype: 'U8', shape: [5] } });
    for (let length = 0; length < file.length; length++) {
      await expect(read(file.subarray(0, length))).rejects.toThrowWithCode('bad-weights');
    }
  });
});

describe('a hostile safetensors file is refused', () => {
  const W = '{"dtype":"U8","shape":[4],"data_offsets":[0,4]}';
  test.each([
    ['a header longer than the file', frameSafetensors('{}', new Uint8Array(9), 12n)],
    ['a header of 2^64-1 bytes', frameSafetensors('{}', undefined, 2n ** 64n - 1n)],
    ['an empty header', frameSafetensors('')],
    ['a header that begins with a space', frameSafetensors(' {}')],
    ['a header that is a list', frameSafetensors('[]')],
    [
      'bytes that are not UTF-8',
      frameSafetensors(
        concat(utf8('{"'), new Uint8Array([0xff]), utf8(`":${W}}`)),
        new Uint8Array(4),
      ),
    ],
    ['broken JSON', frameSafetensors('{"w":', new Uint8Array(4))],
    ['two JSON values', frameSafetensors('{}{}')],
    ['a duplicate tensor', frameSafetensors(`{"w":${W},"w":${W}}`, new Uint8Array(4))],
    [
      'a duplicate tensor, once escaped',
      frameSafetensors(`{"w":${W},"\\u0077":${W}}`, new Uint8Array(4)),
    ],
    ['a duplicate dtype', one('{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}', 4)],
    ['a __proto__ tensor', frameSafetensors(`{"__proto__":${W}}`, new Uint8Array(4))],
    ['nesting', one(`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 4)],
    ['metadata that is no object', frameSafetensors('{"__metadata__":"pt"}')],
    ['metadata with a number', frameSafetensors('{"__metadata__":{"a":1}}')],
    ['metadata with an object', frameSafetensors('{"__metadata__":{"a":{}}}')],
    ['null metadata', frameSafetensors('{"__metadata__":null}')],
    ['an unknown dtype', one('{"dtype":"F7","shape":[4],"data_offsets":[0,4]}', 4)],
    ['no dtype', one('{"shape":[4],"data_offsets":[0,4]}', 4)],
    ['one member too many', one('{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":"y"}', 4)],
    ['a tensor that is a list', one('["U8",[4],[0,4]]', 4)],
    ['a shape that is a number', one('{"dtype":"U8","shape":4,"data_offsets":[0,4]}', 4)],
    ['a negative size', one('{"dtype":"U8","shape":[-4,-1],"data_offsets":[0,4]}', 4)],
    ['a fraction', one('{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}', 4)],
    ['an exponent', one('{"dtype":"U8","shape":[4e0],"data_offsets":[0,4]}', 4)],
    ['minus nought', one('{"dtype":"U8","shape":[4],"data_offsets":[-0,4]}', 4)],
    ['a size of 2^53', one('{"dtype":"U8","shape":[9007199254740992,0],"data_offsets":[0,0]}', 0)],
    [
      'an offset over 2^53',
      one('{"dtype":"U8","shape":[4],"data_offsets":[9007199254740993,9007199254740997]}', 4),
    ],
    [
      'a product that overflows',
      one('{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}', 0),
    ],
    [
      'a product of 2^64, as 0',
      one('{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}', 0),
    ],
    ['one offset', one('{"dtype":"U8","shape":[4],"data_offsets":[0]}', 4)],
    ['offsets backwards', one('{"dtype":"U8","shape":[4],"data_offsets":[4,0]}', 4)],
    ['fewer bytes than the shape has', one('{"dtype":"U8","shape":[4],"data_offsets":[0,3]}', 3)],
    ['a broken last byte', one('{"dtype":"F4","shape":[3],"data_offsets":[0,2]}', 2)],
    ['a hole before the first tensor', one('{"dtype":"U8","shape":[4],"data_offsets":[1,5]}', 5)],
    [
      'a hole between',
      frameSafetensors(
        `{"v":${W},"w":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`,
        new Uint8Array(6),
      ),
    ],
    [
      'an overlap',
      frameSafetensors(
        `{"v":${W},"w":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}`,
        new Uint8Array(5),
      ),
    ],
    ['one range for two tensors', frameSafetensors(`{"v":${W},"w":${W}}`, new Uint8Array(4))],
    ['bytes after the last tensor', one(W, 5)],
    ['bytes after no tensor', frameSafetensors('{}', new Uint8Array(1))],
  ])('for %s', async (_, file) => {
    await expect(read(file)).rejects.toThrowWithCode('bad-weights');
  });

  test('for a header one byte over the limit, before a byte of it is fetched', async () => {
    const lengths: number[] = [];
    const claim = (length: number) => ({
      size: 2 ** 40,
      read: async (_: number, wanted: number) => {
        lengths.push(wanted);
        return frameSafetensors('', undefined, BigInt(length)).subarray(0, wanted);
      },
    });
    await expect(readSafetensors(claim(MAX_SAFETENSORS_HEADER + 1), 'm')).rejects.toThrowWithCode(
      'bad-weights',
    );
    expect(lengths).toEqual([8]);
    // At the limit the header is asked for; that this file then ends is another matter.
    await expect(readSafetensors(claim(MAX_SAFETENSORS_HEADER), 'm')).rejects.toThrowWithCode(
      'file-changed',
    );
    expect(lengths).toEqual([8, 8, MAX_SAFETENSORS_HEADER]);
  });

  test.each([
    ['a hole', 5, 6],
    ['an overlap', 3, 4],
  ])('by name for %s', async (fault, begin, end) => {
    const header = `{"v":${W},"w":{"dtype":"U8","shape":[1],"data_offsets":[${begin},${end}]}}`;
    await expect(read(frameSafetensors(header, new Uint8Array(end)))).rejects.toThrow(
      `${fault} before the tensor "w"`,
    );
  });
});
