import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Policy } from '../../../src/core/release/policy.ts';
import {
  isRevoked,
  type LoggedPolicy,
  openPolicyHistory,
  policyInForce,
  revokedKeys,
  signerAt,
} from '../../../src/core/release/policy-history.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { compareStrictness } from '../../../src/core/release/strictness.ts';
import { day, fakeKey, Hearing, policyOf, withKeys } from '../../made/decisions.ts';

const DAY = 24 * 3600;
const { spki } = fakeKey('rita');

const approvals = (count: number): Requirements => ({ approvals: [{ role: 'reviewer', count }] });
const asks = (count: number, changes: Partial<Policy> = {}) =>
  policyOf(approvals(count), { delay: 2 * DAY, ...changes });

/** Policies logged at ten times the day on which they were. */
const logged = (...list: readonly (readonly [number, Policy])[]): LoggedPolicy[] =>
  list.map(([days, policy]) => ({ index: days * 10, time: day(days), policy }));

/** The index of the policy in force for an entry on that day, after all of these. */
function inForce(list: readonly LoggedPolicy[], days: number): number | undefined {
  return policyInForce(openPolicyHistory(list), { index: 1_000, time: day(days) })?.index;
}

describe('the policy in force', () => {
  test('is the first from its entry on, and none before', () => {
    const history = openPolicyHistory(logged([1, asks(1)]));
    expect(policyInForce(history, { index: 10, time: day(1) })).toBeUndefined();
    expect(policyInForce(history, { index: 11, time: day(1) })?.index).toBe(10);
  });

  test('is a stricter one from its entry on', () => {
    expect(inForce(logged([0, asks(1)], [3, asks(2)]), 3)).toBe(30);
  });

  test('is a looser one when the old delay is over, to the millisecond', () => {
    const list = logged([0, asks(2)], [3, asks(1, { delay: 0 })]);
    const history = openPolicyHistory(list);
    const at = (time: number) =>
      policyInForce(history, { index: 99, time: new Date(time).toISOString() })?.index;
    expect(at(Date.parse(day(5)) - 1)).toBe(0);
    expect(at(Date.parse(day(5)))).toBe(30);
  });

  test('is a looser one at once where there is no delay', () => {
    expect(inForce(logged([0, asks(2, { delay: 0 })], [3, asks(1)]), 3)).toBe(30);
  });

  test('is not a loosening that was called off before its time', () => {
    const list = logged([0, asks(2)], [3, asks(1)], [4, asks(2, { version: 3 })]);
    expect(inForce(list, 4)).toBe(40);
    expect(inForce(list, 99)).toBe(40);
  });

  test('is not one whose people an attacker added, though calling it off removes people', () => {
    const eve = { id: 'evil', name: 'Evil', keys: [fakeKey('evil')] };
    const { people } = asks(2);
    const list = logged([0, asks(2)], [3, asks(2, { people: [...people, eve] })], [4, asks(2)]);
    expect(inForce(list, 99)).toBe(40);
  });

  test('is not one that a newer loosening dropped, and the newer one waits its whole time', () => {
    const list = logged([0, asks(2)], [3, asks(1, { delay: 0 })], [4, asks(1)]);
    expect(inForce(list, 5)).toBe(0);
    expect(inForce(list, 6)).toBe(40);
  });

  test('once it is in force, a looser one is what the next is compared with', () => {
    const list = logged([0, asks(2)], [3, asks(1)], [5, asks(2)]);
    expect(inForce(list, 5)).toBe(50);
    const lower = logged([0, asks(2)], [3, asks(1, { delay: 0 })], [5, policyOf({ sealed: 1 })]);
    expect(inForce(lower, 5)).toBe(50);
  });

  test('is judged by what is logged before the entry, whatever its time says', () => {
    const history = openPolicyHistory(logged([0, asks(2)], [3, asks(3)]));
    expect(policyInForce(history, { index: 30, time: day(99) })?.index).toBe(0);
  });

  test('policies out of order are no history', () => {
    expect(() => openPolicyHistory(logged([3, asks(1)], [0, asks(1)]))).toThrow(RangeError);
  });

  test('of any history: what loosens has stood in the log for the delay that was in force', () => {
    const version = fc.record({
      count: fc.integer({ min: 1, max: 3 }),
      delay: fc.integer({ min: 0, max: 4 }),
      sealed: fc.integer({ min: 1, max: 3 }),
      gap: fc.integer({ min: 0, max: 3 }),
    });
    const time = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 8 }), time, (versions, after) => {
        let days = 0;
        const list = versions.map(({ count, delay, sealed, gap }, i) => {
          days += gap;
          const policy = policyOf({ ...approvals(count), sealed }, { delay: delay * DAY });
          return { index: i, time: day(days), policy };
        });
        const now = day(days + after);
        const found = policyInForce(openPolicyHistory(list), { index: list.length, time: now })!;
        if (found.index === 0) return;
        const earlier = openPolicyHistory(list.slice(0, found.index));
        const before = policyInForce(earlier, found)!;
        if (compareStrictness(before.policy, found.policy) !== 'looser') return;
        const waited = Date.parse(now) - Date.parse(found.time);
        expect(waited).toBeGreaterThanOrEqual(before.policy.delay * 1000);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a policy that was loosened', () => {
  const strict = asks(2);
  const loose = policyOf({}, { delay: 0 });
  const history = openPolicyHistory(logged([0, strict], [3, loose]));
  const it = new Hearing(strict);
  it.seal();
  it.approve('rita');

  const ask = (days: number) => {
    const time = day(days);
    const { policy, index } = policyInForce(history, { index: 99, time })!;
    return it.ask({ policy, policyIndex: index, time });
  };

  test('clears nothing before its delay is over', () => {
    expect(ask(4)).toMatchObject({ ok: false, missing: [{ need: 'approval' }] });
    expect(ask(5)).toMatchObject({ ok: true, clearance: { policy: 30 } });
  });
});

describe('a revoked key', () => {
  const revoked = withKeys(asks(2), 'rita', [fakeKey('rita', { revoked: true })]);

  test('is revoked from the entry on that says so, in force or not, and for ever', () => {
    const looser = { ...revoked, gate: approvals(1) };
    const history = openPolicyHistory(logged([0, asks(2)], [3, looser], [4, asks(2)]));
    expect(policyInForce(history, { index: 31, time: day(3) })?.index).toBe(0);
    expect(isRevoked(history, spki, 30)).toBe(false);
    expect(isRevoked(history, spki, 31)).toBe(true);
    expect(isRevoked(history, spki, 99)).toBe(true);
    expect([...revokedKeys(history, 99)]).toEqual([spki]);
  });

  test('voids an approval and leaves an objection of its holder standing', () => {
    const history = openPolicyHistory(logged([0, asks(1)], [3, revoked]));
    const it = new Hearing(asks(1));
    it.seal();
    it.approve('rita');
    it.stop('rita', 'object');
    expect(it.needs({ revoked: revokedKeys(history, 30) })).toEqual(['objection']);
    expect(it.needs({ revoked: revokedKeys(history, 31) })).toEqual(['objection', 'approval']);
  });
});

describe('who signs with a key', () => {
  const key = (more: object) => withKeys(asks(1), 'rita', [fakeKey('rita', more)]);
  const at = (list: readonly LoggedPolicy[], days: number) =>
    signerAt(openPolicyHistory(list), { index: days * 10 + 1, time: day(days) }, spki);

  test('is the person in the policy in force, with the roles they have there', () => {
    const roles = ['evaluator', 'reviewer'];
    expect(at(logged([0, asks(1)]), 1)).toEqual({ person: 'rita', spki, roles });
  });

  test('is nobody before the key is enrolled, nor while the policy that enrols it waits', () => {
    const list = logged([0, withKeys(asks(1), 'rita', [])], [3, asks(1)]);
    expect(at(list, 1)).toBeUndefined();
    expect(at(list, 4)).toBeUndefined();
    expect(at(list, 5)).toMatchObject({ person: 'rita' });
  });

  test('is nobody once the key is gone, revoked or expired', () => {
    expect(
      at(logged([0, asks(1, { delay: 0 })], [3, withKeys(asks(1), 'rita', [])]), 4),
    ).toBeUndefined();
    expect(at(logged([0, asks(1)], [3, key({ revoked: true })]), 3)).toBeUndefined();
    const waiting = { ...key({ revoked: true }), gate: {} };
    expect(at(logged([0, asks(1)], [3, waiting]), 3)).toBeUndefined();
    expect(at(logged([0, key({ expires: day(2) })]), 2)).toBeUndefined();
    expect(at(logged([0, key({ expires: day(2) })]), 1)).toBeDefined();
  });
});
