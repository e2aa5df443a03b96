/**
 * Enrolment: a key stands in a policy only with the proof that its holder wants it there, in
 * that namespace, as that person. So nobody enrols another's public key as their own, and a
 * key that is enrolled here says nothing elsewhere.
 *
 * The proof is a signature by the key itself, in its own form, over the DSSE encoding of type
 * `application/vnd.weighhouse.enrolment.v1+json` and canonical JSON
 *
 *     {"namespace":"acme","origin":"models.example.org","person":"ada","spki":"MFkwEwYH…","v":1}
 *
 * A passkey's holder signs too where it may sign, so that nobody enrols it for another site:
 *
 *     {"namespace":"acme","origin":"models.example.org",
 *      "passkey":{"credentialId":"3q2+7w==","origins":["https://models.example.org"],
 *                 "rpId":"models.example.org"},
 *      "person":"ada","spki":"MFkwEwYH…","v":1}
 */
import { formatBase64 } from '../bytes.ts';
import { formatCanonical } from '../json.ts';
import { toSign } from '../statement/dsse.ts';
import {
  type Checking,
  checkSignature,
  isPasskey,
  type SigningKey,
  spkiOf,
} from '../statement/signature.ts';
import { refusal, type Verdict } from '../verdict.ts';
import type { Policy } from './policy.ts';
import { proofOf, signingKeyOf } from './policy-key.ts';

/** The DSSE payload type of an enrolment. */
export const ENROLMENT_PAYLOAD_TYPE = 'application/vnd.weighhouse.enrolment.v1+json';

/** Where, and as whom, a key is enrolled. */
export interface Enrolment {
  readonly origin: string;
  readonly namespace: string;
  /** The id of the person. */
  readonly person: string;
}

/** What the holder of `key` signs. */
export function enrolmentToSign(
  { origin, namespace, person }: Enrolment,
  key: SigningKey,
): Uint8Array {
  const said = { v: 1, origin, namespace, person, spki: formatBase64(spkiOf(key)), ...bound(key) };
  return toSign(ENROLMENT_PAYLOAD_TYPE, formatCanonical(said));
}

function bound(key: SigningKey) {
  if (!isPasskey(key)) return {};
  const { credentialId, origins, rpId } = key;
  return { passkey: { credentialId, origins, rpId } };
}

/** Did the holder of every key in the policy sign its enrolment? */
export async function checkEnrolments(host: Checking, policy: Policy): Promise<Verdict<object>> {
  const { origin, namespace } = policy;
  for (const { id: person, keys } of policy.people) {
    for (const each of keys) {
      const key = signingKeyOf(each);
      const signed = enrolmentToSign({ origin, namespace, person }, key);
      const proven = await checkSignature(host, key, signed, proofOf(each));
      if (proven.ok) continue;
      return refusal(
        'signature-invalid',
        `a key of "${person}" has no proof that its holder wants to be "${person}" of ${namespace} at ${origin}: ${proven.message}`,
        { person, spki: each.spki },
      );
    }
  }
  return { ok: true };
}
