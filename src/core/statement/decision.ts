/**
 * Decisions: what people of a namespace, each with a personal key, say about a sealed draft.
 * Each is an in-toto statement about the release's name and the sealed digest D. An evaluation
 * is a test result (`test-result.ts`); all others are
 *
 *     {"_type":"https://in-toto.io/Statement/v1",
 *      "predicate":{"context":{…},"decision":"object","reason":"The licence of a data set"},
 *      "predicateType":"https://weighhouse.dev/decision/v0.1",
 *      "subject":[{"digest":{"sha256":D},"name":"acme/kimi-k2@v1.0"}]}
 *
 * | decision   | says                                                        | beside `reason` |
 * |------------|-------------------------------------------------------------|-----------------|
 * | `approve`  | these bytes may be released                                 |                 |
 * | `object`   | these bytes must not be released                            |                 |
 * | `hold`     | not now                                                     |                 |
 * | `postpone` | not before a time, or not until further notice              | `until`         |
 * | `lift`     | an objection, hold or postponement no longer stands         | `lifts`         |
 * | `withdraw` | these bytes will never be released under this name          |                 |
 * | `seal`     | the registry: this is sealed, and these people pushed it    | `pushers`       |
 * | `publish`  | a release manager: publish these bytes                      |                 |
 *
 * Who stops a release, gives it up, or lets go what was stopped, must say why. All but `publish` are
 * committed in the log under a label (`release/commitment.ts`); the intent to publish stands
 * in the release entry instead, with n and previous as if it were the signer's next decision.
 */
import * as v from 'valibot';
import { compareCodePoints } from '../bytes.ts';
import type { Digest } from '../digest.ts';
import { CodedError } from '../error.ts';
import { digest, instant, prose } from '../shape.ts';
import {
  contextShape,
  type Decided,
  decidedBy,
  MAX_DECISION_BYTES,
  reason,
  subjectOf,
} from './decision-context.ts';
import { formatStatement, type PredicateType, parseStatement, predicateTypeOf } from './in-toto.ts';
import { type Evaluation, formatEvaluation, parseEvaluation, TEST_RESULT } from './test-result.ts';

export interface Approval extends Decided {
  readonly decision: 'approve';
  readonly reason?: string;
}

export interface Objection extends Decided {
  readonly decision: 'object';
  readonly reason: string;
}

export interface Hold extends Decided {
  readonly decision: 'hold';
  readonly reason: string;
}

export interface Postponement extends Decided {
  readonly decision: 'postpone';
  /** An instant, or until further notice. */
  readonly until: string | 'indefinitely';
  readonly reason: string;
}

export interface Lift extends Decided {
  readonly decision: 'lift';
  /** Digest of the envelope that no longer stands. */
  readonly lifts: Digest;
  readonly reason: string;
}

export interface Withdrawal extends Decided {
  readonly decision: 'withdraw';
  readonly reason: string;
}

export interface Seal extends Decided {
  readonly decision: 'seal';
  /** Ids of people, and subjects of tokens, in code point order. */
  readonly pushers: readonly string[];
}

export interface PublishIntent extends Decided {
  readonly decision: 'publish';
  readonly reason?: string;
}

/** What is said about a sealed draft. */
export type Decision =
  | Evaluation
  | Approval
  | Objection
  | Hold
  | Postponement
  | Lift
  | Withdrawal
  | Seal
  | PublishIntent;

/** Pushers of one revision. */
export const MAX_PUSHERS = 1_000;

const context = contextShape;

const decisionShape = v.variant('decision', [
  v.strictObject({
    decision: v.literal('approve'),
    reason: v.exactOptional(reason),
    context,
  }),
  v.strictObject({ decision: v.literal('object'), reason, context }),
  v.strictObject({ decision: v.literal('hold'), reason, context }),
  v.strictObject({
    decision: v.literal('postpone'),
    until: v.union([v.literal('indefinitely'), instant], 'must be a UTC time or "indefinitely"'),
    reason,
    context,
  }),
  v.strictObject({ decision: v.literal('lift'), lifts: digest, reason, context }),
  v.strictObject({ decision: v.literal('withdraw'), reason, context }),
  v.strictObject({
    decision: v.literal('seal'),
    pushers: v.pipe(
      v.array(prose(128)),
      v.minLength(1, 'somebody pushed it'),
      v.maxLength(MAX_PUSHERS),
    ),
    context,
  }),
  v.strictObject({
    decision: v.literal('publish'),
    reason: v.exactOptional(reason),
    context,
  }),
]);
type Said = v.InferOutput<typeof decisionShape>;

const DECISION: PredicateType<Said> = {
  uri: 'https://weighhouse.dev/decision/v0.1',
  shape: decisionShape,
};

/** The payload to sign. Throws `bad-statement` for what could not be read back. */
export function formatDecision(decision: Decision): Uint8Array {
  if (decision.decision === 'evaluate') return formatEvaluation(decision);
  const { digest: _, ...predicate } = decision;
  const subjects = [subjectOf(decision)];
  const payload = formatStatement(DECISION, { subjects, predicate: predicate as Said });
  parseDecision(payload);
  return payload;
}

/** Parses a payload. Throws `too-large`, `bad-json`, `bad-name` or `bad-statement`. */
export function parseDecision(payload: Uint8Array, what = 'the decision'): Decision {
  if (payload.length > MAX_DECISION_BYTES) {
    throw new CodedError('too-large', `${what} may have ${MAX_DECISION_BYTES} bytes`);
  }
  if (predicateTypeOf(payload, what) === TEST_RESULT.uri) return parseEvaluation(payload, what);
  const statement = parseStatement(DECISION, payload, what);
  const said = statement.predicate;
  if (said.decision === 'seal') refuseDisorder(said.pushers, what);
  return { ...said, ...decidedBy(statement, what) };
}

function refuseDisorder(pushers: readonly string[], what: string): void {
  const disorder = pushers.some(
    (pusher, i) => i > 0 && compareCodePoints(pushers[i - 1]!, pusher) >= 0,
  );
  if (!disorder) return;
  throw new CodedError('bad-statement', `${what}: pushers must be in order, each once`);
}
