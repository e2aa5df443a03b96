/** The two small file formats of the directory store. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import {
  formatDocumentFile,
  parseDocumentFile,
} from '../../../src/store/directory/document-file.ts';
import { formatUpload, parseUpload } from '../../../src/store/directory/upload-file.ts';
import { keys } from '../../../src/store/keys.ts';

describe('a generation of a document', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const file = concat(...formatDocumentFile(bytes));
        expect(parseDocumentFile(file, 'f')).toEqual(bytes);
      }),
    );
  });

  test('looks as the specification says', () => {
    const file = concat(...formatDocumentFile(utf8('abc')));
    expect(new TextDecoder().decode(file)).toBe(
      'weighhouse-document 1 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nabc',
    );
  });

  test('with any bit flipped, cut short or made longer it is refused', () => {
    const file = concat(...formatDocumentFile(utf8('abc')));
    for (let bit = 0; bit < file.length * 8; bit++) {
      const flipped = file.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => parseDocumentFile(flipped, 'f')).toThrowWithCode('storage');
    }
    for (let length = 0; length < file.length; length++) {
      expect(() => parseDocumentFile(file.subarray(0, length), 'f')).toThrowWithCode('storage');
    }
    expect(() => parseDocumentFile(concat(file, utf8('d')), 'f')).toThrowWithCode('storage');
  });
});

describe('the file of an upload', () => {
  const key = keys.blob('ab'.repeat(16));
  const file = formatUpload(key, { size: 10, partSize: 5 });

  test('is read as it was written', () => {
    expect(parseUpload(file, 'f')).toEqual({ key, size: 10, partSize: 5 });
  });

  test('anything else is refused', () => {
    for (let length = 0; length < file.length; length++) {
      expect(() => parseUpload(file.subarray(0, length), 'f')).toThrowWithCode('storage');
    }
    for (const text of ['{}', ' {"key":"a","partSize":5,"size":10,"v":1}', '{"v":2}', 'null']) {
      expect(() => parseUpload(utf8(text), 'f')).toThrowWithCode('storage');
    }
  });
});
