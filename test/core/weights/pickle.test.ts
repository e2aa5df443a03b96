import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat } from '../../../src/core/bytes.ts';
import { isPickle, MAX_PICKLE_LINE, MAX_PICKLE_STEPS } from '../../../src/core/weights/pickle.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import { readSafetensors } from '../../../src/core/weights/safetensors.ts';
import { u32 } from '../../made/gguf.ts';
import { frameSafetensors } from '../../made/safetensors.ts';

/** One byte a character, so that programs can be written down. */
const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const check = (program: string | Uint8Array) =>
  isPickle(readerOf(typeof program === 'string' ? latin1(program) : program));

/** print('hi'), as each protocol would write it. */
const CALLS: readonly (readonly [string, string])[] = [
  ['protocol 0', "cbuiltins\nprint\n(S'hi'\ntR."],
  ['protocol 0 with memo', "cbuiltins\nprint\np0\n(S'hi'\np1\ntp2\nRp3\n."],
  ['protocol 1', 'cbuiltins\nprint\n(U\x02hitR.'],
  ['protocol 2', '\x80\x02cbuiltins\nprint\nX\x02\x00\x00\x00hi\x85R.'],
  [
    'protocol 4',
    '\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x8c\x05print\x93\x8c\x02hi\x85R.',
  ],
  [
    'protocol 5 with a buffer',
    '\x80\x05\x96\x01\x00\x00\x00\x00\x00\x00\x00x0cbuiltins\nprint\n)R.',
  ],
  ['an instance of old', "(S'hi'\nicollections\ncounter\n."],
  ['an instance at the very end, without its last newline', "(S'hi'\nios\nsystem"],
  ['OBJ', "(cbuiltins\nprint\nS'hi'\no."],
  ['NEWOBJ', '\x80\x02cbuiltins\nobject\n)\x81.'],
  ['NEWOBJ_EX', '\x80\x04cbuiltins\nobject\n)}\x92.'],
  ['BUILD', '\x80\x02cm\nC\n}b.'],
  ['the extension registry', '\x80\x02\x82\x01)R.'],
];

describe('a program that a pickle machine would run is a pickle', () => {
  test.each(CALLS)('in %s', async (_, program) => {
    expect(await check(program)).toBe(true);
  });

  test.each(CALLS)('in %s, though it breaks after its call', async (_, program) => {
    expect(await check(`${program.replace(/\.$/, '')}\x00garbage`)).toBe(true);
  });

  test.each([
    ['a dictionary', '\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s.'],
    [
      'the magic number of old PyTorch files, and more behind it',
      '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.',
    ],
    ['numbers of protocol 0', '(lp0\nI1\naF1.5\naL3L\na.'],
    ['truth values of protocol 0', '(I01\nI00\nt.'],
  ])('that makes %s', async (_, program) => {
    expect(await check(program)).toBe(true);
  });

  test('behind long strings that leap over what lies between', async () => {
    const program = concat(
      latin1('X'),
      u32(200_000),
      new Uint8Array(200_000),
      latin1("0cos\nsystem\n(S'x'\ntR."),
    );
    expect(await check(program)).toBe(true);
  });

  test('that leaps, in strings, over the header of a well-formed safetensors file', async () => {
    const file = makePickledSafetensors("0cos\nsystem\n(S'x'\ntR.");
    expect((await readSafetensors(readerOf(file), 'm')).tensors).toHaveLength(1);
    expect(await check(file)).toBe(true);
    expect(await check(makePickledSafetensors('\0'.repeat(22)))).toBe(false);
  });

  test('that goes on for longer than it is followed', async () => {
    expect(await check('N0'.repeat(MAX_PICKLE_STEPS))).toBe(true);
    expect(await check(`V${'x'.repeat(MAX_PICKLE_LINE + 1)}\n0`)).toBe(true);
  });
});

describe('what a pickle machine would not run is none', () => {
  test.each([
    ['nothing', ''],
    ['zeros', '\0\0\0\0'],
    ['a README', '---\nlicense: mit\n---\n# Model\n'],
    ['a licence', '(c) Copyright 2020 somebody\nAll rights reserved.\n'],
    ['a licence', 'MIT License\n\nCopyright (c) 2020'],
    ['labels of classes', 'cat\ndog\nelephant\nfrog\n'],
    ['a word list', 'the\nof\nand\n'],
    ['a name list', 'Ian\nbob\nsue\n'],
    ['JSON', '{"a": [1, 2]}'],
    ['a JSON list', '[1, 2]'],
    ['GGUF', 'GGUF\x03\0\0\0\x65\0\0\0\0\0\0\0'],
    ['a stop with nothing made', '\x80\x02.'],
    ['a protocol to come', '\x80\x06N.'],
    ['a mark that is not there', '\x80\x02t.'],
    ['too little on the stack', '\x80\x02NR.'],
    ['a string beyond the end', '\x80\x02X\xff\xff\xff\xffabc'],
    ['a stop with more behind that is none', 'N.\0'],
    ['an import of what is no name', 'c) x\ny\n)R.'],
  ])('%s', async (_, text) => {
    expect(await check(text)).toBe(false);
  });

  test('hardly any random bytes', async () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 64 });
    // A seed, because one in some thousands would do: the walk is sound, not clairvoyant.
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        expect(await isPickle(readerOf(concat(new Uint8Array([0x3f, 0x80]), content)))).toBe(false);
      }),
      { seed: 1 },
    );
  });
});

/**
 * A safetensors file whose header has 0x3058 bytes, so that it begins with "X", 0x30: a
 * string of 48 bytes, which ends within the metadata. There "U)" and many "U~" are strings
 * of 41 and 126 bytes, the last of which ends where the tensors begin.
 */
function makePickledSafetensors(program: string): Uint8Array {
  const front = '{"__metadata__":{"x":"';
  const size = program.length;
  const back = `"},"w":{"dtype":"U8","shape":[${size}],"data_offsets":[0,${size}]}}`;
  const lead = 'a'.repeat(5 + 0x30 - 8 - front.length);
  const leaps = `U)${'a'.repeat(41)}${`U~${'a'.repeat(126)}`.repeat(96)}`;
  const header = front + lead + leaps.slice(0, -back.length) + back;
  expect(header).toHaveLength(0x3058);
  return frameSafetensors(header, latin1(program));
}
