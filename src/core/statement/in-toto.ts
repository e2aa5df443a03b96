/**
 * in-toto statements (in-toto/attestation, spec/v1/statement.md): what is said (a predicate
 * of some type) about which artifacts (subjects, by digest). Here, as canonical JSON:
 *
 *     {"_type":"https://in-toto.io/Statement/v1","predicate":{…},"predicateType":"…",
 *      "subject":[{"digest":{"sha256":"9f86d0…"},"name":"manifest.json"}]}
 *
 * The specification tells readers to ignore unknown fields. We do not: every statement that
 * we read was written by a program of ours, and what is not understood is not signed for.
 * Each kind of statement has a file of its own that gives the shape of its predicate
 * (`oms.ts`, `release.ts`).
 */
import * as v from 'valibot';
import { parseHex } from '../bytes.ts';
import { type Digest, digestHex, formatDigest } from '../digest.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type Json, type JsonLimits, parseCanonical } from '../json.ts';
import { hex32, parseShape, type Shape } from '../shape.ts';
import { type Envelope, MAX_PAYLOAD_BYTES } from './dsse.ts';

/** `payloadType` of every envelope that carries a statement. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** The most artifacts that one statement may be about. */
export const MAX_SUBJECTS = 64;
/** The longest name of a subject, in characters. */
export const MAX_SUBJECT_NAME_LENGTH = 1024;

const STATEMENT_LIMITS: JsonLimits = { maxBytes: MAX_PAYLOAD_BYTES, maxDepth: 16 };

/** One artifact that a statement is about. */
export interface Subject {
  readonly name: string;
  readonly digest: Digest;
}

/** A statement whose predicate is of one known type. */
export interface Statement<Predicate> {
  readonly subjects: readonly Subject[];
  readonly predicate: Predicate;
}

/** One predicate type: its URI, and the shape of what stands under it. */
export interface PredicateType<Predicate extends Json> {
  readonly uri: string;
  readonly shape: Shape<Predicate>;
}

const statementShape = v.strictObject({
  _type: v.literal(STATEMENT_TYPE),
  subject: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_SUBJECT_NAME_LENGTH)),
        digest: v.strictObject({ sha256: hex32 }),
      }),
    ),
    v.minLength(1),
    v.maxLength(MAX_SUBJECTS),
  ),
  predicateType: v.string(),
  predicate: v.unknown(),
});

/** The payload to sign. Throws `bad-statement` for what `parseStatement` would not read. */
export function formatStatement<Predicate extends Json>(
  type: PredicateType<Predicate>,
  statement: Statement<Predicate>,
): Uint8Array {
  const payload = formatCanonical({
    _type: STATEMENT_TYPE,
    subject: statement.subjects.map(({ name, digest }) => ({
      name,
      digest: { sha256: digestHex(digest) },
    })),
    predicateType: type.uri,
    predicate: statement.predicate,
  });
  parseStatement(type, payload);
  return payload;
}

/** Parses a payload. Throws `too-large`, `bad-json` or `bad-statement`. */
export function parseStatement<Predicate extends Json>(
  type: PredicateType<Predicate>,
  payload: Uint8Array,
  what = 'the statement',
): Statement<Predicate> {
  const json = parseCanonical(payload, what, STATEMENT_LIMITS);
  const statement = parseShape(statementShape, json, what, 'bad-statement');
  if (statement.predicateType !== type.uri) {
    throw new CodedError('bad-statement', `${what} is not of the predicate type ${type.uri}`);
  }
  return {
    subjects: statement.subject.map(({ name, digest }) => ({
      name,
      digest: formatDigest(parseHex(digest.sha256)),
    })),
    predicate: parseShape(type.shape, statement.predicate, `${what}, predicate`, 'bad-statement'),
  };
}

/** The type of the predicate, before it is known which to expect. Throws as `parseStatement`. */
export function predicateTypeOf(payload: Uint8Array, what = 'the statement'): string {
  const json = parseCanonical(payload, what, STATEMENT_LIMITS);
  return parseShape(statementShape, json, what, 'bad-statement').predicateType;
}

/** The payload of an envelope that must carry a statement; throws `bad-statement`. */
export function statementPayload(envelope: Envelope, what = 'the envelope'): Uint8Array {
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new CodedError('bad-statement', `${what} does not carry an in-toto statement`);
  }
  return envelope.payload;
}
