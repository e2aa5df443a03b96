/**
 * A decision on its way to a key that is not on this machine, and back. One file of JSON that
 * is carried there and back, laid out for people:
 *
 *     v         1
 *     spki      base64 of the key that is to sign it: number and label are that key's
 *     decision  the statement, to read; what is signed is `payload`, and both must agree
 *     payload   base64 of the statement's canonical bytes
 *     files, bytes   what the sealed manifest holds, for the signer to recognise it
 *     envelope  the signed envelope (DSSE), once there is one
 */
import * as v from 'valibot';
import { equal, formatBase64, parseBase64, utf8 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { formatCanonical, type Json, parseJson } from '../../core/json.ts';
import { base64, count, parseShape } from '../../core/shape.ts';
import { type Decision, formatDecision, parseDecision } from '../../core/statement/decision.ts';
import { MAX_DECISION_BYTES } from '../../core/statement/decision-context.ts';
import { envelopeFromJson, formatEnvelope, openEnvelope } from '../../core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../core/statement/in-toto.ts';
import { parseSpkiBase64, type Spki } from '../../core/statement/public-key.ts';
import { accept } from '../accept.ts';
import type { Draft } from './decide.ts';

const schema = v.strictObject({
  v: v.literal(1),
  spki: v.string(),
  decision: v.unknown(),
  payload: base64(MAX_DECISION_BYTES),
  files: count,
  bytes: count,
  envelope: v.exactOptional(v.unknown()),
});

/** Bytes of such a file: the statement twice, and its envelope. */
export const UNSIGNED_LIMITS = { maxBytes: 8 * MAX_DECISION_BYTES, maxDepth: 16 };

/** A decision that somebody else's machine signs. */
export interface Carried {
  readonly spki: Spki;
  readonly draft: Draft;
  /** Canonical bytes of the envelope, once it is signed. */
  readonly envelope?: Uint8Array;
}

/** The file, with a newline at its end. */
export function formatCarried({ spki, draft, envelope }: Carried): Uint8Array {
  const { decision, files, size: bytes } = draft;
  const payload = formatBase64(formatDecision(decision));
  const signed = envelope && { envelope: parseJson(envelope, 'the envelope') };
  const document = { v: 1, decision, files, bytes, spki: formatBase64(spki), payload, ...signed };
  return utf8(`${JSON.stringify(document, null, 2)}\n`);
}

/**
 * Reads the file. An envelope in it was signed by the key that it names, over what it shows.
 * Throws `bad-json`, `bad-document`, `bad-statement`, `signature-invalid`.
 */
export async function parseCarried(host: Host, bytes: Uint8Array, what: string): Promise<Carried> {
  const document = parseShape(schema, parseJson(bytes, what, UNSIGNED_LIMITS), what);
  const payload = parseBase64(document.payload);
  const decision = parseDecision(payload, what);
  refuseDisagreement(decision, document.decision as Json, what);
  const spki = parseSpkiBase64(document.spki, `the key in ${what}`);
  const draft = { decision, files: document.files, size: document.bytes };
  if (document.envelope === undefined) return { spki, draft };
  const envelope = envelopeFromJson(document.envelope as Json, what);
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE || !equal(envelope.payload, payload)) {
    throw new CodedError('bad-document', `${what}: the envelope is of something else`);
  }
  accept(await openEnvelope(host, envelope, spki));
  const { payloadType, signature } = envelope;
  return { spki, draft, envelope: formatEnvelope(payloadType, payload, signature) };
}

/** Somebody reads the one and signs the other. */
function refuseDisagreement(decision: Decision, shown: Json, what: string): void {
  if (equal(formatCanonical(decision as unknown as Json), formatCanonical(shown))) return;
  throw new CodedError('bad-document', `${what} shows another decision than the one to sign`);
}
