import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import { GGML_TYPES, ggmlSize } from '../../../src/core/weights/ggml.ts';
import {
  MAX_GGUF_ALIGNMENT,
  MAX_GGUF_ARRAY,
  MAX_GGUF_ARRAY_DEPTH,
  MAX_GGUF_HEADER,
  MAX_GGUF_KEY_BYTES,
  MAX_GGUF_KEYS,
  MAX_GGUF_STRING,
  MAX_GGUF_TENSORS,
  readGguf,
} from '../../../src/core/weights/gguf.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import {
  f32,
  GGUF,
  ggufArray,
  ggufHeader,
  ggufKey,
  ggufString,
  ggufTensor,
  makeGguf,
  u32,
  u64,
} from '../../made/gguf.ts';

const read = (file: Uint8Array) => readGguf(readerOf(file), 'm.gguf');
const F32 = 0;
const Q8_0 = 8;

/** A file with these keys and no tensors. */
const withKeys = (...keys: Uint8Array[]) => concat(ggufHeader({ keys: keys.length }), ...keys);

/** A file with these tensor descriptions and `size` bytes of data. */
const withTensors = (infos: readonly Uint8Array[], size: number) => {
  const front = concat(ggufHeader({ tensors: infos.length }), ...infos);
  return concat(front, new Uint8Array((32 - (front.length % 32)) % 32), new Uint8Array(size));
};

/** An array of `count` elements, nested so deep. */
const nested = (depth: number): Uint8Array =>
  depth === 1
    ? ggufArray(GGUF.u8, 1, new Uint8Array(1))
    : ggufArray(GGUF.array, 1, nested(depth - 1));

describe('a GGUF file', () => {
  test('gives back the tensors that were written, aligned, each where it was written', async () => {
    const tensor = fc
      .record({
        dtype: fc.constantFrom(...[...GGML_TYPES.values()].map((type) => type.name)),
        rows: fc.integer({ min: 0, max: 2 }),
        rest: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
      })
      .map(({ dtype, rows, rest }) => ({ dtype, shape: [rows * blockOf(dtype), ...rest] }));
    const alignment = fc.constantFrom(8, 32, 64, MAX_GGUF_ALIGNMENT);
    await fc.assert(
      fc.asyncProperty(fc.array(tensor, { maxLength: 5 }), alignment, async (made, aligned) => {
        const tensors = made.map((one, i) => ({ ...one, name: `t${i}` }));
        const found = await read(makeGguf({ tensors, alignment: aligned }));
        expect(found.alignment).toBe(aligned);
        expect(found.tensors).toHaveLength(tensors.length);
        for (const { name, dtype, shape, offset, size } of found.tensors) {
          expect({ name, dtype, shape }).toEqual(tensors.find((one) => one.name === name));
          expect(offset % aligned).toBe(0);
          expect(size).toBe(ggmlSize(dtype, shape));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('gives its general scalar values, and passes over everything else', async () => {
    const keys = [
      ggufKey('general.name', GGUF.string, ggufString('Größe')),
      ggufKey('general.u8', GGUF.u8, new Uint8Array([255])),
      ggufKey('general.i8', GGUF.i8, new Uint8Array([255])),
      ggufKey('general.u16', GGUF.u16, new Uint8Array([0xfe, 0xff])),
      ggufKey('general.i16', GGUF.i16, new Uint8Array([0xfe, 0xff])),
      ggufKey('general.u32', GGUF.u32, u32(2 ** 32 - 1)),
      ggufKey('general.i32', GGUF.i32, u32(2 ** 32 - 1)),
      ggufKey('general.f32', GGUF.f32, f32(0.5)),
      ggufKey('general.nan', GGUF.f32, f32(Number.NaN)),
      ggufKey('general.bool', GGUF.bool, new Uint8Array([1])),
      ggufKey('general.u64', GGUF.u64, u64(2n ** 64n - 1n)),
      ggufKey('general.i64', GGUF.i64, u64(2n ** 64n - 1n)),
      ggufKey(
        'general.tags',
        GGUF.array,
        ggufArray(GGUF.string, 2, ggufString('a'), ggufString('')),
      ),
      ggufKey('llama.block_count', GGUF.u32, u32(2)),
      ggufKey('tokenizer.flags', GGUF.array, ggufArray(GGUF.bool, 2, new Uint8Array([0, 1]))),
      ggufKey('tokenizer.scores', GGUF.array, ggufArray(GGUF.f32, 2, f32(1), f32(2))),
      ggufKey('tokenizer.nested', GGUF.array, nested(MAX_GGUF_ARRAY_DEPTH)),
    ];
    expect((await read(makeGguf({ keys, version: 2 }))).metadata).toEqual({
      'general.name': 'Größe',
      'general.u8': 255,
      'general.i8': -1,
      'general.u16': 65534,
      'general.i16': -2,
      'general.u32': 4294967295,
      'general.i32': -1,
      'general.f32': 0.5,
      'general.nan': 'NaN',
      'general.bool': true,
      'general.u64': '18446744073709551615',
      'general.i64': -1,
    });
  });

  test('reads vocabularies longer than what it holds at once', async () => {
    const words = Array.from({ length: 30_000 }, (_, i) => ggufString(`token ${i}`));
    const keys = [
      ggufKey('tokenizer.ggml.tokens', GGUF.array, ggufArray(GGUF.string, words.length, ...words)),
      ggufKey('general.name', GGUF.string, ggufString('after')),
    ];
    const file = makeGguf({ keys, tensors: [{ name: 'w', dtype: 'F32', shape: [3] }] });
    const { metadata, tensors } = await read(file);
    expect(metadata).toEqual({ 'general.name': 'after' });
    expect(tensors[0]!.offset + 32).toBe(file.length);
  });

  test('may have tensors without dimensions or elements, and lack the padding at its end', async () => {
    const infos = [
      ggufTensor('s', [], F32, 0n),
      ggufTensor('e', [0], F32, 32n),
      ggufTensor('w', [1], F32, 32n),
    ];
    const { tensors } = await read(withTensors(infos, 36));
    expect(tensors.map(({ name, size }) => [name, size])).toEqual([
      ['s', 4],
      ['e', 0],
      ['w', 4],
    ]);
  });

  test('cut off anywhere within its header or its tensors is refused', async () => {
    const file = makeGguf({
      keys: [
        ggufKey('general.name', GGUF.string, ggufString('name')),
        ggufKey('a', GGUF.array, ggufArray(GGUF.string, 1, ggufString('x'))),
      ],
      tensors: [{ name: 'w', dtype: 'Q8_0', shape: [32] }],
    });
    for (let length = 0; length < file.length - 30; length++) {
      await expect(read(file.subarray(0, length))).rejects.toThrowWithCode('bad-weights');
    }
  });

  test('is read no further than it is told, and refused when its header goes on there', async () => {
    const file = makeGguf({
      keys: [ggufKey('general.name', GGUF.string, ggufString('name'))],
      tensors: [{ name: 'w', dtype: 'F32', shape: [100_000] }],
    });
    const { tensors } = await read(file);
    const end = tensors[0]!.offset;
    let reached = 0;
    const reader = readerOf(file);
    const watched = {
      size: file.length,
      read: (offset: number, length: number) => {
        reached = Math.max(reached, offset + length);
        return reader.read(offset, length);
      },
    };
    expect((await readGguf(watched, 'm.gguf', end)).tensors).toEqual(tensors);
    expect(reached).toBe(end);
    await expect(readGguf(watched, 'm.gguf', end - 32)).rejects.toThrowWithCode('bad-weights');
  });

  test('never fails otherwise than by refusing when any byte changes', async () => {
    const file = makeGguf({
      keys: [
        ggufKey('general.name', GGUF.string, ggufString('name')),
        ggufKey('a', GGUF.array, nested(2)),
      ],
      tensors: [{ name: 'w', dtype: 'F16', shape: [2, 2] }],
    });
    for (let i = 0; i < file.length; i++) {
      for (const value of [0, 0x7f, 0xff]) {
        const changed = Uint8Array.from(file);
        changed[i] = value;
        const outcome = await read(changed).catch((error) => error);
        if (outcome instanceof Error) expect(outcome).toThrowWithCode('bad-weights');
      }
    }
  });
});

describe('a hostile GGUF file is refused', () => {
  const w = (offset: bigint) => ggufTensor('w', [8], F32, offset);
  const v = (offset: bigint) => ggufTensor('v', [8], F32, offset);
  test.each([
    ['another magic', utf8('GGUX\x03\0\0\0').slice()],
    ['version 1', concat(ggufHeader({ version: 1 }))],
    ['version 4', concat(ggufHeader({ version: 4 }))],
    ['big-endian', concat(ggufHeader({ version: 0x03000000 }))],
    ['2^64-1 tensors', concat(ggufHeader({ tensors: 2n ** 64n - 1n }), new Uint8Array(99))],
    ['2^64-1 keys', concat(ggufHeader({ keys: 2n ** 64n - 1n }), new Uint8Array(99))],
    ['more tensors than fit into the file', concat(ggufHeader({ tensors: 5 }), new Uint8Array(99))],
    ['more keys than fit into the file', concat(ggufHeader({ keys: 8 }), new Uint8Array(99))],
    ['a key of 2^63 bytes', concat(ggufHeader({ keys: 1 }), u64(2n ** 63n), new Uint8Array(99))],
    ['an empty key', withKeys(ggufKey('', GGUF.u8, new Uint8Array(1)))],
    ['a key that is not ASCII', withKeys(ggufKey('ä', GGUF.u8, new Uint8Array(1)))],
    ['a key with a control character', withKeys(ggufKey('a\n', GGUF.u8, new Uint8Array(1)))],
    [
      'one key twice',
      withKeys(ggufKey('a', GGUF.u8, new Uint8Array(1)), ggufKey('a', GGUF.u8, new Uint8Array(1))),
    ],
    ['a value of an unknown type', withKeys(ggufKey('a', 13, new Uint8Array(8)))],
    ['a truth value of 2', withKeys(ggufKey('a', GGUF.bool, new Uint8Array([2])))],
    [
      'a truth value of 2 in an array',
      withKeys(ggufKey('a', GGUF.array, ggufArray(GGUF.bool, 1, new Uint8Array([2])))),
    ],
    [
      'text that is not UTF-8',
      withKeys(ggufKey('a', GGUF.string, concat(u64(1), new Uint8Array([0xff])))),
    ],
    [
      'a string longer than the file',
      withKeys(ggufKey('a', GGUF.string, concat(u64(9), new Uint8Array(8)))),
    ],
    [
      'a string in an array longer than the file',
      withKeys(ggufKey('a', GGUF.array, ggufArray(GGUF.string, 1, u64(9)))),
    ],
    ['an array of an unknown type', withKeys(ggufKey('a', GGUF.array, ggufArray(13, 0)))],
    [
      'an array longer than the file',
      withKeys(ggufKey('a', GGUF.array, ggufArray(GGUF.u64, 9, new Uint8Array(64)))),
    ],
    [
      'an array of 2^64-1 elements',
      withKeys(ggufKey('a', GGUF.array, ggufArray(GGUF.u64, 2n ** 64n - 1n))),
    ],
    ['an alignment of 0', withKeys(ggufKey('general.alignment', GGUF.u32, u32(0)))],
    ['an alignment of 24', withKeys(ggufKey('general.alignment', GGUF.u32, u32(24)))],
    [
      'an alignment that is text',
      withKeys(ggufKey('general.alignment', GGUF.string, ggufString('32'))),
    ],
    [
      'an alignment over the limit',
      withKeys(ggufKey('general.alignment', GGUF.u32, u32(2 * MAX_GGUF_ALIGNMENT))),
    ],
    ['a tensor name of 65 bytes', withTensors([ggufTensor('n'.repeat(65), [8], F32, 0n)], 32)],
    ['one tensor twice', withTensors([w(0n), w(32n)], 64)],
    ['five dimensions', withTensors([ggufTensor('w', [1, 1, 1, 1, 1], F32, 0n)], 32)],
    [
      '2^32-1 dimensions',
      concat(ggufHeader({ tensors: 1 }), ggufString('w'), u32(2 ** 32 - 1), new Uint8Array(99)),
    ],
    ['a withdrawn type', withTensors([ggufTensor('w', [32], 4, 0n)], 32)],
    [
      'a row that is no whole number of blocks',
      withTensors([ggufTensor('w', [16, 2], Q8_0, 0n)], 64),
    ],
    [
      'a product that overflows',
      withTensors([ggufTensor('w', [2n ** 32n, 2n ** 32n], F32, 0n)], 32),
    ],
    ['a dimension of 2^64-1', withTensors([ggufTensor('w', [2n ** 64n - 1n], F32, 0n)], 32)],
    ['an offset out of alignment', withTensors([w(16n)], 64)],
    ['an offset of 2^63', withTensors([w(2n ** 63n)], 64)],
    ['a tensor beyond the end', withTensors([ggufTensor('w', [9], F32, 0n)], 32)],
    ['an overlap', withTensors([ggufTensor('v', [9], F32, 0n), w(32n)], 64)],
    ['one range for two tensors', withTensors([v(0n), w(0n)], 32)],
    ['a hole before the first tensor', withTensors([w(32n)], 64)],
    ['a hole between tensors', withTensors([v(0n), w(64n)], 96)],
    ['more than padding at its end', withTensors([w(0n)], 33)],
  ])('for %s', async (_, file) => {
    await expect(read(file)).rejects.toThrowWithCode('bad-weights');
  });
});

describe('the refusal of a hostile GGUF file names', () => {
  const w = (offset: bigint) => ggufTensor('w', [9], F32, offset);
  test.each([
    [
      'an overlap',
      withTensors([ggufTensor('v', [9], F32, 0n), w(32n)], 68),
      'an overlap at the tensor "w"',
    ],
    ['a hole', withTensors([w(32n)], 68), 'a hole before the tensor "w"'],
    ['an offset', withTensors([w(16n)], 68), 'an offset that is no multiple of 32'],
    ['a count', concat(ggufHeader({ tensors: 5 }), new Uint8Array(99)), 'within its 5 tensors'],
  ])('%s', async (_, file, message) => {
    await expect(read(file)).rejects.toThrow(message);
  });
});

describe('the limits of a GGUF header', () => {
  const padded = (front: Uint8Array, size: number) => ({
    size,
    read: async (offset: number, length: number) => {
      const bytes = new Uint8Array(length);
      bytes.set(front.subarray(offset, offset + length));
      return bytes;
    },
  });
  const failure = async (front: Uint8Array, size = 2 ** 31) =>
    ((await readGguf(padded(front, size), 'm').catch((error) => error)) as Error).message;

  test.each([
    ['tensors', (n: number) => ggufHeader({ tensors: n }), MAX_GGUF_TENSORS],
    ['keys', (n: number) => ggufHeader({ keys: n }), MAX_GGUF_KEYS],
    ['bytes of a key', (n: number) => concat(ggufHeader({ keys: 1 }), u64(n)), MAX_GGUF_KEY_BYTES],
    [
      'bytes of a string',
      (n: number) => withKeys(ggufKey('a', GGUF.string, u64(n))),
      MAX_GGUF_STRING,
    ],
    [
      'elements of an array',
      (n: number) => withKeys(ggufKey('a', GGUF.array, ggufArray(GGUF.u8, n))),
      MAX_GGUF_ARRAY,
    ],
  ])('hold for %s: one more is refused by name', async (_, make, limit) => {
    expect(await failure(make(limit + 1))).toMatch(new RegExp(`${limit}( |$)|${limit + 1}`));
    expect(await failure(make(limit))).not.toMatch(/limit/);
  });

  test('hold for the depth of arrays', async () => {
    await expect(
      read(withKeys(ggufKey('a', GGUF.array, nested(MAX_GGUF_ARRAY_DEPTH + 1)))),
    ).rejects.toThrowWithCode('bad-weights');
  });

  test('hold for all of it together: what goes on beyond is not read', async () => {
    // A vocabulary of a million words of 1,000 bytes each, of which only the lengths are there.
    const front = withKeys(ggufKey('a', GGUF.array, ggufArray(GGUF.string, 1_000_000)));
    let furthest = 0;
    const endless = {
      size: 2 ** 33,
      read: async (offset: number, length: number) => {
        furthest = Math.max(furthest, offset + length);
        const bytes = new Uint8Array(length);
        const first = Math.max(0, Math.floor((offset - front.length) / 1_008));
        for (let at = front.length + first * 1_008; at < offset + length; at += 1_008) {
          if (at >= offset) bytes.set([0xe8, 0x03].slice(0, offset + length - at), at - offset);
          else if (at + 1 === offset) bytes[0] = 0x03;
        }
        bytes.set(front.subarray(offset, offset + length));
        return bytes;
      },
    };
    await expect(readGguf(endless, 'm')).rejects.toThrow(`over ${MAX_GGUF_HEADER} bytes of header`);
    expect(furthest).toBe(MAX_GGUF_HEADER);
  });
});

function blockOf(dtype: string): number {
  return [...GGML_TYPES.values()].find((type) => type.name === dtype)!.blockElements;
}
