/**
 * DSSE envelopes (secure-systems-lab/dsse, envelope.md and protocol.md, version 1.0).
 *
 * What is signed is the pre-authentication encoding of a type and a payload: both lengths in
 * bytes, decimal, so that no two (type, payload) pairs share an encoding.
 *
 *     DSSEv1 28 application/vnd.in-toto+json 17 {"_type":"hello"}
 *
 * What is stored is canonical JSON with the payload and one ECDSA P-256 signature (ASN.1
 * DER), both in base64:
 *
 *     {"payload":"eyJfd…","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEUC…"}]}
 *
 * There is exactly one signature (several signers make several envelopes) and no `keyid`:
 * cosign compares it with key ids of its own form and finds no signature when it holds
 * anything else. Which key must have signed is for the reader to know, never for the
 * envelope to say. A passkey's signature has an `extension` beside `sig` (`passkey.ts`), and is
 * none for whoever does not know that. Signing happens outside of the core: sign `toSign(…)`, then
 * `formatEnvelope(…)`.
 */
import * as v from 'valibot';
import { concat, formatBase64, parseBase64, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type Json, type JsonLimits, parseCanonical } from '../json.ts';
import { parseShape } from '../shape.ts';
import type { Verdict } from '../verdict.ts';
import {
  assertionExtension,
  checkedAssertion,
  formatExtension,
  parseAssertion,
} from './passkey.ts';
import {
  type Checking,
  checkSignature,
  derOf,
  isAssertion,
  isSignature,
  type Signature,
  type SigningKey,
} from './signature.ts';

/** A payload with its one signature, not yet checked. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** Over `toSign(payloadType, payload)`. */
  readonly signature: Signature;
}

/** The largest payload, as large as the largest manifest: a model signature names as many files. */
export const MAX_PAYLOAD_BYTES = 64 * 2 ** 20;
/** The longest payload type, in characters. */
export const MAX_PAYLOAD_TYPE_LENGTH = 128;

/** How much of an envelope is read: a third more than the payload, for base64, and a little. */
export const ENVELOPE_LIMITS: JsonLimits = {
  maxBytes: Math.ceil(MAX_PAYLOAD_BYTES / 3) * 4 + 4096,
  maxDepth: 5,
};

/** A media type without parameters (RFC 6838, section 4.2). */
const PAYLOAD_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

const envelopeShape = v.strictObject({
  payload: v.string(),
  payloadType: v.string(),
  signatures: v.strictTuple([
    v.strictObject({ sig: v.string(), extension: v.exactOptional(assertionExtension) }),
  ]),
});

/** The bytes to sign (DSSE, "Signature Definition"). */
export function toSign(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concat(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** The stored form. Throws `too-large` or `bad-envelope`. */
export function formatEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signature: Signature,
): Uint8Array {
  return formatCanonical(envelopeToJson({ payloadType, payload, signature }));
}

/** Parses the stored form. Throws `too-large`, `bad-json`, `bad-encoding` or `bad-envelope`. */
export function parseEnvelope(bytes: Uint8Array, what = 'the envelope'): Envelope {
  return envelopeFromJson(parseCanonical(bytes, what, ENVELOPE_LIMITS), what);
}

/** The envelope as a JSON value, as it also stands inside a Sigstore bundle. */
export function envelopeToJson(envelope: Envelope): Json {
  const { payloadType, payload, signature } = checkedEnvelope(envelope, 'the envelope');
  return {
    payload: formatBase64(payload),
    payloadType,
    signatures: [
      {
        sig: formatBase64(derOf(signature)),
        ...(isAssertion(signature) && { extension: formatExtension(signature) }),
      },
    ],
  };
}

/** Reads what `envelopeToJson` wrote. */
export function envelopeFromJson(json: Json, what: string): Envelope {
  const shape = parseShape(envelopeShape, json, what, 'bad-envelope');
  const [{ sig, extension }] = shape.signatures;
  const der = parseBase64(sig);
  return checkedEnvelope(
    {
      payloadType: shape.payloadType,
      payload: parseBase64(shape.payload),
      signature: extension === undefined ? der : parseAssertion(extension.ext, der, what),
    },
    what,
  );
}

/** Is the envelope signed by `key`, in the way in which that one signs? */
export async function openEnvelope(
  host: Checking,
  envelope: Envelope,
  key: SigningKey,
): Promise<Verdict<{ readonly payloadType: string; readonly payload: Uint8Array }>> {
  const { payloadType, payload, signature } = envelope;
  const signed = await checkSignature(host, key, toSign(payloadType, payload), signature);
  return signed.ok ? { ok: true, payloadType, payload } : signed;
}

function checkedEnvelope(envelope: Envelope, what: string): Envelope {
  const { payloadType, payload, signature } = envelope;
  if (payloadType.length > MAX_PAYLOAD_TYPE_LENGTH || !PAYLOAD_TYPE.test(payloadType)) {
    throw new CodedError('bad-envelope', `${what}: its payload type is no media type`);
  }
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new CodedError(
      'too-large',
      `${what}: its payload is ${payload.length} bytes long; the limit is ${MAX_PAYLOAD_BYTES}`,
    );
  }
  if (!isSignature(derOf(signature))) {
    throw new CodedError(
      'bad-envelope',
      `${what}: its signature is no ECDSA P-256 signature in DER`,
    );
  }
  if (isAssertion(signature)) checkedAssertion(signature, what);
  return envelope;
}
