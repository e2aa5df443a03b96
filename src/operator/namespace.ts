/** A namespace's first policy, signed by its owner, ready to be logged. */
import { type Enrolment, enrolmentToSign } from '../core/release/enrolment.ts';
import type { Namespace } from '../core/release/name.ts';
import {
  formatPolicy,
  POLICY_PAYLOAD_TYPE,
  type Policy,
  soloPolicy,
} from '../core/release/policy.ts';
import { type PolicyKey, policyKey } from '../core/release/policy-key.ts';
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

/** The signer's key with the proof that its holder wants it in a policy. */
export async function enrol(signer: StatementSigner, enrolment: Enrolment): Promise<PolicyKey> {
  return policyKey(signer.spki, await signer.sign(enrolmentToSign(enrolment, signer.spki)));
}

/** The solo policy of a namespace whose one person is `id`. */
export async function soloFor(
  origin: string,
  namespace: Namespace,
  signer: StatementSigner,
  id: string,
): Promise<Policy> {
  const key = await enrol(signer, { origin, namespace, person: id });
  return soloPolicy(origin, namespace, { id, name: id, key });
}
