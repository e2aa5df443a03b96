/** Approvals and evaluations: what counts, and the attacks on counting. */
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import {
  type Circumstance,
  day,
  fakeKey,
  Hearing,
  policyOf,
  withKeys,
} from '../../made/decisions.ts';

const OTHER = digestOf(nodeHost, utf8('other'));
const HARNESS = digestOf(nodeHost, utf8('harness'));
const twins = new Set([OTHER]);
const DAY = 24 * 3600;

function hearing(gate: Requirements): Hearing {
  const it = new Hearing(policyOf(gate));
  it.seal();
  return it;
}

const TWO: Requirements = { approvals: [{ role: 'reviewer', count: 2 }] };
const ONE: Requirements = { approvals: [{ role: 'reviewer', count: 1 }] };

/** What one decision was made for, where it should have been for another. */
const ELSEWHERE: readonly [string, Circumstance][] = [
  ['another digest', { digest: OTHER }],
  ['another revision', { context: { revision: 2 } }],
  ['another release', { context: { release: 'acme/kimi-k2@v1.1' } }],
  ['another model', { context: { release: 'acme/other@v1.0' } }],
  ['another namespace', { context: { release: 'other/kimi-k2@v1.0' } }],
  ['another registry', { context: { origin: 'other.example' } }],
];

describe('approvals', () => {
  test('are counted by distinct people of the role', () => {
    const it = hearing(TWO);
    it.approve('rita');
    expect(it.ask()).toMatchObject({
      missing: [
        {
          need: 'approval',
          waitsFor: ['rob'],
          satisfiedBy: 'weighhouse approve acme/kimi-k2@v1.0',
        },
      ],
    });
    it.approve('rob');
    expect(it.needs()).toEqual([]);
  });

  test('by one person twice count once', () => {
    const it = hearing(TWO);
    it.approve('rita');
    it.approve('rita');
    expect(it.needs()).toEqual(['approval']);
  });

  test('by one person with two keys count once', () => {
    const it = hearing(TWO);
    it.policy = withKeys(it.policy, 'rita', [fakeKey('rita'), fakeKey('second')]);
    it.approve('rita', { key: fakeKey('rita').spki });
    it.approve('rita', { key: fakeKey('second').spki });
    expect(it.needs()).toEqual(['approval']);
  });

  test('by people of another role do not count', () => {
    const it = hearing(ONE);
    for (const who of ['olga', 'pat', 'eve', 'max']) it.approve(who);
    it.say('registry', { decision: 'approve' });
    expect(it.needs()).toEqual(['approval']);
  });

  test('by whoever pushed do not count, whichever seal of this digest says that they pushed', () => {
    const it = hearing(TWO);
    it.approve('rita');
    it.approve('rob');
    expect(it.needs()).toEqual([]);
    it.seal(['pat', 'rob'], { at: 1 });
    it.seal(['pat'], { at: 2 });
    expect(it.needs()).toEqual(['approval']);
    expect(it.ask()).toMatchObject({ missing: [{ waitsFor: [] }] });
  });

  test.each(ELSEWHERE)('for %s do not count', (_, where) => {
    const it = hearing(ONE);
    it.approve('rita', where);
    expect(it.needs({ twins })).toEqual(['approval']);
  });

  test('that have expired do not count', () => {
    const it = hearing(ONE);
    it.approve('rita', { context: { expires: day(10) } });
    expect(it.needs({ time: day(9) })).toEqual([]);
    expect(it.needs({ time: day(10) })).toEqual(['approval']);
  });

  test('that had expired when they were committed do not count, whatever the clock says later', () => {
    const it = hearing(ONE);
    it.approve('rita', { at: 5, context: { expires: day(5) } });
    expect(it.needs({ time: day(4) })).toEqual(['approval']);
  });

  test('with a key that a newer policy revokes do not count, in force or not', () => {
    const it = hearing(ONE);
    it.approve('rita');
    const { spki } = fakeKey('rita');
    expect(it.needs({ revoked: new Set([spki]) })).toEqual(['approval']);
    const revoked = withKeys(it.policy, 'rita', [fakeKey('rita', { revoked: true })]);
    expect(it.needs({ policy: revoked })).toEqual(['approval']);
  });

  test('with a key that is gone, expired, or somebody else’s at the release do not count', () => {
    const it = hearing(ONE);
    it.approve('rita');
    const keys = (more: object) => withKeys(it.policy, 'rita', [fakeKey('rita', more)]);
    expect(it.needs({ policy: keys({ expires: day(11) }) })).toEqual([]);
    expect(it.needs({ policy: keys({ expires: day(10) }) })).toEqual(['approval']);
    const gone = withKeys(it.policy, 'rita', [fakeKey('another')]);
    expect(it.needs({ policy: gone })).toEqual(['approval']);
    expect(it.needs({ policy: withKeys(gone, 'rob', [fakeKey('rita')]) })).toEqual(['approval']);
  });

  test('by somebody who got the role only later, or lost it, do not count', () => {
    const it = hearing(ONE);
    it.approve('max', { roles: ['release-manager'] });
    it.approve('rita');
    const roles = { ...it.policy.roles, reviewer: ['max', 'rob'] };
    expect(it.needs({ policy: { ...it.policy, roles } })).toEqual(['approval']);
  });
});

describe('evaluations', () => {
  const SAFETY: Requirements = { evaluations: [{ suite: 'safety', accept: ['passed'] }] };

  test('are asked for by suite, and by what the suite accepts', () => {
    const it = hearing({
      evaluations: [
        { suite: 'quality', accept: ['passed', 'warned'] },
        { suite: 'safety', accept: ['passed'] },
      ],
    });
    it.evaluate('eve', 'quality', 'warned');
    it.evaluate('eve', 'safety', 'warned');
    expect(it.ask()).toMatchObject({
      missing: [
        {
          need: 'evaluation',
          waitsFor: ['eve', 'rita'],
          satisfiedBy: expect.stringContaining('--suite safety'),
        },
      ],
    });
    it.evaluate('rita', 'safety');
    expect(it.needs()).toEqual([]);
  });

  test.each(ELSEWHERE)('of %s do not count', (_, where) => {
    const it = hearing(SAFETY);
    it.evaluate('eve', 'safety', 'passed', where);
    expect(it.needs({ twins })).toEqual(['evaluation']);
  });

  test('by people who are no evaluators, or not those who are named, do not count', () => {
    const it = hearing({ evaluations: [{ suite: 'safety', accept: ['passed'], by: ['eve'] }] });
    it.evaluate('rita', 'safety');
    it.evaluate('rob', 'safety');
    expect(it.needs()).toEqual(['evaluation']);
    it.evaluate('eve', 'safety');
    expect(it.needs()).toEqual([]);
  });

  test('with another harness, or with none, do not count where one is required', () => {
    const required = { suite: 'safety', accept: ['passed'] as ['passed'], harness: HARNESS };
    const it = hearing({ evaluations: [{ ...required, thresholds: OTHER }] });
    it.evaluate('eve', 'safety');
    it.evaluate('rita', 'safety', 'passed', { harness: OTHER, thresholds: OTHER });
    expect(it.needs()).toEqual(['evaluation']);
    it.evaluate('rita', 'safety', 'passed', { harness: HARNESS, thresholds: HARNESS });
    expect(it.needs()).toEqual(['evaluation']);
    it.evaluate('rita', 'safety', 'passed', { harness: HARNESS, thresholds: OTHER });
    expect(it.needs()).toEqual([]);
  });

  test('that are too old, by the time at which they were committed, do not count', () => {
    const suite = { suite: 'safety', accept: ['passed'] as ['passed'], maxAge: 5 * DAY };
    const it = hearing({ evaluations: [suite] });
    it.evaluate('eve', 'safety', 'passed', { at: 5, context: { time: day(9) } });
    expect(it.needs({ time: day(10) })).toEqual([]);
    const late = new Date(Date.parse(day(10)) + 1).toISOString();
    expect(it.needs({ time: late })).toEqual(['evaluation']);
  });

  test('a failure that one evaluator found blocks, whatever the other found', () => {
    const it = hearing(SAFETY);
    it.evaluate('eve', 'safety', 'failed');
    it.evaluate('rita', 'safety');
    expect(it.ask()).toMatchObject({ missing: [{ need: 'evaluation', waitsFor: ['eve'] }] });
    it.evaluate('eve', 'safety');
    expect(it.needs()).toEqual([]);
  });

  test('a newer failure replaces a pass of the same person', () => {
    const it = hearing(SAFETY);
    it.evaluate('eve', 'safety');
    it.evaluate('eve', 'safety', 'failed');
    expect(it.needs()).toEqual(['evaluation']);
  });

  test('a newer warning replaces a pass of the same person', () => {
    const it = hearing(SAFETY);
    it.evaluate('eve', 'safety');
    it.evaluate('eve', 'safety', 'warned');
    expect(it.needs()).toEqual(['evaluation']);
  });

  test('a failure stands when its key is revoked or its day is over; a revoked pass replaces none', () => {
    const it = hearing(SAFETY);
    it.policy = withKeys(it.policy, 'eve', [fakeKey('eve'), fakeKey('stolen')]);
    it.evaluate('eve', 'safety', 'failed', { context: { expires: day(5) } });
    it.evaluate('eve', 'safety', 'passed', { key: fakeKey('stolen').spki });
    it.evaluate('rita', 'safety');
    expect(it.needs()).toEqual([]);
    expect(it.needs({ revoked: new Set([fakeKey('stolen').spki]) })).toEqual(['evaluation']);
    const both = new Set([fakeKey('stolen').spki, fakeKey('eve').spki]);
    expect(it.needs({ revoked: both })).toEqual(['evaluation']);
  });

  test('a failure is found in the bytes: sealing them once more does not shake it off', () => {
    const it = hearing(SAFETY);
    it.evaluate('eve', 'safety', 'failed', { digest: OTHER, context: { revision: 2 } });
    it.evaluate('rita', 'safety');
    expect(it.needs({ twins })).toEqual(['evaluation']);
    expect(it.needs()).toEqual([]);
  });

  test('a failure by somebody who may not sign the suite blocks nothing', () => {
    const it = hearing(SAFETY);
    it.evaluate('rob', 'safety', 'failed');
    it.evaluate('eve', 'safety');
    expect(it.needs()).toEqual([]);
  });
});
