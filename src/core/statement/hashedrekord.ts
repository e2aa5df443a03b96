/**
 * hashedrekord v0.0.2 (sigstore/rekor-tiles, api/proto/rekor/v2): the log entry that makes a
 * signature findable by whoever knows Sigstore. Its leaf holds these canonical bytes (RFC
 * 8785), with bytes in base64:
 *
 *     {"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{
 *       "data":{"algorithm":"SHA2_256","digest":DIGEST},
 *       "signature":{"content":SIGNATURE,"verifier":{
 *         "keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":SPKI}}}}}}
 *
 * DIGEST is the SHA-256 of the DSSE pre-authentication encoding, not of the payload: it is
 * the digest that was signed.
 */
import * as v from 'valibot';
import { equal, formatBase64, parseBase64 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatCanonical, type JsonLimits, parseCanonical } from '../json.ts';
import { formatHash, parseHash } from '../note/line.ts';
import { parseShape } from '../shape.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type Envelope, toSign } from './dsse.ts';
import { parseSpkiBase64, type Spki } from './public-key.ts';
import { derOf, isSignature } from './signature.ts';

/** Kind and version, as a Sigstore bundle names them beside the body. */
export const HASHEDREKORD_KIND = { kind: 'hashedrekord', version: '0.0.2' } as const;

/** One signature, as the log records it. */
export interface HashedRekord {
  /** SHA-256 of the signed bytes, 32 bytes. */
  readonly digest: Uint8Array;
  /** ECDSA P-256, ASN.1 DER. */
  readonly signature: Uint8Array;
  readonly spki: Spki;
}

/** How much of a body is read; a body of ours has some 500 bytes. */
const BODY_LIMITS: JsonLimits = { maxBytes: 1024, maxDepth: 6 };

const bodyShape = v.strictObject({
  apiVersion: v.literal(HASHEDREKORD_KIND.version),
  kind: v.literal(HASHEDREKORD_KIND.kind),
  spec: v.strictObject({
    hashedRekordV002: v.strictObject({
      data: v.strictObject({ algorithm: v.literal('SHA2_256'), digest: v.string() }),
      signature: v.strictObject({
        content: v.string(),
        verifier: v.strictObject({
          keyDetails: v.literal('PKIX_ECDSA_P256_SHA_256'),
          publicKey: v.strictObject({ rawBytes: v.string() }),
        }),
      }),
    }),
  }),
});

/** The record of an envelope that `spki` signed. */
export function recordOf(host: Pick<Host, 'sha256'>, envelope: Envelope, spki: Spki): HashedRekord {
  const digest = host.sha256(toSign(envelope.payloadType, envelope.payload));
  return { digest, signature: derOf(envelope.signature), spki };
}

/** The bytes of the leaf. */
export function formatHashedRekord(record: HashedRekord): Uint8Array {
  const { digest, signature, spki } = checkedRecord(record, 'the hashedrekord');
  return formatCanonical({
    apiVersion: HASHEDREKORD_KIND.version,
    kind: HASHEDREKORD_KIND.kind,
    spec: {
      hashedRekordV002: {
        data: {
          algorithm: 'SHA2_256',
          digest: formatHash(digest, 'bad-entry', 'the digest of the hashedrekord'),
        },
        signature: {
          content: formatBase64(signature),
          verifier: {
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            publicKey: { rawBytes: formatBase64(spki) },
          },
        },
      },
    },
  });
}

/** Parses a leaf. Throws `too-large`, `bad-json`, `bad-encoding`, `bad-key` or `bad-entry`. */
export function parseHashedRekord(body: Uint8Array, what = 'the hashedrekord'): HashedRekord {
  const shape = parseShape(bodyShape, parseCanonical(body, what, BODY_LIMITS), what, 'bad-entry');
  const { data, signature } = shape.spec.hashedRekordV002;
  return checkedRecord(
    {
      digest: parseHash(data.digest, 'bad-entry', `${what}: its digest`),
      signature: parseBase64(signature.content),
      spki: parseSpkiBase64(signature.verifier.publicKey.rawBytes, `${what}: its public key`),
    },
    what,
  );
}

/**
 * Does the log entry record exactly this envelope by exactly this key? Compared byte for
 * byte: a proof of inclusion says nothing until it is known what was included
 * (cosign CVE-2026-22703).
 */
export function checkRecord(
  host: Pick<Host, 'sha256'>,
  record: HashedRekord,
  envelope: Envelope,
  spki: Spki,
): Verdict<object> {
  const expected = recordOf(host, envelope, spki);
  const differs =
    (!equal(record.digest, expected.digest) && 'signed bytes') ||
    (!equal(record.signature, expected.signature) && 'signature') ||
    (!equal(record.spki, expected.spki) && 'public key');
  if (differs) {
    return refusal(
      'proof-invalid',
      `the log entry records another ${differs} than the envelope has`,
    );
  }
  return { ok: true };
}

function checkedRecord(record: HashedRekord, what: string): HashedRekord {
  if (!isSignature(record.signature)) {
    throw new CodedError('bad-entry', `${what}: its signature is no ECDSA P-256 signature in DER`);
  }
  return record;
}
