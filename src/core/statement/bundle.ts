/**
 * `model.sig`: a Sigstore bundle, version 0.3 (sigstore/protobuf-specs, sigstore_bundle.proto,
 * in the JSON form of protocol buffers: 64-bit integers as decimal strings, bytes in base64).
 * It holds the model signature (`oms.ts`) in its envelope, and the proof that the log has it.
 *
 *     {"dsseEnvelope":{"payload":…,"payloadType":…,"signatures":[{"sig":…}]},
 *      "mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
 *      "verificationMaterial":{
 *        "publicKey":{"hint":HINT},
 *        "tlogEntries":[{
 *          "canonicalizedBody":BODY,
 *          "inclusionProof":{"checkpoint":{"envelope":"models.example.org\n8\n…"},
 *                            "hashes":[…],"logIndex":"5","rootHash":…,"treeSize":"8"},
 *          "kindVersion":{"kind":"hashedrekord","version":"0.0.2"},
 *          "logId":{"keyId":LOGID},
 *          "logIndex":"5"}]}}
 *
 * HINT names the key by its PEM text (`keyHint`). LOGID is the whole SHA-256 of which the
 * checkpoint's signature line carries the first four bytes (C2SP signed-note, "Signatures").
 * BODY is the leaf itself (`hashedrekord.ts`); the hashes go from leaf to root. Exactly one
 * entry: a model signature is not shown before the log has it. No `integratedTime`: nothing
 * signs it.
 *
 * Here is only the form. That index, size and root are those of the checkpoint, and that the
 * hashes lead from leaf to root, is found by whoever opens the checkpoint.
 */
import * as v from 'valibot';
import { concat, formatBase64, parseBase64, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatCanonical, type Json, type JsonLimits, parseCanonical } from '../json.ts';
import { MAX_PROOF_HASHES } from '../log/merkle.ts';
import type { VerifierKey } from '../note/key.ts';
import { formatDecimal, formatHash, parseDecimal, parseHash } from '../note/line.ts';
import { MAX_NOTE_BYTES } from '../note/note.ts';
import { hex32, parseShape } from '../shape.ts';
import { ENVELOPE_LIMITS, type Envelope, envelopeFromJson, envelopeToJson } from './dsse.ts';
import {
  formatHashedRekord,
  HASHEDREKORD_KIND,
  type HashedRekord,
  parseHashedRekord,
} from './hashedrekord.ts';

const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** That a log has a record: where, and what leads from there to a signed root. */
export interface RecordProof {
  readonly record: HashedRekord;
  /** SHA-256(origin, newline, 01, Ed25519 key) of the log: 32 bytes. */
  readonly logId: Uint8Array;
  readonly index: number;
  readonly size: number;
  /** The root of the tree of that size, 32 bytes. */
  readonly root: Uint8Array;
  /** The inclusion proof, leaf to root, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
}

/** A signature and the proof that the log has it, not yet checked. */
export interface Bundle {
  /** `keyHint` of the signing key. */
  readonly hint: string;
  readonly envelope: Envelope;
  readonly proof: RecordProof;
}

const BUNDLE_LIMITS: JsonLimits = {
  maxBytes: ENVELOPE_LIMITS.maxBytes + 2 * MAX_NOTE_BYTES,
  maxDepth: 8,
};

const bundleShape = v.strictObject({
  mediaType: v.literal(MEDIA_TYPE),
  dsseEnvelope: v.unknown(),
  verificationMaterial: v.strictObject({
    publicKey: v.strictObject({ hint: hex32 }),
    tlogEntries: v.strictTuple([
      v.strictObject({
        logIndex: v.string(),
        logId: v.strictObject({ keyId: v.string() }),
        kindVersion: v.strictObject({
          kind: v.literal(HASHEDREKORD_KIND.kind),
          version: v.literal(HASHEDREKORD_KIND.version),
        }),
        canonicalizedBody: v.string(),
        inclusionProof: v.strictObject({
          logIndex: v.string(),
          treeSize: v.string(),
          rootHash: v.string(),
          hashes: v.pipe(v.array(v.string()), v.maxLength(MAX_PROOF_HASHES)),
          checkpoint: v.strictObject({
            envelope: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NOTE_BYTES)),
          }),
        }),
      }),
    ]),
  }),
});
type LogEntryJson = v.InferOutput<typeof bundleShape>['verificationMaterial']['tlogEntries'][0];

/** The bytes of `model.sig`. Throws what `parseBundle` would throw. */
export function formatBundle(bundle: Bundle): Uint8Array {
  const bytes = formatCanonical({
    mediaType: MEDIA_TYPE,
    dsseEnvelope: envelopeToJson(bundle.envelope),
    verificationMaterial: {
      publicKey: { hint: bundle.hint },
      tlogEntries: [proofToJson(bundle.proof)],
    },
  });
  parseBundle(bytes);
  return bytes;
}

/** Parses the bytes of `model.sig`. Throws `too-large`, `bad-json`, `bad-encoding` or `bad-bundle`. */
export function parseBundle(bytes: Uint8Array, what = 'model.sig'): Bundle {
  const json = parseCanonical(bytes, what, BUNDLE_LIMITS);
  const { dsseEnvelope, verificationMaterial } = parseShape(bundleShape, json, what, 'bad-bundle');
  return {
    hint: verificationMaterial.publicKey.hint,
    envelope: envelopeFromJson(dsseEnvelope as Json, what),
    proof: proofFromJson(verificationMaterial.tlogEntries[0], what),
  };
}

/**
 * What names a log in a bundle and in Sigstore's trust roots: the hash of which the ID in a
 * signature line is the beginning (C2SP signed-note, "Signatures"). 32 bytes.
 */
export function logIdOf(host: Pick<Host, 'sha256'>, key: VerifierKey): Uint8Array {
  return host.sha256(concat(utf8(key.name), Uint8Array.of(0x0a, key.type), key.publicKey));
}

function proofToJson(proof: RecordProof): Json {
  const logIndex = formatDecimal(proof.index, 'bad-bundle', 'the log index of the bundle');
  return {
    logIndex,
    logId: { keyId: formatHash(proof.logId, 'bad-bundle', 'the log id of the bundle') },
    kindVersion: HASHEDREKORD_KIND,
    canonicalizedBody: formatBase64(formatHashedRekord(proof.record)),
    inclusionProof: {
      logIndex,
      treeSize: formatDecimal(proof.size, 'bad-bundle', 'the tree size of the bundle'),
      rootHash: formatHash(proof.root, 'bad-bundle', 'the root hash of the bundle'),
      hashes: proof.hashes.map((hash) => formatHash(hash, 'bad-bundle', 'the inclusion proof')),
      checkpoint: { envelope: proof.checkpoint },
    },
  };
}

function proofFromJson(entry: LogEntryJson, what: string): RecordProof {
  const { inclusionProof } = entry;
  const index = parseDecimal(entry.logIndex, 'bad-bundle', `${what}: its log index`);
  const size = parseDecimal(inclusionProof.treeSize, 'bad-bundle', `${what}: its tree size`);
  // The outer index counts over all shards of a log. Ours is one tree, so there is one number.
  if (inclusionProof.logIndex !== entry.logIndex || index >= size) {
    throw new CodedError('bad-bundle', `${what}: its log index is not the index of one tree`);
  }
  const hash = (text: string, field: string) => parseHash(text, 'bad-bundle', `${what}: ${field}`);
  return {
    record: parseHashedRekord(parseBase64(entry.canonicalizedBody), `${what}: its log entry`),
    logId: hash(entry.logId.keyId, 'its log id'),
    index,
    size,
    root: hash(inclusionProof.rootHash, 'its root hash'),
    hashes: inclusionProof.hashes.map((text) => hash(text, 'its inclusion proof')),
    checkpoint: inclusionProof.checkpoint.envelope,
  };
}
