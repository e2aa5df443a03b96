/**
 * What every decision says of itself, whatever it decides: what it is about and when, where it
 * stands in its signer's chain, and what its signer had seen. A decision is an in-toto
 * statement with one subject, the release under its name and the sealed digest D, and carries
 * in its predicate
 *
 *     context
 *       origin      the registry
 *       release     "namespace/name@version", as in the subject
 *       revision    which seal of the draft D is
 *       n           how many decisions on D the signer made before: 0, 1, 2 …
 *       previous    digest of the envelope of the last one of those; null when n is 0
 *       checkpoint  {size, root} of the newest checkpoint that the signer saw
 *       time        when it was signed, as its signer says
 *       expires     after which it is no longer recorded, and permits nothing
 *       nonce       32 random bytes in hex
 *
 * So a decision fits no other registry, release, revision or bytes, and a signer's decisions on
 * one digest are a chain in which none can be left out.
 */
import * as v from 'valibot';
import type { Digest } from '../digest.ts';
import { CodedError } from '../error.ts';
import { parseOrigin } from '../log/checkpoint.ts';
import { MAX_REVISIONS } from '../release/manifest.ts';
import { formatReleaseName, parseReleaseName } from '../release/name.ts';
import { count, digest, hex32, instant, prose } from '../shape.ts';
import type { Statement, Subject } from './in-toto.ts';

/** Decisions of one signer on one digest. */
export const MAX_DECISIONS_PER_SIGNER = 1_000;
/** Characters of a reason. */
export const MAX_REASON = 2_000;
/** Bytes of a decision's payload. */
export const MAX_DECISION_BYTES = 32 * 1024;

/** Why, in the signer's words. */
export const reason = prose(MAX_REASON);

export const contextShape = v.strictObject({
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  release: v.string(),
  revision: v.pipe(count, v.minValue(1), v.maxValue(MAX_REVISIONS)),
  n: v.pipe(count, v.maxValue(MAX_DECISIONS_PER_SIGNER - 1)),
  previous: v.nullable(digest),
  checkpoint: v.strictObject({ size: count, root: digest }),
  time: instant,
  expires: instant,
  nonce: hex32,
});

export type DecisionContext = Readonly<v.InferOutput<typeof contextShape>>;

/** What a decision is about, by whom it does not say: that the signature shows. */
export interface Decided {
  /** D, the sealed digest. */
  readonly digest: Digest;
  readonly context: DecisionContext;
}

/** A statement's subject. */
export function subjectOf({ digest, context }: Decided): Subject {
  return { name: context.release, digest };
}

/** What a statement decides about. Throws `bad-statement` or `bad-name`. */
export function decidedBy(
  { subjects, predicate: { context } }: Statement<{ readonly context: DecisionContext }>,
  what: string,
): Decided {
  const [subject] = subjects;
  if (subject === undefined || subjects.length !== 1) {
    throw new CodedError('bad-statement', `${what} must have one subject`);
  }
  const release = formatReleaseName(parseReleaseName(context.release));
  if (subject.name !== context.release || release !== context.release) {
    throw new CodedError('bad-statement', `${what}: its subject and its release do not agree`);
  }
  if ((context.n === 0) !== (context.previous === null)) {
    throw new CodedError('bad-statement', `${what}: all but the first name the one before`);
  }
  if (Date.parse(context.expires) <= Date.parse(context.time)) {
    throw new CodedError('bad-statement', `${what} expires before it was signed`);
  }
  parseOrigin(context.origin);
  return { digest: subject.digest, context };
}
