import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { GateRequest } from '../../../src/core/release/gate.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import {
  day,
  fakeKey,
  Hearing,
  policyOf,
  RELEASE,
  SEALED,
  withKeys,
} from '../../made/decisions.ts';

const OTHER = digestOf(nodeHost, utf8('other'));
const DAY = 24 * 3600;

/** A gate that asks for this and nothing else, sealed by the registry, pushed by pat. */
function hearing(gate: Parameters<typeof policyOf>[0]): Hearing {
  const it = new Hearing(policyOf(gate));
  it.seal();
  return it;
}

describe('the solo gate', () => {
  const solo = new Hearing(policyOf({}));

  test('is passed by a publisher who names the sealed digest', () => {
    const clearance = { digest: SEALED, policy: 3, inputs: [] };
    const asked = { policyIndex: 3, intent: undefined };
    expect(solo.ask(asked)).toMatchObject({ ok: true, clearance });
  });

  test('says what is missing, all of it, and what would satisfy it', () => {
    expect(solo.ask({ named: undefined, roles: ['reader', 'evaluator', 'reviewer'] })).toEqual({
      ok: false,
      missing: [
        expect.objectContaining({
          need: 'role',
          satisfiedBy: expect.stringContaining('token create --namespace acme --role publisher'),
        }),
        expect.objectContaining({
          need: 'digest',
          satisfiedBy: `weighhouse publish ${RELEASE} --digest ${SEALED}`,
        }),
      ],
    });
  });

  test('is not passed by another digest', () => {
    expect(solo.needs({ named: OTHER })).toEqual(['digest']);
  });

  test('is stopped by an objection and by what nobody opened, like any other', () => {
    const it = new Hearing(policyOf({}));
    it.stop('rita', 'object');
    const unopened = [{ index: 7, label: 'ab'.repeat(32) }];
    expect(it.needs({ unopened })).toEqual(['objection', 'unopened']);
  });
});

describe('a gated release', () => {
  const full = () => {
    const it = hearing({
      approvals: [{ role: 'reviewer', count: 2 }],
      evaluations: [{ suite: 'safety', accept: ['passed'] }],
      sealed: 5 * DAY,
      notBefore: day(10),
    });
    it.evaluate('eve', 'safety');
    it.approve('rita');
    it.approve('rob');
    return it;
  };

  test('is cleared when everything is there, and the clearance names what was looked at', () => {
    const it = full();
    const intent = it.statement('max', { decision: 'publish' });
    const inputs = [...it.decisions, intent].map(({ digest }) => digest);
    expect(it.ask({ intent, policyIndex: 4 })).toMatchObject({
      ok: true,
      clearance: { digest: SEALED, policy: 4, inputs },
    });
  });

  test('lacks everything before anybody did anything', () => {
    const it = new Hearing(full().policy);
    expect(it.needs({ intent: undefined, time: day(0) })).toEqual([
      'seal',
      'not-before',
      'evaluation',
      'approval',
      'intent',
    ]);
  });

  test('waits until it was sealed for long enough, and until its date', () => {
    const it = full();
    const just = (milliseconds: number) =>
      new Date(Date.parse(day(10)) + milliseconds).toISOString();
    expect(it.needs({ time: just(-1) })).toEqual(['not-before']);
    expect(it.needs({ time: just(0) })).toEqual([]);
    it.seal(['pat'], { at: 5 });
    expect(it.needs({ time: just(-1) })).toEqual(['age', 'not-before']);
    expect(it.needs({ time: just(0) })).toEqual([]);
    const verdict = it.ask({ time: day(9) });
    expect(verdict).toMatchObject({
      missing: [{ satisfiedBy: day(10) }, { satisfiedBy: day(10) }],
    });
  });

  test('says for how long it must have been sealed', () => {
    const said = (sealed: number) => {
      const it = new Hearing(policyOf({ sealed }));
      it.seal(['pat'], { at: 5 });
      const verdict = it.ask({ time: day(5) });
      return verdict.ok ? '' : verdict.missing.map(({ message }) => message).join();
    };
    expect(said(1)).toContain('sealed for 1 s, ');
    expect(said(2)).toContain('sealed for 2 s, ');
  });

  test('needs the registry’s own seal: nobody else’s word for who pushed counts', () => {
    const it = new Hearing(policyOf({ sealed: 1 }));
    it.say('max', { decision: 'seal', pushers: ['nobody'] });
    expect(it.needs()).toEqual(['seal']);
  });

  test('is judged the same in whatever order its decisions are given', () => {
    const it = full();
    const hold = it.stop('rob', 'hold');
    it.postpone('max', 'indefinitely');
    it.postpone('max', day(3));
    it.evaluate('rita', 'safety', 'failed');
    it.evaluate('rita', 'safety', 'passed');
    it.lift('max', hold);
    expect(it.needs()).toEqual([]);
    const shuffled = fc.shuffledSubarray(it.decisions, { minLength: it.decisions.length });
    fc.assert(
      fc.property(shuffled, (decisions) => {
        expect(it.ask({ decisions })).toEqual(it.ask());
      }),
    );
  });

  test('each of what it needs is needed: without any one of the decisions it is not cleared', () => {
    const { decisions, ...it } = full();
    for (const left of decisions) {
      const rest = decisions.filter((each) => each !== left);
      expect(new Hearing(it.policy).needs({ decisions: rest })).not.toEqual([]);
    }
  });
});

describe('the intent to publish', () => {
  const it = hearing({ sealed: 1 });
  const intent = (who: string, more: Parameters<Hearing['statement']>[2] = {}) =>
    it.statement(who, { decision: 'publish' }, more);

  test.each<[string, GateRequest['intent']]>([
    ['nobody', undefined],
    ['an owner', intent('olga')],
    ['the registry', intent('registry')],
    ['a release manager, for another digest', intent('max', { digest: OTHER })],
    ['a release manager, for another revision', intent('max', { context: { revision: 2 } })],
    ['a release manager, for another release', intent('max', { context: { release: 'acme/a@1' } })],
    ['a release manager, for another registry', intent('max', { context: { origin: 'other' } })],
    ['a release manager, too long ago', intent('max', { context: { expires: day(10) } })],
    ['a release manager who was none when it was logged', intent('max', { roles: ['reader'] })],
    ['a release manager, approving only', it.statement('max', { decision: 'approve' })],
  ])('is not signed by %s', (_, signed) => {
    expect(it.needs({ intent: signed })).toEqual(['intent']);
  });

  test('is not signed with a key that is revoked', () => {
    const signed = intent('max');
    expect(it.needs({ intent: signed })).toEqual([]);
    expect(it.needs({ intent: signed, revoked: new Set([fakeKey('max').spki]) })).toEqual([
      'intent',
    ]);
    const revoked = withKeys(it.policy, 'max', [fakeKey('max', { revoked: true }), fakeKey('new')]);
    expect(it.needs({ intent: signed, policy: revoked })).toEqual(['intent']);
  });
});

describe('the work of the gate', () => {
  /** How often the gate looks into any decision. */
  function looks(count: number): number {
    const it = hearing({
      approvals: [{ role: 'reviewer', count: 2 }],
      evaluations: [{ suite: 'safety', accept: ['passed'] }],
    });
    it.approve('rita');
    it.approve('rob');
    const stops = [];
    while (it.decisions.length < count) {
      it.approve('rita');
      it.evaluate('eve', 'safety', it.decisions.length % 2 === 0 ? 'failed' : 'passed');
      stops.push(it.stop('rob', 'object'), it.postpone('max', day(3)));
      for (const stop of stops.splice(0)) it.lift('max', stop);
    }
    it.evaluate('eve', 'safety');
    let looked = 0;
    const watch = <T extends object>(value: T): T =>
      new Proxy(value, {
        get(target, name) {
          looked += 1;
          const found = Reflect.get(target, name);
          return typeof found === 'object' && found !== null ? watch(found) : found;
        },
      });
    const decisions = it.decisions.map((decision) => watch(decision));
    expect(it.needs({ decisions })).toEqual([]);
    return looked / it.decisions.length;
  }

  test('grows with the number of decisions and not with its square', () => {
    const few = looks(250);
    expect(looks(1_000)).toBeLessThan(few * 1.1);
    expect(looks(4_000)).toBeLessThan(few * 1.1);
  });
});
