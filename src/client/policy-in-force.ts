/** The policy that the registry says is in force for a draft: what a signer goes by, and no proof. */

import { parseBase64 } from '../core/bytes.ts';
import type { ReleaseName } from '../core/release/name.ts';
import { type Policy, parsePolicy } from '../core/release/policy.ts';
import type { DraftStatus } from './answers.ts';
import type { Api } from './api.ts';

/** Undefined where an older registry does not say which that is. */
export async function readPolicyInForce(
  api: Api,
  { namespace }: ReleaseName,
  { policyIndex }: DraftStatus,
  signal: AbortSignal,
): Promise<Policy | undefined> {
  if (policyIndex === undefined) return undefined;
  const { policy } = await api.policy(namespace, policyIndex, { signal });
  return parsePolicy(parseBase64(policy));
}
