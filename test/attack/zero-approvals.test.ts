/** k = 0 (go-tuf GHSA-fphv-w9fq-2525): a threshold that nobody needs to meet is none. */
import { expect, test } from '@jest/globals';
import { formatCanonical } from '../../src/core/json.ts';
import { POLICY_PAYLOAD_TYPE, type Policy } from '../../src/core/release/policy.ts';
import { parseEnvelope } from '../../src/core/statement/dsse.ts';
import { Audited } from '../made/audited.ts';
import { GatedNamespace } from '../made/gated.ts';
import { useGated } from '../made/gated-served.ts';
import { ACME } from '../made/live-registry.ts';
import { refused } from '../made/refused.ts';
import { ONE_APPROVAL } from '../made/team.ts';

const gated = useGated();
const NONE = { approvals: [{ role: 'reviewer' as const, count: 0 }] };

/** Each names no number that anybody could meet by doing nothing. */
const ZEROS: [what: string, changes: Partial<Policy>, sentence: RegExp][] = [
  ['approvals', { gate: NONE }, /gate\.approvals\.0\.count: leave the approval out for none/],
  ['owners', { owners: 0 }, /owners: at least one owner must sign/],
  ['reviewers', { gate: { approvals: [] } }, /gate\.approvals/],
];

test.each(ZEROS)(
  'a policy that asks for no %s is refused, whoever signs it',
  async (_, changes, sentence) => {
    const policy = formatCanonical({ ...gated().policy(2), ...changes });
    const signed = [parseEnvelope(gated().team.sign('olga', POLICY_PAYLOAD_TYPE, policy))];
    const api = await gated().api('olga');
    await refused(api.setPolicy(ACME, { policy, signed }), 'bad-document', sentence);
  },
);

test('an auditor refuses it, too, when the registry has logged it', async () => {
  const audited = new Audited();
  const { made } = audited;
  const space = new GatedNamespace(made, 'acme', ONE_APPROVAL);
  const policy = formatCanonical({ ...space.policy, version: 2, gate: NONE });
  const index = made.policy('acme', policy, [space.keys.get('olga')![0]!]);
  made.heads();
  const { violations } = await audited.audit();
  expect(violations).toMatchObject([
    { index, code: 'bad-document', message: expect.stringMatching(/leave the approval out/) },
  ]);
});
