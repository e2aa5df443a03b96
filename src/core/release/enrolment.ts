/**
 * Enrolment: a key stands in a policy only with the proof that its holder wants it there, in
 * that namespace, as that person. So nobody enrols another's public key as their own, and a
 * key that is enrolled here says nothing elsewhere.
 *
 * The proof is an ECDSA P-256 signature (ASN.1 DER) by the key itself over the DSSE encoding
 * of type `application/vnd.weighhouse.enrolment.v1+json` and canonical JSON
 *
 *     {"namespace":"acme","origin":"models.example.org","person":"ada","spki":"MFkwEwYH…","v":1}
 */
import { formatBase64, parseBase64 } from '../bytes.ts';
import type { Host } from '../host.ts';
import { formatCanonical } from '../json.ts';
import { toSign } from '../statement/dsse.ts';
import { parseSpkiBase64, type Spki } from '../statement/public-key.ts';
import { refusal, type Verdict } from '../verdict.ts';
import type { Policy, PolicyKey } from './policy.ts';

/** The DSSE payload type of an enrolment. */
export const ENROLMENT_PAYLOAD_TYPE = 'application/vnd.weighhouse.enrolment.v1+json';

/** Where, and as whom, a key is enrolled. */
export interface Enrolment {
  readonly origin: string;
  readonly namespace: string;
  /** The id of the person. */
  readonly person: string;
}

/** What the holder of `spki` signs. */
export function enrolmentToSign({ origin, namespace, person }: Enrolment, spki: Spki): Uint8Array {
  const said = { v: 1, origin, namespace, person, spki: formatBase64(spki) };
  return toSign(ENROLMENT_PAYLOAD_TYPE, formatCanonical(said));
}

/** The key as it stands in a policy. */
export function policyKey(spki: Spki, proof: Uint8Array): PolicyKey {
  return { spki: formatBase64(spki), proof: formatBase64(proof) };
}

/** Did the holder of every key in the policy sign its enrolment? */
export async function checkEnrolments(
  host: Pick<Host, 'verifyP256'>,
  policy: Policy,
): Promise<Verdict<object>> {
  const { origin, namespace } = policy;
  for (const { id: person, keys } of policy.people) {
    for (const key of keys) {
      const spki = parseSpkiBase64(key.spki);
      const signed = enrolmentToSign({ origin, namespace, person }, spki);
      if (await host.verifyP256(spki, signed, parseBase64(key.proof))) continue;
      return refusal(
        'signature-invalid',
        `a key of "${person}" has no proof that its holder wants to be "${person}" of ${namespace} at ${origin}`,
        { person, spki: key.spki },
      );
    }
  }
  return { ok: true };
}
