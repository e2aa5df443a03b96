/** A namespace's first policy, signed by its owner, ready to be logged. */
import { formatBase64 } from '../core/bytes.ts';
import type { Namespace } from '../core/release/name.ts';
import {
  formatPolicy,
  POLICY_PAYLOAD_TYPE,
  type Policy,
  soloPolicy,
} from '../core/release/policy.ts';
import { formatEnvelope, toSign } from '../core/statement/dsse.ts';
import type { StatementSigner } from '../keyring/keys.ts';

/** A policy and one owner's envelope over it. */
export interface SignedPolicy {
  readonly policy: Uint8Array;
  readonly signed: readonly Uint8Array[];
}

/** Signs a policy as its owner. */
export async function signPolicy(signer: StatementSigner, policy: Policy): Promise<SignedPolicy> {
  const bytes = formatPolicy(policy);
  const signature = await signer.sign(toSign(POLICY_PAYLOAD_TYPE, bytes));
  return { policy: bytes, signed: [formatEnvelope(POLICY_PAYLOAD_TYPE, bytes, signature)] };
}

/** The solo policy of a namespace whose one person is `id`. */
export function soloFor(
  origin: string,
  namespace: Namespace,
  signer: StatementSigner,
  id: string,
): Policy {
  return soloPolicy(origin, namespace, { id, name: id, spki: formatBase64(signer.spki) });
}
