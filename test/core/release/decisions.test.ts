import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8 } from '../../../src/core/bytes.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import {
  type Decisions,
  formatDecisions,
  MAX_DECISIONS,
  parseDecisions,
} from '../../../src/core/release/decisions.ts';
import { RELEASE, SEALED } from '../../made/decisions.ts';
import { makeKey } from '../../made/p256.ts';
import { decided, SAID, SALT, signed } from '../../made/statements.ts';

const key = makeKey();
const label = (i: number) => i.toString(16).padStart(64, '0');
const envelopes = SAID.map((said) => signed(key, decided(said)));
const decisions: Decisions = {
  release: RELEASE,
  digest: SEALED,
  decisions: envelopes.map((envelope, i) => ({
    index: 2 * i,
    label: label(i),
    salt: SALT,
    envelope,
  })),
};

describe('decisions.json', () => {
  test('reads back what was written', () => {
    const some = fc.subarray([...decisions.decisions]);
    fc.assert(
      fc.property(some, (list) => {
        const made = { ...decisions, decisions: list };
        expect(parseDecisions(formatDecisions(made))).toEqual(made);
      }),
    );
  });

  type Shown = { [name: string]: unknown; decisions: Record<string, unknown>[] };
  test.each<[string, (it: Shown) => unknown]>([
    ['two in the wrong order', (it) => it.decisions.reverse()],
    ['one twice', (it) => it.decisions.splice(0, 0, it.decisions[0]!)],
    ['a label twice', (it) => (it.decisions[1]!.label = it.decisions[0]!.label)],
    ['a release not in its normal form', (it) => (it.release = 'Acme/kimi-k2@v1.0')],
    ['a salt that is short', (it) => (it.decisions[0]!.salt = '00')],
    ['a member more', (it) => (it.decisions[0]!.extra = 1)],
    ['another version', (it) => (it.v = 2)],
  ])('is refused with %s', (_, change) => {
    const it = JSON.parse(parseUtf8(formatDecisions(decisions))) as Shown;
    change(it);
    expect(() => parseDecisions(formatCanonical(it as never))).toThrowWithCode('bad-document');
  });

  test.each([
    [null],
    ['x'],
    [{}],
    [{ ...SAID }],
    [{ payload: 'eA==', payloadType: 'a/b', signatures: [] }],
  ])('is refused with the envelope %j', (envelope) => {
    const it = JSON.parse(parseUtf8(formatDecisions(decisions))) as Shown;
    it.decisions[0]!.envelope = envelope;
    expect(() => parseDecisions(formatCanonical(it as never))).toThrowWithCode('bad-envelope');
  });

  test('holds ten thousand, and not one more', () => {
    const envelope = envelopes[0]!;
    const of = (count: number) => ({
      ...decisions,
      decisions: Array.from({ length: count }, (_, i) => ({
        ...{ index: i, label: label(i), salt: SALT, envelope },
      })),
    });
    expect(() => formatDecisions(of(MAX_DECISIONS))).not.toThrow();
    expect(() => formatDecisions(of(MAX_DECISIONS + 1))).toThrowWithCode('bad-document');
  });
});
