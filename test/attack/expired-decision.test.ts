/** A decision is good until it expires, by the log's time and whatever its signer's clock says. */
import { expect, test } from '@jest/globals';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated({
  approvals: [{ role: 'reviewer', count: 1 }],
  evaluations: [{ suite: 'safety', accept: ['passed'] }],
});
const APPROVE = { decision: 'approve' } as const;
const report = { digest: `sha256:${'0'.repeat(64)}`, size: 1, private: true } as never;
const PASSED = { decision: 'evaluate', suite: 'safety', result: 'passed', report } as const;
const DAY = 24 * 3600 * 1000;

/** `2 days from now` as a decision says it. */
const from = (milliseconds: number) => new Date(gated().now + milliseconds).toISOString();

test('what had expired when it was committed counts for nothing', async () => {
  await gated().push();
  const context = { time: from(-2 * DAY), expires: from(-DAY) };
  const { index } = await gated().decide('rita', APPROVE, { context });
  const evaluation = await gated().decide('eve', PASSED, { context });
  const { missing } = await refused(
    gated().publish(),
    'gate-unmet',
    [
      `the suite safety must have passed on this digest (not counted: eve’s in entry ${evaluation.index}, it expired at ${context.expires})`,
      `1 of the role reviewer must approve this digest, of those who did not push it; 0 did (not counted: rita’s in entry ${index}, it expired at ${context.expires})`,
    ].join('; '),
  );
  const passedOver = [{ reason: 'expired' }];
  expect(missing).toMatchObject([{ passedOver }, { passedOver }]);
});

test('nor does a hold that had expired then stop anything', async () => {
  await gated().push();
  await gated().decide('eve', PASSED);
  await gated().decide('rita', APPROVE);
  const context = { time: from(-2 * DAY), expires: from(-DAY) };
  await gated().decide('rob', { decision: 'hold', reason: 'Wait' }, { context });
  await gated().publish();
});

test('what expires between its commitment and the release permits it no more', async () => {
  await gated().push();
  await gated().decide('eve', PASSED);
  const context = { expires: from(DAY) };
  const { index } = await gated().decide('rita', APPROVE, { context });
  expect(await gated().team.needs(gated().live)).toEqual(['intent']);
  gated().pass(DAY + 1);
  await refused(
    gated().publish(),
    'gate-unmet',
    `1 of the role reviewer must approve this digest, of those who did not push it; 0 did (not counted: rita’s in entry ${index}, it expired at ${context.expires})`,
  );
});

test('an intent to publish that has expired publishes nothing', async () => {
  await gated().push();
  await gated().decide('eve', PASSED);
  await gated().decide('rita', APPROVE);
  const context = { expires: from(DAY) };
  const intent = await gated().sign('max', { decision: 'publish' }, { context });
  gated().pass(DAY + 1);
  await refused(
    gated().publish(undefined, intent),
    'gate-unmet',
    `the signed intent to publish does not count: it expired at ${context.expires}; sign it anew`,
  );
});

test('an auditor judges by the time of the entries', async () => {
  expect(await auditOf('an approval has expired')).toEqual([
    expect.stringMatching(
      /^gate-unmet: 2 of the role reviewer .* rob’s in entry \d+, it expired at /,
    ),
  ]);
});
