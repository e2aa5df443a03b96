/** A signer's decisions on one digest are a chain: two with one number, or a gap, would hide one from those who count. */
import { expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';

const gated = useGated();
const APPROVE = { decision: 'approve' } as const;
const OTHER = digestOf(nodeHost, utf8('another decision'));

test('a decision that does not name the one before it is not recorded', async () => {
  await gated().push();
  const { digest } = await gated().decide('rita', APPROVE);
  const context = { n: 1, previous: OTHER };
  const forked = await gated().sign('rita', { decision: 'hold', reason: 'Wait' }, { context });
  await refused(
    gated().open(await gated().commit(forked), forked),
    'conflict',
    `the decision names ${OTHER} as the one before it; its signer’s decision 0 is ${digest}`,
  );
});

test('nor is one of which the log lacks the one before', async () => {
  await gated().push();
  const context = { n: 2, previous: OTHER };
  const ahead = await gated().sign('rita', APPROVE, { context });
  await refused(
    gated().open(await gated().commit(ahead), ahead),
    'conflict',
    'the decision has the number 2, but the log has none with the number 0 by its signer',
  );
});

test('an auditor finds a chain that is forked, has a gap, or has seen more of the log than there was', async () => {
  expect(await auditOf('a signer’s chain is forked')).toEqual([
    expect.stringMatching(
      /^untrusted: what was committed at \d+ does not follow upon its signer’s decision at \d+$/,
    ),
  ]);
  expect(await auditOf('a decision is shown of which the one before was never logged')).toEqual([
    expect.stringMatching(
      /^untrusted: the decision at \d+ is its signer’s number 1, but the log lacks one before it$/,
    ),
  ]);
  expect(await auditOf('a decision has seen a log that did not exist yet')).toEqual([
    expect.stringMatching(
      /^untrusted: what was committed at \d+ names a checkpoint of \d+ entries, which did not exist$/,
    ),
  ]);
});
