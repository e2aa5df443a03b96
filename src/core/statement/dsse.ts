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
 * envelope to say. Signing happens outside of the core: sign `toSign(…)`, then
 * `formatEnvelope(…)`.
 */
import * as v from 'valibot';
import { concat, formatBase64, parseBase64, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatCanonical, type Json, type JsonLimits, parseCanonical } from '../json.ts';
import { parseShape } from '../shape.ts';
import { refusal, type Verdict } from '../verdict.ts';
import type { Spki } from './public-key.ts';

/** A payload with its one signature, not yet checked. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** ECDSA P-256 with SHA-256 over `toSign(payloadType, payload)`, ASN.1 DER. */
  readonly signature: Uint8Array;
}

/** The largest payload, as large as the largest manifest: a model signature names as many files. */
export const MAX_PAYLOAD_BYTES = 64 * 2 ** 20;
/** The longest payload type, in characters. */
export const MAX_PAYLOAD_TYPE_LENGTH = 128;
/** The longest P-256 signature: two 33-byte integers and three headers of two bytes. */
export const MAX_SIGNATURE_BYTES = 72;
/** The shortest that is well formed: two integers of one byte. */
export const MIN_SIGNATURE_BYTES = 8;

/** How much of an envelope is read: a third more than the payload, for base64, and a little. */
export const ENVELOPE_LIMITS: JsonLimits = {
  maxBytes: Math.ceil(MAX_PAYLOAD_BYTES / 3) * 4 + 1024,
  maxDepth: 3,
};

/** A media type without parameters (RFC 6838, section 4.2). */
const PAYLOAD_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

const envelopeShape = v.strictObject({
  payload: v.string(),
  payloadType: v.string(),
  signatures: v.strictTuple([v.strictObject({ sig: v.string() })]),
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
  signature: Uint8Array,
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
    signatures: [{ sig: formatBase64(signature) }],
  };
}

/** Reads what `envelopeToJson` wrote. */
export function envelopeFromJson(json: Json, what: string): Envelope {
  const shape = parseShape(envelopeShape, json, what, 'bad-envelope');
  const [{ sig }] = shape.signatures;
  return checkedEnvelope(
    {
      payloadType: shape.payloadType,
      payload: parseBase64(shape.payload),
      signature: parseBase64(sig),
    },
    what,
  );
}

/** Is the envelope signed by `spki`? */
export async function openEnvelope(
  host: Pick<Host, 'verifyP256'>,
  envelope: Envelope,
  spki: Spki,
): Promise<Verdict<{ readonly payloadType: string; readonly payload: Uint8Array }>> {
  const { payloadType, payload, signature } = envelope;
  if (!(await host.verifyP256(spki, toSign(payloadType, payload), signature))) {
    return refusal('signature-invalid', 'the envelope is not signed by the expected key');
  }
  return { ok: true, payloadType, payload };
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
  if (!isSignature(signature)) {
    throw new CodedError(
      'bad-envelope',
      `${what}: its signature is no ECDSA P-256 signature in DER`,
    );
  }
  return envelope;
}

/**
 * SEQUENCE of two positive INTEGERs in their shortest form (RFC 3279, section 2.2.3). Hosts
 * differ in how leniently they read DER; here nothing is left to differ in.
 */
export function isSignature(der: Uint8Array): boolean {
  if (der.length < MIN_SIGNATURE_BYTES || der.length > MAX_SIGNATURE_BYTES) return false;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return false;
  const middle = endOfInteger(der, 2);
  return middle > 0 && endOfInteger(der, middle) === der.length;
}

/** Where the positive INTEGER at `start` ends, or 0 when none of at most 33 bytes stands there. */
function endOfInteger(der: Uint8Array, start: number): number {
  const length = der[start + 1] ?? 0;
  const end = start + 2 + length;
  if (der[start] !== 0x02 || length < 1 || length > 33 || end > der.length) return 0;
  const first = der[start + 2]!;
  const second = length > 1 ? der[start + 3]! : 0;
  const negative = first >= 0x80;
  const padded = first === 0 && second < 0x80;
  return negative || padded || (length === 33 && first !== 0) ? 0 : end;
}
