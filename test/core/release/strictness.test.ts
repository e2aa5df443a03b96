import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { Policy } from '../../../src/core/release/policy.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { compareStrictness } from '../../../src/core/release/strictness.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, fakeKey, Hearing, policyOf, withKeys } from '../../made/decisions.ts';

const HARNESS = digestOf(nodeHost, utf8('harness'));
const OTHER = digestOf(nodeHost, utf8('other'));

const TERMS = { name: 'Acme Licence', url: 'https://acme.example/licence' };

const base = policyOf(
  {
    approvals: [{ role: 'reviewer', count: 1 }],
    evaluations: [{ suite: 'safety', accept: ['passed', 'warned'] }],
    sealed: 10,
    notBefore: day(5),
  },
  { owners: 1, delay: 10, version: 4 },
);

type Change = (policy: Policy) => Policy;
const gate =
  (change: (gate: Requirements) => Requirements): Change =>
  (policy) => ({ ...policy, gate: change(policy.gate) });
const suite = (more: object): Change =>
  gate(({ evaluations = [], ...rest }) => ({
    ...rest,
    evaluations: evaluations.map((each) => ({ ...each, ...more })),
  }));
const keysOfRita =
  (...keys: ReturnType<typeof fakeKey>[]): Change =>
  (policy) =>
    withKeys(policy, 'rita', keys);

const STRICTER: readonly [string, Change][] = [
  ['a key revoked', keysOfRita(fakeKey('rita', { revoked: true }))],
  ['a key that now expires', keysOfRita(fakeKey('rita', { expires: day(50) }))],
  ['more owners to sign', (p) => ({ ...p, owners: 2 })],
  [
    'a suite more',
    gate((g) => ({ ...g, evaluations: [{ suite: 'a', accept: ['passed'] }, ...g.evaluations!] })),
  ],
  ['a harness', suite({ harness: HARNESS })],
  ['thresholds', suite({ thresholds: HARNESS })],
  ['a maximum age', suite({ maxAge: 1 })],
  ['one approval more', gate((g) => ({ ...g, approvals: [{ role: 'reviewer', count: 2 }] }))],
  [
    'approvals of another role too',
    gate((g) => ({ ...g, approvals: [...g.approvals!, { role: 'owner', count: 1 }] })),
  ],
  ['a longer wait', gate((g) => ({ ...g, sealed: 11 }))],
  ['a later date', gate((g) => ({ ...g, notBefore: day(6) }))],
  ['bytes for readers alone', (p) => ({ ...p, bytes: { for: 'readers' } })],
  [
    'bytes for readers, who accept terms',
    (p) => ({ ...p, bytes: { for: 'readers', terms: TERMS } }),
  ],
  ['the lifters that it had, by name', gate((g) => ({ ...g, lift: { hold: 'release-manager' } }))],
];

const LOOSER: readonly [string, Change][] = [
  ['a person more', (p) => ({ ...p, people: [...p.people, { id: 'new', name: 'New', keys: [] }] })],
  ['a person less', (p) => ({ ...p, people: p.people.slice(0, -1) })],
  ['a person renamed', (p) => ({ ...p, people: p.people.map((it) => ({ ...it, name: 'X' })) })],
  ['people in another order', (p) => ({ ...p, people: p.people.toReversed() })],
  ['a key more', keysOfRita(fakeKey('rita'), fakeKey('new'))],
  ['a key less', keysOfRita()],
  ['another key', keysOfRita(fakeKey('new'))],
  ['a key’s other proof', keysOfRita({ ...fakeKey('rita'), proof: 'AAAA' })],
  ['a role taken away', (p) => ({ ...p, roles: { ...p.roles, reviewer: ['rita'] } })],
  ['a role given', (p) => ({ ...p, roles: { ...p.roles, reader: ['rita'] } })],
  ['a shorter delay', (p) => ({ ...p, delay: 9 })],
  ['a longer delay', (p) => ({ ...p, delay: 11 })],
  ['a format more', (p) => ({ ...p, formats: { allow: ['pickle'] } })],
  ['another namespace', (p) => ({ ...p, namespace: 'other' })],
  ['no gate', (p) => ({ ...p, gate: {} })],
  ['no suites', gate(({ evaluations: _, ...g }) => g)],
  ['another suite', suite({ suite: 'other' })],
  ['a suite that accepts less, which is a changed suite', suite({ accept: ['passed'] })],
  ['a suite that fewer may sign, whose failures would no longer count', suite({ by: ['eve'] })],
  ['no approvals', gate(({ approvals: _, ...g }) => g)],
  [
    'approvals of another role instead',
    gate((g) => ({ ...g, approvals: [{ role: 'owner', count: 1 }] })),
  ],
  ['a shorter wait', gate((g) => ({ ...g, sealed: 9 }))],
  ['no wait', gate(({ sealed: _, ...g }) => g)],
  ['an earlier date', gate((g) => ({ ...g, notBefore: day(4) }))],
  ['no date', gate(({ notBefore: _, ...g }) => g)],
  ['other lifters', gate((g) => ({ ...g, lift: { object: 'owner' } }))],
];

describe('a newer policy', () => {
  test('that only has another version is the same', () => {
    expect(compareStrictness(base, { ...base, version: 5 })).toBe('same');
  });

  test.each(STRICTER)('with %s is not looser, and the way back is', (what, change) => {
    const next = change(base);
    const expected = what.startsWith('the lifters') ? 'same' : 'stricter';
    expect(compareStrictness(base, next)).toBe(expected);
    expect(compareStrictness(next, base)).toBe(expected === 'same' ? 'same' : 'looser');
  });

  test.each(LOOSER)('with %s is looser', (_, change) => {
    expect(compareStrictness(base, change(base))).toBe('looser');
  });

  test.each<[string, Change, Change]>([
    [
      'an approval',
      (p) => gate((g) => ({ ...g, approvals: [{ role: 'reviewer', count: 2 }] }))(p),
      (p) => p,
    ],
    ['a harness', suite({ harness: HARNESS }), suite({ harness: OTHER })],
    ['thresholds', suite({ thresholds: HARNESS }), suite({ thresholds: OTHER })],
    ['a maximum age', suite({ maxAge: 10 }), suite({ maxAge: 9 })],
    ['owners', (p) => ({ ...p, owners: 2 }), (p) => p],
    [
      'an expiry',
      keysOfRita(fakeKey('rita', { expires: day(5) })),
      keysOfRita(fakeKey('rita', { expires: day(6) })),
    ],
    ['a revocation', keysOfRita(fakeKey('rita', { revoked: true })), keysOfRita(fakeKey('rita'))],
  ])('that changes or takes back %s is looser', (_, before, after) => {
    expect(compareStrictness(before(base), after(base))).toBe('looser');
  });

  test('asks its readers for terms where it asked for none, and is looser where it changes or drops them', () => {
    const bytes = (terms?: typeof TERMS): Policy => ({
      ...base,
      bytes: { for: 'readers', ...(terms && { terms }) },
    });
    expect(compareStrictness(bytes(), bytes(TERMS))).toBe('stricter');
    expect(compareStrictness(bytes(TERMS), bytes())).toBe('looser');
    expect(compareStrictness(bytes(TERMS), bytes({ ...TERMS, name: 'Acme Licence 2' }))).toBe(
      'looser',
    );
    expect(compareStrictness(bytes(TERMS), bytes(TERMS))).toBe('same');
    const withFormats = { ...bytes(), formats: { allow: ['pickle'] } };
    expect(compareStrictness(base, withFormats)).toBe('looser');
  });

  test('a key that expires earlier than it did is stricter', () => {
    const expiring = (days: number) => keysOfRita(fakeKey('rita', { expires: day(days) }))(base);
    expect(compareStrictness(expiring(6), expiring(5))).toBe('stricter');
  });

  test('that begins to be gated is stricter, and with other lifters is not', () => {
    const solo = policyOf({});
    expect(compareStrictness(solo, policyOf({ sealed: 1 }))).toBe('stricter');
    const barely = policyOf({ lift: { hold: 'release-manager' } });
    expect(compareStrictness(solo, barely)).toBe('stricter');
    expect(compareStrictness(barely, solo)).toBe('looser');
    expect(compareStrictness(solo, policyOf({ lift: { hold: 'owner' } }))).toBe('looser');
  });
});

/** Any of these changes, each once. */
const changes = (of: readonly [string, Change][]) =>
  fc
    .subarray([...of], { minLength: 1, maxLength: 4 })
    .map((list) => list.map(([, change]) => change));
const applied = (policy: Policy, list: readonly Change[]) =>
  list.reduce((before, change) => change(before), policy);

describe('of all policies', () => {
  test('none that loosens anything is called stricter, whatever else it does', () => {
    const both = fc.tuple(changes(STRICTER), fc.constantFrom(...LOOSER));
    fc.assert(
      fc.property(both, ([stricter, [, looser]]) => {
        expect(compareStrictness(base, applied(base, [...stricter, looser]))).toBe('looser');
      }),
    );
  });

  test('a stricter one passes no release that the older one would not', () => {
    const who = fc.constantFrom('pat', 'rita', 'rita', 'rita', 'eve', 'max');
    const stolen = fakeKey('stolen').spki;
    const acts = fc.array(
      fc.record({
        who,
        what: fc.constantFrom(
          ...['approve', 'approve', 'passed', 'passed', 'warned', 'failed'],
          ...['object', 'postpone', 'lift', 'lift', 'other-suite'],
        ),
        second: fc.boolean(),
        harness: fc.boolean(),
        expires: fc.constantFrom(day(8), day(100)),
      }),
      { minLength: 2, maxLength: 14 },
    );
    let passed = 0;
    const old = withKeys(base, 'rita', [fakeKey('rita'), fakeKey('stolen')]);
    const stricter: readonly Change[] = [
      ...STRICTER.slice(2).map(([, change]) => change),
      keysOfRita(fakeKey('rita'), fakeKey('stolen', { revoked: true })),
      keysOfRita(fakeKey('rita', { expires: day(9) }), fakeKey('stolen')),
    ];
    const next = fc
      .subarray([...stricter], { minLength: 1, maxLength: 2 })
      .map((list) => applied(old, list));
    fc.assert(
      fc.property(next, acts, (after, said) => {
        expect(compareStrictness(old, after)).not.toBe('looser');
        const it = new Hearing(old);
        it.seal();
        it.approve('olga');
        it.approve('rob');
        it.evaluate('eve', 'a', 'passed', { harness: HARNESS, thresholds: HARNESS });
        const stops = [];
        for (const { who, what, second, harness, expires } of said) {
          const key = who === 'rita' && second ? stolen : undefined;
          const more = { context: { expires }, ...(key && { key }) };
          const run = { ...more, ...(harness && { harness: HARNESS, thresholds: HARNESS }) };
          if (what === 'approve') it.approve(who, more);
          else if (what === 'object') stops.push(it.stop(who, 'object', more));
          else if (what === 'postpone') {
            stops.push(it.postpone(who, second ? day(3) : 'indefinitely', more));
          } else if (what === 'lift') {
            const last = stops.pop();
            if (last !== undefined) it.lift(who, last, more);
          } else if (what === 'other-suite') it.evaluate(who, 'a', 'passed', run);
          else it.evaluate(who, 'safety', what as 'passed', run);
        }
        if (!it.ask({ policy: after }).ok) return;
        passed += 1;
        expect(it.needs({ policy: old })).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
    expect(passed).toBeGreaterThan(100);
  });
});
