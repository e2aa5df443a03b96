import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { formatDigest } from '../../../src/core/digest.ts';
import {
  checkFinalRoot,
  logKeysAt,
  presentLogKey,
  presentReleaseKeys,
  releaseKeysAt,
} from '../../../src/core/trust/periods.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { makeRootDocument, publicLogKey } from '../../made/trust-root.ts';

const [old, young] = [publicLogKey(1), publicLogKey(2)];
const [former, present] = [makeKey().spki, makeKey().spki];
const logRoot = nodeHost.sha256(utf8('the log'));
const root = makeRootDocument([makeKey()], {
  log: [
    { key: old, from: 0, end: { size: 10, root: formatDigest(logRoot) } },
    { key: young, from: 10 },
  ],
  release: [
    { spki: former, from: 2, to: 7 },
    { spki: present, from: 5 },
  ],
});

describe('keys and their periods', () => {
  test.each([
    [0, [old]],
    [9, [old]],
    [10, [old, young]],
    [11, [young]],
  ])('a checkpoint of size %i is signed by the log key of that size', (size, keys) => {
    expect(logKeysAt(root, size)).toEqual(keys);
  });

  test.each([
    [1, []],
    [2, [former]],
    [6, [former, present]],
    [7, [present]],
  ])('entry %i is signed by a release key of its index', (index, keys) => {
    expect(releaseKeysAt(root, index)).toEqual(keys);
  });

  test('the present keys are those without an end', () => {
    expect(presentLogKey(root)).toEqual(young);
    expect(presentReleaseKeys(root)).toEqual([present]);
  });

  test('where a log key ended, the log held what the root says', () => {
    const at = (size: number, tree: Uint8Array) =>
      checkFinalRoot(root, { origin: ORIGIN, size, root: tree, extensions: [] });
    expect(at(10, logRoot)).toEqual({ ok: true });
    expect(at(9, new Uint8Array(32))).toEqual({ ok: true });
    expect(at(10, new Uint8Array(32))).toMatchObject({ ok: false, code: 'fork' });
  });
});
