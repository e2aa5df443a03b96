/** Keys as they stand in policies. */
import { type Enrolment, enrolmentToSign, policyKey } from '../../src/core/release/enrolment.ts';
import type { PolicyKey } from '../../src/core/release/policy.ts';
import { ORIGIN } from './model-signature.ts';
import type { MadeKey } from './p256.ts';

/** Signatures differ from one time to the next; a policy that is made twice should not. */
const made = new WeakMap<MadeKey, Map<string, PolicyKey>>();

/** The key with its proof. */
export function enrolled(
  key: MadeKey,
  { origin = ORIGIN, namespace = 'acme', person = 'owner' }: Partial<Enrolment> = {},
): PolicyKey {
  const keys = made.get(key) ?? new Map<string, PolicyKey>();
  made.set(key, keys);
  const where = `${origin} ${namespace} ${person}`;
  const there = keys.get(where);
  if (there !== undefined) return there;
  const proof = key.sign(enrolmentToSign({ origin, namespace, person }, key.spki));
  const entry = policyKey(key.spki, proof);
  keys.set(where, entry);
  return entry;
}
