import { describe, expect, test } from '@jest/globals';
import { formatBase64, utf8 } from '../../../src/core/bytes.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import {
  formatPolicy,
  keysOf,
  type Policy,
  parsePolicy,
  personWithKey,
  soloPolicy,
} from '../../../src/core/release/policy.ts';
import { MAX_SECONDS, type Requirements } from '../../../src/core/release/requirements.ts';
import { enrolled } from '../../made/enrolment.ts';
import { makeKey } from '../../made/p256.ts';

const key = enrolled(makeKey(), { person: 'ada' });
const other = enrolled(makeKey(), { person: 'bob' });
const solo = soloPolicy('models.example.org', 'acme', { id: 'ada', name: 'Ada', key });
const now = '2026-02-01T12:00:00.000Z';
const later = '2026-02-01T12:00:00.001Z';

/** Two reviewers, two evaluators, a release manager. */
const gated: Policy = {
  ...solo,
  people: [...solo.people, { id: 'bob', name: 'Bob', keys: [other] }],
  roles: { ...solo.roles, evaluator: ['ada', 'bob'], reviewer: ['bob', 'ada'] },
  delay: 86_400,
  gate: {
    approvals: [{ role: 'reviewer', count: 2 }],
    evaluations: [
      { suite: 'quality', accept: ['passed', 'warned'] },
      { suite: 'safety', accept: ['passed'], by: ['bob'], maxAge: 1 },
    ],
    sealed: 3600,
    notBefore: now,
    lift: { object: 'owner' },
  },
};

/** A policy with one more thing said about its only key. */
const withKey = (more: Partial<Policy['people'][number]['keys'][number]>): Policy => ({
  ...solo,
  people: [{ ...solo.people[0]!, keys: [{ ...key, ...more }] }],
});

const refuse = (policy: unknown) =>
  expect(() => parsePolicy(formatCanonical(policy as Policy))).toThrowWithCode('bad-document');

describe('the policy of a namespace', () => {
  test('reads back what was written', () => {
    for (const policy of [solo, gated, withKey({ expires: now })]) {
      expect(parsePolicy(formatPolicy(policy))).toEqual(policy);
    }
  });

  test('says whose a key is', () => {
    expect(personWithKey(gated, key.spki)).toBe('ada');
    expect(personWithKey(solo, other.spki)).toBeUndefined();
  });

  test('says which keys speak for a role', () => {
    expect(keysOf(solo, 'owner', now)).toEqual([key]);
    expect(keysOf(solo, 'reviewer', now)).toEqual([]);
    expect(keysOf(gated, undefined, now)).toEqual([key, other]);
  });

  test('a key that is revoked or expired speaks for nobody', () => {
    const revoked = { ...key, revoked: true as const };
    const both = { ...gated, people: [{ ...gated.people[0]!, keys: [revoked, other] }] };
    expect(keysOf(both, 'owner', now)).toEqual([other]);
    expect(keysOf(withKey({ expires: later }), 'owner', now)).toEqual([{ ...key, expires: later }]);
    expect(keysOf(withKey({ expires: now }), 'owner', now)).toEqual([]);
  });

  test.each<[string, (policy: Policy) => unknown]>([
    ['nobody', (p) => ({ ...p, people: [] })],
    ['no owner', (p) => ({ ...p, roles: { ...p.roles, owner: [] } })],
    ['an owner without a key', (p) => ({ ...p, people: [{ ...p.people[0], keys: [] }] })],
    ['an owner whose only key is revoked', () => withKey({ revoked: true })],
    ['a key revoked: false', () => withKey({ revoked: false as unknown as true })],
    ['a key without a proof', (p) => ({ ...p, people: [{ ...p.people[0], keys: [key.spki] }] })],
    ['a key that is none', () => withKey({ spki: formatBase64(utf8('ada')) })],
    ['a proof that is no signature', () => withKey({ proof: formatBase64(utf8('proof')) })],
    ['owners: 0', (p) => ({ ...p, owners: 0 })],
    ['more signatures than owners', (p) => ({ ...p, owners: 2 })],
    ['a person twice', (p) => ({ ...p, people: [p.people[0], p.people[0]] })],
    [
      'one key of two people',
      (p) => ({ ...p, people: [...p.people, { ...p.people[0]!, id: 'bob' }] }),
    ],
    ['a key twice', (p) => ({ ...p, people: [{ ...p.people[0]!, keys: [key, key] }] })],
    [
      'a key twice, with another proof',
      (p) => ({
        ...p,
        people: [{ ...p.people[0]!, keys: [key, { ...key, proof: other.proof }] }],
      }),
    ],
    ['a stranger in a role', (p) => ({ ...p, roles: { ...p.roles, publisher: ['eve'] } })],
    ['somebody twice in a role', (p) => ({ ...p, roles: { ...p.roles, owner: ['ada', 'ada'] } })],
    ['a role that does not exist', (p) => ({ ...p, roles: { ...p.roles, admin: ['ada'] } })],
    ['no delay', ({ delay: _, ...p }) => p],
    ['a delay of more than ten years', (p) => ({ ...p, delay: MAX_SECONDS + 1 })],
    ['a gate that this version does not know', (p) => ({ ...p, gate: { witnesses: 2 } })],
    ['version 0', (p) => ({ ...p, version: 0 })],
  ])('is refused with %s', (_, change) => {
    refuse(change(solo));
  });

  test.each<[string, Requirements]>([
    ['k = 0', { approvals: [{ role: 'reviewer', count: 0 }] }],
    ['k of more than there are', { approvals: [{ role: 'reviewer', count: 3 }] }],
    ['approvals by a role that nobody has', { approvals: [{ role: 'reader', count: 1 }] }],
    [
      'two approvals of one role, which one person could meet',
      {
        approvals: [
          { role: 'reviewer', count: 1 },
          { role: 'reviewer', count: 1 },
        ],
      },
    ],
    ['no approvals, and yet a list of them', { approvals: [] }],
    ['no suites, and yet a list of them', { evaluations: [] }],
    ['a suite that accepts nothing', { evaluations: [{ suite: 'a', accept: [] as never }] }],
    [
      'a suite that accepts failure',
      { evaluations: [{ suite: 'a', accept: ['failed'] as never }] },
    ],
    [
      'a suite twice',
      {
        evaluations: [
          { suite: 'a', accept: ['passed'] },
          { suite: 'a', accept: ['passed', 'warned'] },
        ],
      },
    ],
    [
      'an evaluator who is none',
      { evaluations: [{ suite: 'a', accept: ['passed'], by: ['eve'] }] },
    ],
    ['nobody by name', { evaluations: [{ suite: 'a', accept: ['passed'], by: [] }] }],
    ['a wait of no seconds', { sealed: 0 }],
    ['a date that is none', { notBefore: '2026-02-01' }],
    ['a lifter of no role', { lift: { hold: 'operator' as never } }],
  ])('is refused with a gate of %s', (_, gate) => {
    refuse({ ...gated, gate });
  });

  test('that is gated needs somebody who can sign the intent', () => {
    const { 'release-manager': _, ...roles } = gated.roles;
    refuse({ ...gated, roles });
    expect(() => formatPolicy({ ...gated, roles, gate: {} })).not.toThrow();
  });
});
