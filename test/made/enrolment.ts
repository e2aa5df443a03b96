/** Keys as they stand in policies. */
import { type Enrolment, enrolmentToSign } from '../../src/core/release/enrolment.ts';
import { type PolicyKey, policyKey } from '../../src/core/release/policy-key.ts';
import { ORIGIN } from './model-signature.ts';
import type { AnyKey } from './passkey.ts';

/** Signatures differ from one time to the next; a policy that is made twice should not. */
const made = new WeakMap<AnyKey, Map<string, PolicyKey>>();

/** The key with its proof. */
export function enrolled(
  key: AnyKey,
  { origin = ORIGIN, namespace = 'acme', person = 'owner' }: Partial<Enrolment> = {},
): PolicyKey {
  const keys = made.get(key) ?? new Map<string, PolicyKey>();
  made.set(key, keys);
  const where = `${origin} ${namespace} ${person}`;
  const there = keys.get(where);
  if (there !== undefined) return there;
  const signing = key.passkey ?? key.spki;
  const proof = key.sign(enrolmentToSign({ origin, namespace, person }, signing));
  const entry = policyKey(signing, proof);
  keys.set(where, entry);
  return entry;
}
