import { describe, expect, test } from '@jest/globals';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import { type ByteReader, readerOf } from '../../../src/core/weights/reader.ts';
import { contentOffset, MAX_ZIP_MEMBERS, readZip } from '../../../src/core/weights/zip.ts';
import { u32, u64 } from '../../made/gguf.ts';
import { makeZip } from '../../made/zip.ts';

const members = [
  { name: 'a/b.txt', bytes: utf8('first') },
  { name: 'ü', bytes: utf8('second'), method: 8 },
];
const END_SIZE = 22;

/** The same archive with zip64 records, whose values may be set apart. */
function withZip64(zip: Uint8Array, { wide = 0, located = 0 } = {}): Uint8Array {
  const end = zip.subarray(zip.length - END_SIZE);
  const view = new DataView(end.buffer, end.byteOffset);
  const [count, size, offset] = [
    view.getUint16(10, true),
    view.getUint32(12, true),
    view.getUint32(16, true),
  ];
  const at = zip.length - END_SIZE;
  return concat(
    zip.subarray(0, at),
    concat(
      u32(0x06064b50),
      u64(44),
      u32(0),
      u32(0),
      u32(0),
      u64(count),
      u64(count + wide),
      u64(size),
      u64(offset),
    ),
    concat(u32(0x07064b50), u32(0), u64(at + located), u32(1)),
    end,
  );
}

describe('the directory of a zip archive', () => {
  test('gives every member, and where its bytes lie', async () => {
    for (const prefix of ['', 'something before']) {
      const reader = readerOf(concat(utf8(prefix), makeZip(members, 'comment')));
      const found = (await readZip(reader))!;
      expect(found.map(({ name, stored, size }) => [name, stored, size])).toEqual([
        ['a/b.txt', true, 5],
        ['ü', false, 6],
      ]);
      const at = await contentOffset(reader, found[0]!);
      expect(await reader.read(at, 5)).toEqual(utf8('first'));
    }
  });

  test('is read through zip64 records when they agree', async () => {
    expect(await readZip(readerOf(withZip64(makeZip(members))))).toHaveLength(2);
  });

  test.each([
    ['zip64 records that differ', withZip64(makeZip(members), { wide: 1 })],
    ['a zip64 record elsewhere than said', withZip64(makeZip(members), { located: 4 })],
    ['more behind it than its comment', concat(makeZip(members), utf8('x'))],
    ['one name twice', makeZip([{ name: 'a' }, { name: 'a' }])],
    ['a member cut out of its directory', withCount(makeZip(members), 3)],
  ])('is refused with %s', async (_, file) => {
    await expect(readZip(readerOf(file))).rejects.toThrowWithCode('bad-weights');
  });

  test('is refused over the limit of members, before it is read', async () => {
    const far = (count: number): ByteReader => {
      const end = concat(
        makeZip([]).subarray(0, 8),
        u32(0xffffffff),
        u32(0xffffffff),
        u32(0xffffffff),
        new Uint8Array(2),
      );
      const size = 46 * count;
      const zip64 = concat(
        u32(0x06064b50),
        u64(44),
        u32(0),
        u32(0),
        u32(0),
        u64(count),
        u64(count),
        u64(size),
        u64(0),
      );
      const tail = concat(zip64, u32(0x07064b50), u32(0), u64(size), u32(1), end);
      return {
        size: size + tail.length,
        read: async (offset, length) => {
          const bytes = new Uint8Array(length);
          if (offset + length === size + tail.length) bytes.set(tail, length - tail.length);
          return bytes;
        },
      };
    };
    await expect(readZip(far(MAX_ZIP_MEMBERS + 1))).rejects.toThrow(
      `${MAX_ZIP_MEMBERS} are the limit`,
    );
    await expect(readZip(far(MAX_ZIP_MEMBERS))).rejects.toThrow('broken directory');
  });

  test('is not there in other files', async () => {
    for (const text of ['', 'text', `PK\x05\x06${'x'.repeat(40)}`]) {
      expect(await readZip(readerOf(utf8(text)))).toBeUndefined();
    }
  });
});

function withCount(zip: Uint8Array, count: number): Uint8Array {
  const changed = Uint8Array.from(zip);
  new DataView(changed.buffer).setUint16(zip.length - END_SIZE + 10, count, true);
  return changed;
}
