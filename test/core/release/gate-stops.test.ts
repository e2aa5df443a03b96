/** Objections, holds, postponements: what stops a release, and every way to get around it. */
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, fakeKey, Hearing, policyOf, withKeys } from '../../made/decisions.ts';

const FORMER = digestOf(nodeHost, utf8('former'));
const twins = new Set([FORMER]);

function hearing(gate: Requirements = { sealed: 1 }): Hearing {
  const it = new Hearing(policyOf(gate));
  it.seal();
  return it;
}

describe.each([
  ['object', 'objection'],
  ['hold', 'hold'],
] as const)('to %s', (decision, need) => {
  test('stops the release until it is lifted by a release manager', () => {
    const it = hearing();
    const stop = it.stop('rob', decision);
    expect(it.ask()).toMatchObject({
      missing: [
        {
          need,
          waitsFor: ['rob', 'max'],
          message: expect.stringContaining('Wait'),
          satisfiedBy: expect.stringContaining(`lift acme/kimi-k2@v1.0 --decision ${stop.digest}`),
        },
      ],
    });
    it.lift('max', stop);
    expect(it.needs()).toEqual([]);
  });

  test('takes any role but that of a mere reader', () => {
    const it = hearing();
    it.stop('eve', decision, { roles: ['reader'] });
    expect(it.needs()).toEqual([]);
    it.stop('eve', decision, { roles: ['publisher'] });
    expect(it.needs()).toEqual([need]);
  });

  test('stands when its key is revoked, expires, or its author leaves', () => {
    const it = hearing();
    it.stop('rob', decision, { context: { expires: day(5) } });
    const without = it.policy.people.filter(({ id }) => id !== 'rob');
    const roles = { ...it.policy.roles, reviewer: ['rita'] };
    expect(it.needs({ revoked: new Set([fakeKey('rob').spki]) })).toEqual([need]);
    expect(it.needs({ policy: withKeys(it.policy, 'rob', []) })).toEqual([need]);
    expect(it.needs({ policy: { ...it.policy, people: without, roles } })).toEqual([need]);
  });

  test('that had expired when it was committed is none', () => {
    const it = hearing();
    it.stop('rob', decision, { at: 5, context: { expires: day(5) } });
    expect(it.needs()).toEqual([]);
  });

  test('goes with the bytes: not shaken off by another revision, version or name for them', () => {
    for (const context of [
      { revision: 3 },
      { release: 'acme/kimi-k2@v0.9' },
      { release: 'acme/renamed@v1' },
    ]) {
      const it = hearing();
      it.stop('rob', decision, { digest: FORMER, context });
      expect(it.needs({ twins })).toEqual([need]);
      expect(it.needs()).toEqual([]);
    }
  });

  test('in another namespace or registry says nothing here', () => {
    const it = hearing();
    it.stop('rob', decision, { context: { release: 'other/kimi-k2@v1.0' } });
    it.stop('rob', decision, { context: { origin: 'other.example' } });
    expect(it.needs()).toEqual([]);
  });
});

describe('a withdrawal', () => {
  const WITHDRAWN = { decision: 'withdraw', reason: 'Another base model' } as const;

  test.each(['pat', 'max', 'olga'])('by one who may publish (%s) is for good', (who) => {
    const it = hearing();
    const withdrawal = it.say(who, WITHDRAWN);
    it.lift('max', withdrawal);
    it.lift(who, withdrawal);
    expect(it.ask()).toMatchObject({
      missing: [
        {
          need: 'withdrawn',
          message: expect.stringContaining(`${who} withdrew it for good, in entry 2: Another base`),
          waitsFor: [],
        },
      ],
    });
  });

  test('by anybody else counts for nothing', () => {
    const it = hearing();
    for (const who of ['rita', 'eve']) it.say(who, WITHDRAWN);
    expect(it.needs()).toEqual([]);
    expect(it.needs({ policy: policyOf({}) })).toEqual([]);
  });

  test('stands when its key is revoked, and is none when it had expired before', () => {
    const it = hearing();
    it.say('pat', WITHDRAWN, { at: 5, context: { expires: day(5) } });
    expect(it.needs()).toEqual([]);
    it.say('pat', WITHDRAWN, { context: { expires: day(5) } });
    expect(it.needs({ revoked: new Set([fakeKey('pat').spki]) })).toEqual(['withdrawn']);
    expect(it.needs({ policy: withKeys(it.policy, 'pat', []) })).toEqual(['withdrawn']);
  });

  test('goes with the digest: a later revision, or the same bytes elsewhere, is free of it', () => {
    const it = hearing();
    it.say('pat', WITHDRAWN, { digest: FORMER });
    it.say('pat', WITHDRAWN, { digest: FORMER, context: { release: 'acme/kimi-k2@v0.9' } });
    it.say('pat', WITHDRAWN, { context: { revision: 3 } });
    expect(it.needs({ twins })).toEqual([]);
  });
});

describe('a lift', () => {
  test('counts only when it is logged after what it lifts', () => {
    const it = hearing();
    const hold = it.stop('rob', 'hold', { at: 2 });
    it.lift('max', hold, { at: 1 });
    expect(it.needs()).toEqual(['hold']);
    it.lift('max', hold, { at: 2 });
    expect(it.needs()).toEqual(['hold']);
    it.lift('max', hold, { at: 3 });
    expect(it.needs()).toEqual([]);
  });

  test('takes the role that the policy says', () => {
    const it = hearing({ lift: { object: 'reviewer', hold: 'owner' } });
    const objection = it.stop('eve', 'object');
    const hold = it.stop('eve', 'hold');
    for (const who of ['max', 'pat', 'olga']) it.lift(who, objection);
    for (const who of ['max', 'pat', 'rita']) it.lift(who, hold);
    it.say('registry', { decision: 'lift', lifts: hold.digest, reason: 'Solved' });
    expect(it.needs()).toEqual(['objection', 'hold']);
    it.lift('rita', objection);
    it.lift('olga', hold);
    expect(it.needs()).toEqual([]);
  });

  test('needs the role when it is logged and at the release', () => {
    const it = hearing();
    const hold = it.stop('rob', 'hold');
    it.lift('max', hold, { roles: ['reader'] });
    expect(it.needs()).toEqual(['hold']);
    it.lift('max', hold);
    const roles = { ...it.policy.roles, 'release-manager': ['olga'] };
    const intent = it.statement('olga', { decision: 'publish' }, { roles: ['release-manager'] });
    expect(it.needs({ policy: { ...it.policy, roles }, intent })).toEqual(['hold']);
  });

  test('by its author is always good, whatever their role', () => {
    const it = hearing({ lift: { object: 'owner' } });
    it.lift('rob', it.stop('rob', 'object'));
    expect(it.needs()).toEqual([]);
  });

  test('by somebody who pushed clears nobody’s way but their own word', () => {
    const it = new Hearing(policyOf({ lift: { hold: 'publisher' } }));
    it.seal(['pat']);
    const theirs = it.stop('rob', 'hold');
    const own = it.stop('pat', 'hold');
    it.lift('pat', theirs);
    it.lift('pat', own);
    expect(it.needs()).toEqual(['hold']);
    expect(it.ask()).toMatchObject({ missing: [{ waitsFor: ['rob', 'pat'] }] });
  });

  test('does not count with a key that is revoked, or when it has expired', () => {
    const it = hearing();
    const hold = it.stop('rob', 'hold');
    it.lift('max', hold, { key: fakeKey('stolen').spki, roles: ['release-manager'] });
    it.lift('max', hold, { context: { expires: day(10) } });
    expect(it.needs()).toEqual(['hold']);
    it.policy = withKeys(it.policy, 'max', [fakeKey('max'), fakeKey('stolen')]);
    expect(it.needs()).toEqual([]);
    expect(it.needs({ revoked: new Set([fakeKey('stolen').spki]) })).toEqual(['hold']);
  });

  test('of one does not lift another', () => {
    const it = hearing();
    it.stop('rob', 'hold');
    it.lift('max', it.stop('rob', 'hold'));
    expect(it.needs()).toEqual(['hold']);
  });

  test('goes with the bytes, as what it lifts does', () => {
    const it = hearing();
    const former = { digest: FORMER, context: { revision: 2 } };
    it.lift('max', it.stop('rob', 'object', former), former);
    expect(it.needs({ twins })).toEqual([]);
  });

  test('for other bytes lifts nothing here', () => {
    const it = hearing();
    it.lift('max', it.stop('rob', 'object'), { digest: FORMER });
    expect(it.needs()).toEqual(['objection']);
  });
});

describe('a postponement', () => {
  test('until a date stops the release before it, and not from then on', () => {
    const it = hearing();
    it.postpone('max', day(10));
    const before = new Date(Date.parse(day(10)) - 1).toISOString();
    expect(it.ask({ time: before })).toMatchObject({
      missing: [{ need: 'postponed', satisfiedBy: day(10) }],
    });
    expect(it.needs({ time: day(10) })).toEqual([]);
  });

  test('until further notice stops it until it is lifted', () => {
    const it = hearing();
    const postponed = it.postpone('rob', 'indefinitely');
    expect(it.needs({ time: day(99) })).toEqual(['postponed']);
    it.lift('max', postponed);
    expect(it.needs()).toEqual([]);
  });

  test('is replaced by a newer one of the same person, and of nobody else', () => {
    const it = hearing();
    it.postpone('max', 'indefinitely');
    it.postpone('rob', day(1));
    expect(it.needs()).toEqual(['postponed']);
    it.postpone('max', day(20));
    expect(it.ask()).toMatchObject({ missing: [{ satisfiedBy: day(20) }] });
    it.postpone('max', day(2));
    expect(it.needs()).toEqual([]);
  });

  test('is not shortened by whoever stole a key, once that is revoked', () => {
    const it = hearing();
    it.policy = withKeys(it.policy, 'rob', [fakeKey('rob'), fakeKey('stolen')]);
    it.postpone('rob', 'indefinitely');
    it.postpone('rob', day(1), { key: fakeKey('stolen').spki });
    expect(it.needs()).toEqual([]);
    expect(it.needs({ revoked: new Set([fakeKey('stolen').spki]) })).toEqual(['postponed']);
  });
});

test('a commitment that nobody opened stops the release', () => {
  const it = hearing();
  const unopened = [{ index: 4, label: 'ab'.repeat(32) }];
  expect(it.ask({ unopened })).toMatchObject({
    missing: [{ need: 'unopened', waitsFor: ['olga'], message: expect.stringContaining('4') }],
  });
});
