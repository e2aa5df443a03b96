import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { formatCanonical } from '../../src/core/json.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { StagedDocument } from '../../src/log/item.ts';
import { applyStaged, formatStaging, parseStaging } from '../../src/log/staging.ts';
import { keys, parseKey } from '../../src/store/keys.ts';
import { Disk } from '../made/memory-store.ts';

const key = (name: string) => parseKey(`test/${name}`);
const parse = (bytes: Uint8Array) => parseStaging(nodeHost, bytes, 'the bundle');
const at = (index: number, text = '') => formatCanonical({ index, text });

const immutable = (name: string, bytes: Uint8Array): StagedDocument => ({
  kind: 'immutable',
  key: key(name),
  bytes,
});
const newest = (name: string, index: number, text = ''): StagedDocument => ({
  kind: 'newest',
  key: key(name),
  index,
  bytes: at(index, text),
});

/** A bundle with that header over that content, its digest right. */
function bundle(header: string, content = ''): Uint8Array {
  const body = utf8(`${header}\n${content}`);
  return concat(utf8(`weighhouse/staging/v1\n${digestOf(nodeHost, body)}\n`), body);
}

describe('the staging bundle', () => {
  const documents = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('immutable' as const),
        key: fc.constantFrom('a', 'b', 'c').map(key),
        bytes: fc.uint8Array(),
      }),
      fc.record({
        kind: fc.constant('newest' as const),
        key: fc.constantFrom('d', 'e').map(key),
        index: fc.maxSafeNat(),
        bytes: fc.uint8Array(),
      }),
    ),
  );

  test('every bundle survives format and parse', () => {
    fc.assert(
      fc.property(documents, (objects) => {
        expect(parse(formatStaging(nodeHost, objects))).toEqual(objects);
      }),
    );
  });

  test('a change of any byte, a missing and an added one are found', () => {
    const good = formatStaging(nodeHost, [immutable('a', utf8('hello')), newest('b', 3)]);
    for (let i = 0; i < good.length; i++) {
      const bad = good.slice();
      bad[i]! ^= 1;
      expect(() => parse(bad)).toThrow();
    }
    expect(() => parse(good.subarray(0, -1))).toThrowWithCode('bad-document');
    expect(() => parse(concat(good, new Uint8Array(1)))).toThrowWithCode('bad-document');
    expect(() => parse(new Uint8Array(0))).toThrowWithCode('bad-document');
  });

  const object = (more: string) => `{"objects":[{${more}}],"v":1}`;

  test.each([
    ['ends within an object', object('"key":"a","kind":"immutable","size":2'), 'x'],
    ['has bytes behind the last object', object('"key":"a","kind":"immutable","size":1'), 'xy'],
    ['names a key that is none', object('"key":"a/../b","kind":"immutable","size":0'), ''],
    ['has an unknown kind', object('"key":"a","kind":"oldest","size":0'), ''],
    [
      'has an index where none belongs',
      object('"index":1,"key":"a","kind":"immutable","size":0'),
      '',
    ],
    ['lacks an index', object('"key":"a","kind":"newest","size":0'), ''],
    ['has another version', '{"objects":[],"v":2}', ''],
  ])('one that %s is refused, though its digest is right', (_, header, content) => {
    expect(() => parse(bundle(header, content))).toThrowWithCode('bad-document');
  });
});

describe('carrying a bundle out', () => {
  test('twice is the same as once', async () => {
    const disk = new Disk();
    const objects = [immutable('a', utf8('a')), newest('b', 1)];
    await applyStaged(disk.open(), objects);
    const writes = disk.writes.length;
    await applyStaged(disk.open(), objects);
    expect(disk.writes.length).toBe(writes);
    expect(disk.bytes(key('a'))).toEqual(utf8('a'));
    expect(disk.bytes(key('b'))).toEqual(at(1));
  });

  test('late takes nothing back: documents only go forwards', async () => {
    const disk = new Disk();
    await applyStaged(disk.open(), [newest('b', 1)]);
    await applyStaged(disk.open(), [newest('b', 7)]);
    await applyStaged(disk.open(), [newest('b', 3)]);
    await applyStaged(disk.open(), [newest('b', 7, 'the same index')]);
    expect(disk.bytes(key('b'))).toEqual(at(7));
  });

  test('in many processes at once leaves the newest', async () => {
    const disk = new Disk();
    const indexes = [3, 9, 1, 7, 2];
    await Promise.all(
      indexes.map((index, turns) =>
        applyStaged(disk.open({ turns: () => turns % 3 }), [newest('b', index)]),
      ),
    );
    expect(disk.bytes(key('b'))).toEqual(at(9));
  });

  test('an immutable object with other bytes is damage, and fatal', async () => {
    const disk = new Disk();
    disk.plant(key('a'), utf8('x'));
    const applied = applyStaged(disk.open(), [immutable('a', utf8('a'))]);
    await expect(applied).rejects.toMatchObject({ code: 'storage', details: { fatal: true } });
  });

  test('a document that points is written after what it points at', async () => {
    const disk = new Disk();
    const tiles = Array.from({ length: 40 }, (_, i) => immutable(`t${i}`, utf8('t')));
    await applyStaged(disk.open(), [newest('b', 1), ...tiles]);
    expect(disk.writes.at(-1)).toEqual({ kind: 'swap', key: key('b') });
  });

  test('a document without an index stops it', async () => {
    const disk = new Disk();
    disk.plant(key('b'), utf8('{}'));
    const applied = applyStaged(disk.open(), [newest('b', 1)]);
    await expect(applied).rejects.toThrowWithCode('bad-document');
  });

  test('its key tells the tree and the attempt', () => {
    expect(keys.staging(3, 'ab', 'cd')).toBe('private/staging/3-ab-cd');
  });
});
