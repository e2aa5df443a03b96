/** The shapes of the release gate's requests and answers. */
import * as v from 'valibot';
import { base64, count, digest, hex32, instant } from '../../core/shape.ts';
import { MAX_DECISION_BYTES } from '../../core/statement/decision-context.ts';
import { assertionExtension } from '../../core/statement/passkey.ts';
import { MAX_SIGNATURE_BYTES } from '../../core/statement/signature.ts';
import type { DisclosedDecision, DraftDecisions } from '../../registry/gate-shapes.ts';

/** Bytes of a policy. */
const MAX_POLICY = 2 ** 20;

const dsse = (maxBytes: number) =>
  v.strictObject({
    payload: base64(maxBytes),
    payloadType: v.string(),
    signatures: v.pipe(
      v.array(
        v.strictObject({
          sig: base64(MAX_SIGNATURE_BYTES),
          extension: v.exactOptional(assertionExtension),
        }),
      ),
      v.minLength(1),
      v.maxLength(1),
    ),
  });

/** A DSSE envelope, as JSON, over a decision or another short word. */
export const envelope = dsse(MAX_DECISION_BYTES);
/** What only owners do, they sign; a token does not do it for them. */
const SIGN = 'must hold the signature of an owner at least';
const signed = v.pipe(v.array(envelope), v.minLength(1, SIGN), v.maxLength(64));
/** Envelopes over a policy, which may be long. */
const signedPolicy = v.pipe(v.array(dsse(MAX_POLICY)), v.minLength(1, SIGN), v.maxLength(64));

const decision = v.picklist([
  'evaluate',
  'approve',
  'object',
  'hold',
  'postpone',
  'lift',
  'withdraw',
  'seal',
  'publish',
]);

export const shownDecision = {
  index: count,
  time: instant,
  /** Of its envelope. */
  digest,
  revision: count,
  person: v.string(),
  decision,
  detail: v.string(),
};

export const commitment = v.strictObject({ label: hex32, commit: hex32 });
export const logged = v.strictObject({ index: count });
export const disclosure = v.strictObject({ index: count, salt: hex32, envelope });
export const recordedDecision = v.strictObject({ index: count, digest, decision });
const loggedLabel = v.strictObject({ index: count, label: hex32 });
export const draftDecisions = v.strictObject({
  digest,
  revision: count,
  decisions: v.array(v.strictObject({ ...shownDecision, label: hex32, salt: hex32, envelope })),
  unopened: v.array(loggedLabel),
  voids: v.array(loggedLabel),
});
export const storedReport = v.strictObject({ digest, size: count });

export const policyChange = v.strictObject({ policy: base64(MAX_POLICY), signed: signedPolicy });
export const policyLogged = v.strictObject({ index: count, version: count, inForceAt: instant });
export const policyList = v.strictObject({
  policies: v.array(v.strictObject({ index: count, time: instant, digest, version: count })),
});

export const announcement = v.strictObject({ envelope });
export const voidRequest = v.strictObject({ namespace: v.string(), label: hex32, signed });
export const voidAnswer = v.strictObject({ signed });

type Envelope = v.InferOutput<typeof envelope>;

/** The stored form of an envelope, as JSON again. */
export function showEnvelope(bytes: Uint8Array): Envelope {
  return JSON.parse(new TextDecoder().decode(bytes)) as Envelope;
}

/** What was decided about a draft, as the API shows it. */
export function showDecisions(found: DraftDecisions): v.InferOutput<typeof draftDecisions> {
  const shown = ({ envelope: bytes, ...rest }: DisclosedDecision) => ({
    ...rest,
    envelope: showEnvelope(bytes),
  });
  return {
    ...found,
    decisions: found.decisions.map(shown),
    unopened: [...found.unopened],
    voids: [...found.voids],
  };
}
