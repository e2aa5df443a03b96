/** A looser policy stands in the log for its whole delay before it clears anything, however it is dressed. */
import { expect, test } from '@jest/globals';
import type { Policy } from '../../src/core/release/policy.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const DAY = 24 * 3600;
const TWO: Requirements = { approvals: [{ role: 'reviewer', count: 2 }] };
const gated = useGated(TWO, { delay: DAY });
const ONE: Requirements = { approvals: [{ role: 'reviewer', count: 1 }] };
const UNMET =
  /^2 of the role reviewer must approve this digest, of those who did not push it; 1 did$/;

async function approvedOnce(): Promise<void> {
  await gated().push();
  await gated().decide('rita', { decision: 'approve' });
}

test('a policy that is loosened clears nothing before its delay, and then it does', async () => {
  await approvedOnce();
  const { inForceAt } = await gated().setPolicy(gated().policy(2, ONE), 'olga');
  expect(Date.parse(inForceAt)).toBeGreaterThan(gated().now + (DAY - 60) * 1000);
  await refused(gated().publish(), 'gate-unmet', UNMET);
  gated().pass(DAY * 1000);
  await gated().publish();
});

/** Each asks for something more, and for something less. */
const DISGUISES: [what: string, gate: Requirements, changes: Partial<Policy>][] = [
  ['more owners', ONE, { owners: 2 }],
  ['an evaluation', { ...ONE, evaluations: [{ suite: 'safety', accept: ['passed'] }] }, {}],
  ['a longer delay', ONE, { delay: 2 * DAY }],
  ['a shorter delay', TWO, { delay: 0 }],
];

test.each(DISGUISES)(
  'that it also asks for %s does not make it stricter',
  async (_, gate, changes) => {
    await approvedOnce();
    const { index, inForceAt } = await gated().setPolicy(gated().policy(2, gate, changes), 'olga');
    expect(Date.parse(inForceAt)).toBeGreaterThan(gated().now + (DAY - 60) * 1000);
    const { policyIndex } = await gated().served.api('/drafts/acme/tiny/v1.0');
    expect(policyIndex).toBeLessThan(index);
    await refused(gated().publish(), 'gate-unmet', UNMET);
  },
);

test('an auditor finds a release by a policy that had not waited, or by one that was replaced', async () => {
  expect(await auditOf('the policy is loosened and used before its delay')).toEqual([
    expect.stringMatching(
      /^gate-unmet: \S+ met the policy at \d+, but the one at \d+ was in force$/,
    ),
  ]);
  expect(await auditOf('an older policy is named')).toEqual([
    expect.stringMatching(
      /^gate-unmet: \S+ met the policy at \d+, but the one at \d+ was in force$/,
    ),
  ]);
});
