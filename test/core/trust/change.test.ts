import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { keyId } from '../../../src/core/statement/public-key.ts';
import { nextRoot, ROOT_LIFETIME, type RootChange } from '../../../src/core/trust/change.ts';
import { releaseKeysAt } from '../../../src/core/trust/periods.ts';
import type { RootDocument } from '../../../src/core/trust/root.ts';
import { checkRoot, type TrustRoot } from '../../../src/core/trust/succession.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';
import { makeRootDocument, publicLogKey, signRoot, TOKEN_KEY } from '../../made/trust-root.ts';

const [a, b, old, young] = [makeKey(), makeKey(), makeKey(), makeKey()];
const before = makeRootDocument([a], { release: [{ spki: old.spki, from: 0 }] });
const place = {
  size: 10,
  root: digestOf(nodeHost, utf8('the log at 10')),
  now: Date.UTC(2026, 5, 1),
};
const next = (change: RootChange, from: RootDocument = before) =>
  nextRoot(nodeHost, from, change, place);
const other = { ...TOKEN_KEY, x: 'A'.repeat(43) };

describe('the next root', () => {
  test.each<[string, RootChange]>([
    ['nothing but a later end', {}],
    ['a new release key', { release: { spki: young.spki } }],
    ['a stolen release key', { release: { spki: young.spki, compromisedFrom: 3 } }],
    ['a new log key', { log: publicLogKey(8) }],
    ['a new token key', { token: { add: other } }],
    ['another root key', { addKeys: [b.spki], removeKeys: [keyId(nodeHost, a.spki)] }],
    ['a higher threshold', { addKeys: [b.spki], threshold: 2 }],
    ['a witness policy', { witnessPolicy: 'quorum none\n', maxAge: 60 }],
  ])('with %s is believed when both thresholds sign it', async (_, change) => {
    const bytes = signRoot(next(change), [a, ...(change.addKeys === undefined ? [] : [b])]);
    const checked = await checkRoot(nodeHost, bytes, before as TrustRoot);
    expect(checked).toMatchObject({ ok: true, root: { version: 2 } });
  });

  test('is good for a year unless told otherwise', () => {
    expect(Date.parse(next({}).expires)).toBe(place.now + ROOT_LIFETIME);
    expect(Date.parse(next({ lifetime: 1000 }).expires)).toBe(place.now + 1000);
  });

  test('ends the old release key where the new one begins: at the next entry, or a later one', () => {
    const keysAt = (root: RootDocument, index: number) => releaseKeysAt(root, index);
    const now = next({ release: { spki: young.spki } });
    expect([keysAt(now, 9), keysAt(now, 10)]).toEqual([[old.spki], [young.spki]]);
    const later = next({ release: { spki: young.spki, at: 100 } });
    expect([keysAt(later, 99), keysAt(later, 100)]).toEqual([[old.spki], [young.spki]]);
  });

  test('leaves a window without a good key where one was stolen', () => {
    const root = next({ release: { spki: young.spki, compromisedFrom: 3 } });
    expect([2, 3, 9, 10].map((index) => releaseKeysAt(root, index).length)).toEqual([1, 0, 0, 1]);
  });

  test('keeps the history of keys that have ended, also of those that never began', () => {
    const planned = next({ release: { spki: young.spki, at: 100 } });
    const third = next({ release: { spki: b.spki, compromisedFrom: 5 } }, planned);
    expect(third.release).toEqual([
      { spki: old.spki, from: 0, to: 5 },
      { spki: young.spki, from: 100, to: 100 },
      { spki: b.spki, from: 10 },
    ]);
  });

  test('drops token keys only when it is told to', () => {
    expect(next({ token: { add: other } }).token).toEqual([TOKEN_KEY, other]);
    expect(next({ token: { add: other, dropOthers: true } }).token).toEqual([other]);
    const two = { ...before, token: [TOKEN_KEY, other] };
    expect(next({ token: { dropOthers: true } }, two).token).toEqual([other]);
  });

  test('takes the witness policy away only when it is told to', () => {
    const witnessed = { ...before, witnessPolicy: 'quorum none\n' };
    expect(next({}, witnessed).witnessPolicy).toBe('quorum none\n');
    expect('witnessPolicy' in next({ witnessPolicy: null }, witnessed)).toBe(false);
  });

  test.each<[string, RootChange]>([
    ['begins a release key in the past', { release: { spki: young.spki, at: 9 } }],
    ['ends a release key in the future', { release: { spki: young.spki, compromisedFrom: 11 } }],
    ['removes a key that is none', { removeKeys: [keyId(nodeHost, b.spki)] }],
    ['adds a key that is one', { addKeys: [a.spki] }],
    ['asks for more keys than there are', { threshold: 2 }],
    ['asks for none', { threshold: 0 }],
    ['removes the last key', { removeKeys: [keyId(nodeHost, a.spki)] }],
  ])('is not made when it %s', (_, change) => {
    expect(() => next(change)).toThrowWithCode('usage');
  });

  test('does not end a log key that has signed nothing', () => {
    const empty = { ...place, size: 0 };
    expect(() => nextRoot(nodeHost, before, { log: publicLogKey(8) }, empty)).toThrowWithCode(
      'usage',
    );
  });
});
