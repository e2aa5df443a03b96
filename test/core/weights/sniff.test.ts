import { describe, expect, test } from '@jest/globals';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import { codeCarrying, FORMATS, isFormat } from '../../../src/core/weights/format.ts';
import { readerOf } from '../../../src/core/weights/reader.ts';
import { MAX_ARCHIVE_DEPTH, sniff } from '../../../src/core/weights/sniff.ts';
import { makeGguf } from '../../made/gguf.ts';
import { makeSafetensors } from '../../made/safetensors.ts';
import { makeZip } from '../../made/zip.ts';

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const PICKLE = latin1("cos\nsystem\n(S'x'\ntR.");
const formatOf = async (file: Uint8Array) => (await sniff(readerOf(file))).format;
const codeOf = async (file: Uint8Array) => (await sniff(readerOf(file))).executesCode;

const npy = (descr: string) =>
  latin1(
    `\x93NUMPY\x01\x00\x76\x00{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }      \n`,
  );

const ONNX = latin1('\x08\x08\x12\x04spox:\x03abcB\x04\x0a\x00\x10\x11');

describe('the format is found by content', () => {
  test.each([
    ['safetensors', makeSafetensors({ w: { dtype: 'F32', shape: [2] } })],
    ['gguf', makeGguf({ tensors: [{ name: 'w', dtype: 'F32', shape: [2] }] })],
    ['onnx', ONNX],
    ['tflite', latin1('\x1c\0\0\0TFL3\0\0')],
    ['hdf5', latin1('\x89HDF\r\n\x1a\n\0')],
    ['hdf5', concat(new Uint8Array(512), latin1('\x89HDF\r\n\x1a\n\0'))],
    ['npy', npy("'<f4'")],
    ['npz', makeZip([{ name: 'a.npy', bytes: npy("'<f4'") }])],
    ['zip', makeZip([{ name: 'a.txt', bytes: utf8('text') }])],
    ['zip', makeZip([])],
    ['torch', makeZip([{ name: 'archive/data.pkl', bytes: PICKLE }])],
    ['keras', makeZip([{ name: 'config.json' }, { name: 'model.weights.h5' }])],
    ['pickle', PICKLE],
    ['7z', latin1('7z\xbc\xaf\x27\x1c\0\x04')],
    ['rar', latin1('Rar!\x1a\x07\x01\0')],
    ['tar', concat(latin1('a'), new Uint8Array(256), latin1('ustar\x0000'))],
    ['gzip', latin1('\x1f\x8b\x08\0')],
    ['bzip2', latin1('BZh91AY')],
    ['xz', latin1('\xfd7zXZ\0')],
    ['zstd', latin1('\x28\xb5\x2f\xfd')],
    ['lz4', latin1('\x04\x22\x4d\x18')],
    ['executable', latin1('\x7fELF\x02')],
    ['executable', concat(latin1('MZ'), new Uint8Array(0x3a), latin1('\x40\0\0\0PE\0\0'))],
    ['json', utf8('{"a":1}')],
    ['json', utf8('\n [1, 2]')],
    ['json', utf8('[true]')],
    ['text', utf8('# Größe\n\tMZ')],
    ['text', utf8('[PAD]\n[unused0]\n')],
    ['text', utf8('MZ is how Windows programs begin')],
    ['empty', new Uint8Array(0)],
    ['other', new Uint8Array(64)],
    ['other', latin1('\xff\xfe\0')],
  ])('%s', async (format, file) => {
    expect(await formatOf(file)).toBe(format);
  });

  test('text stays text when its beginning is cut within a letter', async () => {
    expect(await formatOf(utf8(`a${'é'.repeat(10_000)}`))).toBe('text');
    expect(await formatOf(concat(utf8('ab'), latin1('\xc3')))).toBe('other');
  });

  test('every format has a name that a policy may use', () => {
    expect(FORMATS.every(isFormat)).toBe(true);
    expect(isFormat('toString')).toBe(false);
    expect(codeCarrying('pickle')).toBeDefined();
    expect(codeCarrying('safetensors')).toBeUndefined();
  });
});

describe('a file counts as carrying code', () => {
  const nest = (depth: number): Uint8Array =>
    depth === 0 ? utf8('text') : makeZip([{ name: 'inner', bytes: nest(depth - 1) }]);
  test.each([
    ['a pickle', PICKLE],
    [
      'an archive that holds a pickle under another name',
      makeZip([{ name: 'weights.bin', bytes: PICKLE }]),
    ],
    [
      'an archive in an archive that does',
      makeZip([{ name: 'a', bytes: makeZip([{ name: 'b', bytes: PICKLE }]) }]),
    ],
    ['an archive that holds Python', makeZip([{ name: 'a.py', bytes: utf8('x = 1') }])],
    [
      'an archive with a compressed member',
      makeZip([{ name: 'a.txt', bytes: utf8('x'), method: 8 }]),
    ],
    ['too many archives in one another', nest(MAX_ARCHIVE_DEPTH + 2)],
    [
      'an archive behind something else',
      concat(utf8('#!/bin/sh\n'), makeZip([{ name: 'data.pkl', bytes: PICKLE }])),
    ],
    [
      'an archive with a comment',
      makeZip([{ name: 'data.pkl', bytes: PICKLE }], 'PK\x05\x06 and more'),
    ],
    [
      'a safetensors file that is an archive as well',
      concat(
        makeSafetensors({ w: { dtype: 'U8', shape: [1] } }),
        makeZip([{ name: 'data.pkl', bytes: PICKLE }]),
      ),
    ],
    [
      'an archive whose member has two names',
      makeZip([{ name: 'a.txt', localName: 'data.pkl', bytes: utf8('text') }]),
    ],
    ['an archive with one name twice', makeZip([{ name: 'a.txt' }, { name: 'a.txt' }])],
    [
      'an archive without its directory',
      makeZip([{ name: 'a.txt', bytes: utf8('text') }]).subarray(0, 40),
    ],
    ['an npz with pickled objects', makeZip([{ name: 'a.npy', bytes: npy("'|O'") }])],
    ['numpy objects', npy("'|O'")],
    ['numpy objects by another name', npy("'object'")],
    ['numpy objects in an escape', npy("'\\x4f'")],
    ['numpy objects in a record', npy("[('a', '<f4'), ('b', '|O')]")],
    ['HDF5', latin1('\x89HDF\r\n\x1a\n\0')],
    ['a compressed file', latin1('\x1f\x8b\x08\0')],
  ])('when it is %s', async (_, file) => {
    expect(await codeOf(file)).toBeDefined();
  });

  test.each([
    ['tensors', makeSafetensors({ w: { dtype: 'F32', shape: [2] } })],
    ['an archive of text', makeZip([{ name: 'a.txt', bytes: utf8('text') }])],
    ['as many archives in one another as are followed', nest(MAX_ARCHIVE_DEPTH)],
    [
      'an archive behind something else',
      concat(utf8('text'), makeZip([{ name: 'a.txt', bytes: utf8('text') }])),
    ],
    ['numbers of numpy', npy("'<f4'")],
    ['raw floats', latin1('\0\0\x80\x3f\0\0\0\x40')],
  ])('but not when it is %s', async (_, file) => {
    expect(await codeOf(file)).toBeUndefined();
  });

  test('whatever byte of an archive’s directory changes: it never passes for something else', async () => {
    const file = makeZip([{ name: 'archive/data.pkl', bytes: PICKLE }]);
    for (let i = 0; i < file.length; i++) {
      const changed = Uint8Array.from(file);
      changed[i]! ^= 1;
      expect(await codeOf(changed)).toBeDefined();
    }
  });
});
