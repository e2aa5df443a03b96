import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestBytes, digestOf } from '../../../src/core/digest.ts';
import {
  checkCommitment,
  decisionCommit,
  decisionLabel,
  makeCommitment,
  type Opening,
} from '../../../src/core/release/commitment.ts';
import { MAX_DECISIONS_PER_SIGNER } from '../../../src/core/statement/decision-context.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { SEALED } from '../../made/decisions.ts';
import { makeKey } from '../../made/p256.ts';

const { spki } = makeKey();
const salt = '5a'.repeat(32);
const envelope = digestOf(nodeHost, utf8('envelope'));
const other = digestOf(nodeHost, utf8('other'));
const opening: Opening = { digest: SEALED, spki, n: 1, salt, envelope };
const logged = makeCommitment(nodeHost, opening);

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

describe('a commitment', () => {
  test('is made as it is written down', () => {
    const label = sha256(
      'weighhouse/decision-label/v1\n',
      digestBytes(SEALED),
      sha256(spki),
      Uint8Array.of(0, 0, 1, 2),
    );
    expect(() => decisionLabel(nodeHost, SEALED, spki, 258)).not.toThrow();
    expect(decisionLabel(nodeHost, SEALED, spki, 258)).toBe(label.toString('hex'));
    const commit = sha256(
      'weighhouse/decision-commit/v1\n',
      label,
      Buffer.from(salt, 'hex'),
      digestBytes(envelope),
    );
    expect(decisionCommit(nodeHost, label.toString('hex'), salt, envelope)).toBe(
      commit.toString('hex'),
    );
  });

  test('is opened by what it was made of', () => {
    expect(checkCommitment(nodeHost, logged, opening)).toEqual({ ok: true });
  });

  test.each<[string, Partial<Opening>]>([
    ['another salt', { salt: '5b'.repeat(32) }],
    ['another envelope', { envelope: other }],
  ])('is not opened with %s', (_, change) => {
    expect(checkCommitment(nodeHost, logged, { ...opening, ...change })).toMatchObject({
      ok: false,
      code: 'digest-mismatch',
    });
  });

  test.each<[string, Partial<Opening>]>([
    ['digest', { digest: other }],
    ['signer', { spki: makeKey().spki }],
    ['number', { n: 0 }],
  ])('is not opened for another %s', (_, change) => {
    expect(checkCommitment(nodeHost, logged, { ...opening, ...change })).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test('has a label of its own for each signer, digest and number', () => {
    const keys = [spki, makeKey().spki];
    const number = fc.integer({ min: 0, max: MAX_DECISIONS_PER_SIGNER - 1 });
    const place = fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(SEALED, other), number);
    const label = ([key, digest, n]: readonly [number, typeof SEALED, number]) =>
      decisionLabel(nodeHost, digest, keys[key]!, n);
    fc.assert(
      fc.property(place, place, (a, b) => {
        expect(label(a) === label(b)).toBe(String(a) === String(b));
      }),
    );
  });

  test.each([-1, 0.5, MAX_DECISIONS_PER_SIGNER, Number.NaN])('has no number %s', (n) => {
    expect(() => decisionLabel(nodeHost, SEALED, spki, n)).toThrowWithCode('too-large');
  });

  test('takes a salt of 32 bytes and no other', () => {
    for (const wrong of ['', salt.slice(2), `${salt}00`, salt.toUpperCase()]) {
      expect(() => makeCommitment(nodeHost, { ...opening, salt: wrong })).toThrowWithCode(
        'bad-encoding',
      );
    }
  });
});
