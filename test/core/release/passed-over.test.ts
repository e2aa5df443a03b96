/** What the gate says of approvals and evaluations that it does not count. */
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { MAX_NAMED } from '../../../src/core/release/passed-over.ts';
import type { Policy } from '../../../src/core/release/policy.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, fakeKey, Hearing, policyOf, withKeys } from '../../made/decisions.ts';

const GATE: Requirements = {
  approvals: [{ role: 'reviewer', count: 2 }],
  evaluations: [{ suite: 'safety', accept: ['passed'], maxAge: 5 * 24 * 3600 }],
};
const DIGEST = digestOf(nodeHost, utf8('other'));

function hearing(): Hearing {
  const it = new Hearing(policyOf(GATE));
  it.seal(['rob']);
  return it;
}

/** What is said of the first thing that is missing. */
function said(it: Hearing, policy: Policy = it.policy, need = 'approval') {
  const verdict = it.ask({ policy });
  const found = verdict.ok ? undefined : verdict.missing.find((each) => each.need === need);
  return [
    found?.passedOver?.map(({ reason }) => reason),
    /not counted: (.*)\)$/.exec(found!.message)?.[1],
  ];
}

const without = (policy: Policy, role: 'reviewer') => ({
  ...policy,
  roles: { ...policy.roles, [role]: ['rob'] },
});

describe('of an approval it says', () => {
  test.each([
    [
      'that it is about another revision',
      { context: { revision: 2 } },
      'another-draft',
      /^rita’s in entry 2, it is about revision 2, sha256:/,
    ],
    [
      'that it has expired',
      { context: { expires: day(5) } },
      'expired',
      /it expired at 2026-02-06/,
    ],
  ] as const)('%s', (_, about, reason, words) => {
    const it = hearing();
    it.approve('rita', about);
    expect(said(it)).toEqual([[reason], expect.stringMatching(words)]);
  });

  test('that its key is gone, or has expired', () => {
    const it = hearing();
    it.approve('rita');
    const gone = withKeys(it.policy, 'rita', [fakeKey('another')]);
    expect(said(it, gone)).toEqual([
      ['key-removed'],
      'rita’s in entry 2, its key is no longer in the policy',
    ]);
    const old = withKeys(it.policy, 'rita', [fakeKey('rita', { expires: day(9) })]);
    expect(said(it, old)).toEqual([['key-expired'], expect.stringContaining('its key expired at')]);
  });

  test('that its signer has the role no longer, or pushed; and nothing of those who never had it', () => {
    const it = hearing();
    it.approve('rita');
    it.approve('rob');
    it.approve('max');
    expect(said(it, without(it.policy, 'reviewer'))).toEqual([
      ['no-role', 'pushed'],
      'rita’s in entry 2, its signer has not the role reviewer; rob’s in entry 3, its signer pushed this',
    ]);
  });
});

test('of an evaluation it says that it failed to say what is asked for, or is too old', () => {
  const it = hearing();
  it.evaluate('eve', 'safety', 'warned', { at: 6 });
  it.evaluate('rita', 'safety', 'passed', { at: 2 });
  expect(said(it, it.policy, 'evaluation')).toEqual([
    ['not-accepted', 'too-old'],
    expect.stringMatching(
      /^eve’s in entry 60, it says warned; rita’s in entry 20, it is of 2026-02-03/,
    ),
  ]);
});

test('it names a few, and says how many more there are', () => {
  const it = hearing();
  for (let i = 0; i < MAX_NAMED; i++) it.approve('rita', { digest: DIGEST });
  const [reasons, words] = said(it);
  expect(reasons).toHaveLength(MAX_NAMED);
  expect(words).not.toContain('more');
  it.approve('rita', { digest: DIGEST });
  const [same, longer] = said(it);
  expect(same).toHaveLength(MAX_NAMED);
  expect(longer).toMatch(/; and 1 more$/);
});
