/**
 * `private/drafts/<ns>/<name>/<version>/head`: where a draft stands. Its one compare-and-swap
 * is what every step of a release goes through, so that of two that contradict each other
 * (withdraw and publish, say) exactly one happens.
 *
 *     draft ⇄ sealed → publishing → published        draft, sealed → withdrawn
 *
 * A withdrawn one keeps the digest that was sealed: what was decided about it stays to be read.
 *
 * The intent of a publish stands inside: that the draft is being published, and the exact
 * bytes to be logged, become true in one write.
 */
import * as v from 'valibot';
import type { Digest } from '../../core/digest.ts';
import { MAX_ENTRY_BYTES } from '../../core/log/tile.ts';
import { MAX_REVISIONS } from '../../core/release/manifest.ts';
import { ROLES } from '../../core/release/roles.ts';
import { base64, count, digest } from '../../core/shape.ts';
import { form } from './form.ts';

/** What a publish is about to log. ECDSA is randomised: these bytes are the truth, not a second signing. */
const intentSchema = v.strictObject({
  /** The release entry. */
  entry: base64(MAX_ENTRY_BYTES),
  /** The hashedrekord that follows it. */
  record: base64(MAX_ENTRY_BYTES),
  /** In which roles the publisher spoke: the gate is asked again at the commit. */
  roles: v.array(v.picklist(ROLES)),
});

const common = {
  v: v.literal(1),
  generation: count,
  /** With the version in its own case. */
  release: v.string(),
  /** Which seal this is, or will be: from 1. */
  revision: v.pipe(count, v.minValue(1), v.maxValue(MAX_REVISIONS)),
  /** Digests of the seals before. */
  former: v.array(digest),
  /** Subjects of the tokens that pushed to it, in order: what they pushed may be in it still. */
  pushers: v.array(v.string()),
};

const draftSchema = v.variant('state', [
  v.strictObject({ ...common, state: v.literal('draft') }),
  v.strictObject({ ...common, state: v.literal('sealed'), digest }),
  v.strictObject({ ...common, state: v.literal('publishing'), digest, intent: intentSchema }),
  v.strictObject({
    ...common,
    state: v.literal('published'),
    digest,
    /** Of the release entry. */
    index: count,
    /** Leaves of the tree by which its publisher learned of it. */
    size: count,
  }),
  v.strictObject({ ...common, state: v.literal('withdrawn'), digest: v.exactOptional(digest) }),
]);

export type Draft = v.InferOutput<typeof draftSchema>;
export type DraftIn<State extends Draft['state']> = Extract<Draft, { state: State }>;
export type Intent = v.InferOutput<typeof intentSchema>;

/** D: what is sealed, or was when the draft was withdrawn. */
export function sealedDigest(draft: Draft): Digest | undefined {
  return draft.state === 'draft' ? undefined : draft.digest;
}

export const draftForm = form<Draft>('the draft', draftSchema);
