import { describe, expect, test } from '@jest/globals';
import { formatBase64, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { passGate } from '../../../src/core/release/gate.ts';
import {
  formatPolicy,
  keysOf,
  type Policy,
  parsePolicy,
  personWithKey,
  soloPolicy,
} from '../../../src/core/release/policy.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const key = (seed: string) => formatBase64(utf8(seed));
const solo = soloPolicy('models.example.org', 'acme', { id: 'ada', name: 'Ada', spki: key('ada') });

describe('the policy of a namespace', () => {
  test('reads back what was written', () => {
    expect(parsePolicy(formatPolicy(solo))).toEqual(solo);
    expect(personWithKey(solo, key('ada'))).toBe('ada');
    expect(personWithKey(solo, key('eve'))).toBeUndefined();
    expect(keysOf(solo, 'owner')).toEqual([key('ada')]);
    expect(keysOf(solo, 'reviewer')).toEqual([]);
  });

  test.each<[string, (policy: Policy) => unknown]>([
    ['nobody', (p) => ({ ...p, people: [] })],
    ['no owner', (p) => ({ ...p, roles: { ...p.roles, owner: [] } })],
    ['an owner without a key', (p) => ({ ...p, people: [{ ...p.people[0], keys: [] }] })],
    ['owners: 0', (p) => ({ ...p, owners: 0 })],
    ['more signatures than owners', (p) => ({ ...p, owners: 2 })],
    ['a person twice', (p) => ({ ...p, people: [p.people[0], p.people[0]] })],
    [
      'one key of two people',
      (p) => ({ ...p, people: [...p.people, { ...p.people[0]!, id: 'bob' }] }),
    ],
    [
      'a key twice',
      (p) => ({ ...p, people: [{ ...p.people[0]!, keys: [key('ada'), key('ada')] }] }),
    ],
    ['a stranger in a role', (p) => ({ ...p, roles: { ...p.roles, publisher: ['eve'] } })],
    ['somebody twice in a role', (p) => ({ ...p, roles: { ...p.roles, owner: ['ada', 'ada'] } })],
    ['a role that does not exist', (p) => ({ ...p, roles: { ...p.roles, admin: ['ada'] } })],
    ['a gate that this version does not know', (p) => ({ ...p, gate: { approvals: 2 } })],
    ['version 0', (p) => ({ ...p, version: 0 })],
  ])('is refused with %s', (_, change) => {
    expect(() => parsePolicy(formatCanonical(change(solo) as Policy))).toThrowWithCode(
      'bad-document',
    );
  });
});

describe('the solo gate', () => {
  const sealed = digestOf(nodeHost, utf8('sealed'));
  const ask = (changes: object) =>
    passGate({
      policy: solo,
      policyIndex: 3,
      sealed,
      named: sealed,
      roles: ['publisher'],
      ...changes,
    });

  test('is passed by a publisher who names the sealed digest', () => {
    expect(ask({})).toMatchObject({ ok: true, clearance: { digest: sealed, policy: 3 } });
  });

  test('says what is missing, all of it', () => {
    const verdict = ask({ named: undefined, roles: ['reader', 'evaluator', 'reviewer'] });
    expect(verdict).toMatchObject({ ok: false, missing: [{ need: 'role' }, { need: 'digest' }] });
  });

  test('is not passed by another digest', () => {
    expect(ask({ named: digestOf(nodeHost, utf8('other')) })).toMatchObject({
      ok: false,
      missing: [{ need: 'digest' }],
    });
  });
});
