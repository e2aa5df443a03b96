/**
 * Voiding a commitment. A commitment that nobody opens blocks its release like a hold, for it
 * could be an objection that somebody keeps back. When its signer has lost the receipt, or will
 * not speak, as many owners as sign a policy may say in public that it no longer counts. Each
 * signs a DSSE envelope of type `application/vnd.weighhouse.void.v1+json` over canonical JSON
 *
 *     {"label":"9f86…","namespace":"acme","nonce":"5f…","origin":"models.example.org",
 *      "reason":"Bob lost his receipt","time":"2026-02-01T12:00:00.000Z","v":1}
 */
import * as v from 'valibot';
import { equal } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, parseCanonical } from '../json.ts';
import { hex32, instant, parseShape } from '../shape.ts';
import { reason } from '../statement/decision-context.ts';
import type { Envelope } from '../statement/dsse.ts';
import type { Checking } from '../statement/signature.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { parseNamespace } from './name.ts';
import { personWhoSigned, type Speakers } from './signed-by.ts';

/** The DSSE payload type of a void. */
export const VOID_PAYLOAD_TYPE = 'application/vnd.weighhouse.void.v1+json';

const voidSchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  namespace: v.string(),
  /** Of the commitment that no longer counts. */
  label: hex32,
  reason,
  time: instant,
  nonce: hex32,
});

export type Void = v.InferOutput<typeof voidSchema>;

/** Canonical bytes of a void. */
export function formatVoid(said: Void): Uint8Array {
  const bytes = formatCanonical(said);
  parseVoid(bytes);
  return bytes;
}

/** Parses the document. Throws `bad-json`, `bad-document`, `bad-name`. */
export function parseVoid(bytes: Uint8Array): Void {
  const said = parseShape(voidSchema, parseCanonical(bytes, 'the void'), 'the void');
  if (parseNamespace(said.namespace) === said.namespace) return said;
  throw new CodedError('bad-document', 'the void: namespace is not in its normal form');
}

/**
 * The void that these envelopes sign: all over the same document, each by an owner, by as many
 * distinct owners as sign a policy. Malformed ones throw; refused are other types and documents
 * (`untrusted`), strangers and too few owners (`signature-invalid`).
 */
export async function openVoid(
  host: Checking,
  speakers: Speakers,
  envelopes: readonly Envelope[],
): Promise<Verdict<{ readonly said: Void }>> {
  const [first] = envelopes;
  if (first === undefined) return refusal('signature-invalid', 'the void is signed by nobody');
  const said = parseVoid(first.payload);
  const { origin, namespace, owners: quorum } = speakers.policy;
  if (said.origin !== origin || said.namespace !== namespace) {
    return refusal('untrusted', `the void is not of ${namespace} at ${origin}`);
  }
  const owners = new Set<string>();
  for (const [i, envelope] of envelopes.entries()) {
    if (envelope.payloadType !== VOID_PAYLOAD_TYPE || !equal(envelope.payload, first.payload)) {
      return refusal('untrusted', `signed.${i} is not over the void`);
    }
    const owner = await personWhoSigned(host, speakers, 'owner', envelope);
    if (owner === undefined) {
      return refusal('signature-invalid', `signed.${i} is not signed by an owner of ${namespace}`);
    }
    owners.add(owner);
  }
  if (owners.size >= quorum) return { ok: true, said };
  const message = `the void is signed by ${owners.size} owners, where ${quorum} must`;
  return refusal('signature-invalid', message);
}
