/**
 * `withdraw REF`: gives up a draft, and its version with it. A token is enough where the policy
 * is solo, or for what was never sealed; where people were asked to decide, one of those who
 * might have published it signs. What is published stays: for that there is `advise`.
 */
import type { Command } from 'commander';
import type { DraftStatus } from '../../client/answers.ts';
import { readPolicyInForce } from '../../client/policy-in-force.ts';
import { formatBase64 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { Policy } from '../../core/release/policy.ts';
import { holdersOf } from '../../core/release/policy-history.ts';
import { isGated } from '../../core/release/requirements.ts';
import { PUBLISHING } from '../../core/release/roles.ts';
import type { Spki } from '../../core/statement/public-key.ts';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';
import { openApiWithToken } from '../reach.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare(
      'withdraw',
      'withdraw acme/kimi-k2@v1.0-rc1 --reason "Another base model" --key max.key',
    ).option('--reason <text>', 'why; needed where a key signs it'),
  ).action(run(withdraw));
}

interface WithdrawFlags extends DecideFlags {
  readonly reason?: string;
}

async function withdraw(context: Context, flags: WithdrawFlags, reference: string): Promise<void> {
  const { output, signal } = context;
  const release = parseReleaseName(reference);
  const api = await openApiWithToken(context);
  const status = await api.draftStatus(release, { signal });
  const policy = await readPolicyInForce(api, release, status, signal);
  const gated = policy !== undefined && isGated(policy.gate);
  if (gated && status.state === 'sealed') return signWithdrawal(context, flags, release, policy);
  const after = await api.withdraw(release, { signal });
  output.result(after, [`${after.reference} is withdrawn ${describeWay(status, gated)}`]);
}

/** Why nobody's key was needed. */
function describeWay({ state }: DraftStatus, gated: boolean): string {
  if (state === 'withdrawn') return 'already';
  if (gated)
    return 'by the token alone: it was never sealed, so nobody was asked to decide about it';
  return 'by the token alone: the policy of its namespace is solo';
}

async function signWithdrawal(
  context: Context,
  flags: WithdrawFlags,
  release: ReleaseName,
  policy: Policy,
): Promise<void> {
  const { reason } = flags;
  if (reason === undefined) {
    const name = formatReleaseName(release);
    throw new CodedError(
      'usage',
      `${name} is sealed and the policy of ${release.namespace} is gated, so a key signs its withdrawal and it says why: --reason TEXT --key FILE`,
    );
  }
  await runDecision(context, flags, formatReleaseName(release), (_means, _release, spki) => {
    requireEntitled(policy, spki);
    return { decision: 'withdraw', reason };
  });
}

/** The registry records anybody's; before somebody signs what counts for nothing they are told. */
function requireEntitled(policy: Policy, spki: Spki): void {
  const holder = holdersOf(policy).get(formatBase64(spki));
  if (holder !== undefined && PUBLISHING.some((role) => holder.roles.includes(role))) return;
  const who = holder === undefined ? 'nobody has that key' : `${holder.person} has none of them`;
  throw new CodedError(
    'gate-unmet',
    `not signed: withdrawing takes one of the roles ${PUBLISHING.join(', ')} in ${policy.namespace}, and ${who}; "weighhouse object" and "weighhouse hold" stop it, too`,
  );
}
