import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  isLeftOut,
  LEFT_OUT,
  MAX_PATH_BYTES,
  MAX_PATH_DEPTH,
  MAX_SEGMENT_BYTES,
  parseFilePath,
  refuseTwins,
} from '../../../src/core/release/path.ts';

describe('a path of a release', () => {
  test.each([
    'config.json',
    'onnx/model.onnx',
    'model-00001-of-00002.safetensors',
    'Modelle/Größe.txt',
    '模型/配置.json',
    'a b/c (1) [x] & ~y.txt',
    'console.txt',
    'com10.txt',
    'COM',
    '.gitattributes.txt',
    '..x',
    '...a/b',
    'sub/model.sig',
    '.cache/other',
  ])('may be %s', (path) => {
    expect(parseFilePath(path)).toBe(path);
  });

  test.each([
    ['nothing', ''],
    ['a way up', '../x'],
    ['a way up in between', 'a/../b'],
    ['a way up at the end', 'a/..'],
    ['the folder itself', './x'],
    ['an absolute path', '/etc/passwd'],
    ['a folder', 'a/'],
    ['an empty segment', 'a//b'],
    ['a backslash', 'a\\b'],
    ['a way up with backslashes', '..\\..\\x'],
    ['a drive', 'C:/x'],
    ['a path of a drive', 'c:x'],
    ['a network share', '//server/share/x'],
    ['a network share with backslashes', '\\\\server\\share'],
    ['an alternate data stream', 'a.txt:hidden'],
    ['NUL', 'a\0b'],
    ['a line break', 'a\nb'],
    ['DEL', 'a\x7f'],
    ['a C1 control', 'a\x85b'],
    ['a line separator', 'a\u2028b'],
    ['a right-to-left override', 'a\u202egnp.exe'],
    ['a zero-width character', '.g\u200cit/config'],
    ['a variation selector', 'a\ufe0f'],
    ['a private-use character', 'a\uf022b'],
    ['an unassigned character', 'a\u0378'],
    ['a lone surrogate', 'a\ud800'],
    ['a decomposed letter', 'u\u0308.txt'],
    ['a trailing dot', 'a.'],
    ['a trailing dot in a folder', 'a./b'],
    ['a trailing space', 'a '],
    ['a wildcard', 'a*'],
    ['a question mark', 'a?'],
    ['a quotation mark', 'a"'],
    ['a bar', 'a|b'],
    ['an angle bracket', '<a>'],
    ['a short name of Windows', 'LONGFI~1.TXT'],
    ['the short name of .git', 'git~1/config'],
    ['a nested repository', 'sub/.git/config'],
    ['a nested repository in capitals', 'sub/.GIT/config'],
  ])('is never %s', (_, path) => {
    expect(() => parseFilePath(path)).toThrowWithCode('bad-path');
  });

  const devices = [
    'CON',
    'prn',
    'Aux',
    'NUL',
    'COM0',
    'com9',
    'LPT1',
    'com¹',
    'LPT²',
    'COM³',
    'CONIN$',
    'conout$',
  ];
  test.each(devices)('is never the device %s, with any extension, in any folder', (name) => {
    for (const path of [name, `${name}.txt`, `${name}.tar.gz`, `a/${name}/b`, `${name} .txt`]) {
      expect(() => parseFilePath(path)).toThrowWithCode('bad-path');
    }
  });

  test('has segments up to the limit in bytes and not one more', () => {
    expect(() => parseFilePath(`${'é'.repeat(127)}x`)).not.toThrow();
    expect('é'.repeat(127).length * 2 + 1).toBe(MAX_SEGMENT_BYTES);
    expect(() => parseFilePath('é'.repeat(128))).toThrowWithCode('bad-path');
  });

  test('is as deep as the limit and not deeper', () => {
    expect(() => parseFilePath(Array(MAX_PATH_DEPTH).fill('a').join('/'))).not.toThrow();
    expect(() =>
      parseFilePath(
        Array(MAX_PATH_DEPTH + 1)
          .fill('a')
          .join('/'),
      ),
    ).toThrowWithCode('bad-path');
  });

  test('is as long as the limit and not longer', () => {
    const longest = `${`${'a'.repeat(204)}/`.repeat(4)}${'a'.repeat(MAX_PATH_BYTES - 820)}`;
    expect(longest).toHaveLength(MAX_PATH_BYTES);
    expect(() => parseFilePath(longest)).not.toThrow();
    expect(() => parseFilePath(`${longest}a`)).toThrowWithCode('bad-path');
  });

  test('once parsed never leads out of its folder, on POSIX or Windows', () => {
    const nasty = fc.array(
      fc.constantFrom('.', '..', '/', '\\', ':', 'C', 'a', ' ', '\0', 'é', 'nul', '~1', '\u200d'),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(nasty, (pieces) => {
        const text = pieces.join('');
        try {
          parseFilePath(text);
        } catch {
          return;
        }
        expect(text).not.toMatch(/^\/|[\\:\0]|(^|\/)\.{0,2}(\/|$)|[. ](\/|$)/);
      }),
    );
  });
});

describe('what is left out of every release', () => {
  test.each(LEFT_OUT)('%s, and all in it, in any case, cannot be named', (left) => {
    for (const path of [left, `${left}/x`, left.toUpperCase(), `${left.toUpperCase()}/x`]) {
      expect(isLeftOut(path)).toBe(true);
      expect(() => parseFilePath(path)).toThrowWithCode('bad-path');
    }
  });

  test('only what stands at the top, under its whole name', () => {
    for (const path of [
      'a/.gitignore',
      '.gitignored',
      '.cache',
      '.cache/huggingfac',
      'model.sig2',
    ]) {
      expect(isLeftOut(path)).toBe(false);
    }
  });
});

describe('twins', () => {
  test.each([
    ['equal paths', 'a', 'a'],
    ['case', 'README.md', 'readme.MD'],
    ['case in a folder', 'Onnx/a', 'onnx/b'],
    ['sharp s', 'straße', 'STRASSE'],
    ['capital sharp s', 'ẞ', 'ss'],
    ['long s', 'ſet', 'set'],
    ['the Kelvin sign', '\u212a', 'k'],
    ['final sigma', 'ΟΔΟΣ', 'οδος'],
    ['a ligature', 'ﬁle', 'FILE'],
    ['Unicode composition', 'u\u0308', 'ü'],
    ['composition and case', 'u\u0308', 'Ü'],
    ['a file that is another’s folder', 'a', 'a/b'],
    ['a file that is another’s folder in another case', 'a/B', 'A/b/c'],
  ])('by %s are refused, in either order', (_, first, second) => {
    expect(() => refuseTwins([first, second])).toThrowWithCode('bad-path');
    expect(() => refuseTwins([second, 'x/y', first])).toThrowWithCode('bad-path');
  });

  test('files of one folder, and like names in different folders, are none', () => {
    expect(() => refuseTwins(['a/b', 'a/c', 'b/a', 'b/b', 'ab', 'a.b', 'c/a/b'])).not.toThrow();
  });
});
