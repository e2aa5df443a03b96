/**
 * What the registry keeps of decisions. `private/labels/<label>` and `private/voids/<ns>/<label>`
 * are staged with their entries, so they are there exactly when the log has them; the guard of a
 * publish finds them by their labels. `private/decisions/<label>` is what opens a commitment,
 * written once. `private/roots/<ns>/<root>` names the sealed digests that have the same bytes:
 * an objection to one of them is one to all. `private/unlogged/…/<revision>` is there while the
 * registry's seal of a revision may be missing in the log: the next start looks after it.
 */
import * as v from 'valibot';
import { base64, count, digest, hex32, instant } from '../../core/shape.ts';
import { MAX_DECISION_BYTES } from '../../core/statement/decision-context.ts';
import { form } from './form.ts';

/** Bytes of a decision's envelope: its payload in base64, and a little. */
export const MAX_ENVELOPE_BYTES = MAX_DECISION_BYTES * 2;
/** Digests of one namespace with the same bytes. */
export const MAX_TWINS = 1_000;

const labelSchema = v.strictObject({
  v: v.literal(1),
  index: count,
  /** The instant in the entry. */
  time: instant,
  commit: hex32,
});
export type LabelRecord = v.InferOutput<typeof labelSchema>;
export const labelForm = form<LabelRecord>('the commitment', labelSchema);

const decisionSchema = v.strictObject({
  v: v.literal(1),
  label: hex32,
  salt: hex32,
  envelope: base64(MAX_ENVELOPE_BYTES),
});
export type DecisionRecord = v.InferOutput<typeof decisionSchema>;
export const decisionForm = form<DecisionRecord>('the decision', decisionSchema);

/** Where the log has something: a void, an announcement. */
export const loggedForm = form(
  'its place in the log',
  v.strictObject({ v: v.literal(1), index: count }),
);

export const unloggedForm = form(
  'the seal that is to be logged',
  v.strictObject({ v: v.literal(1), release: v.string(), revision: count }),
);

const twinsSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  digests: v.pipe(
    v.array(digest),
    v.maxLength(MAX_TWINS, `must hold at most ${MAX_TWINS} drafts of the same bytes`),
  ),
});
export type TwinsRecord = v.InferOutput<typeof twinsSchema>;
export const twinsForm = form<TwinsRecord>('the drafts of the same bytes', twinsSchema);
