/**
 * `releases/<ns>/<name>/<version>`: what was published, staged with the commit that logs it
 * and therefore there exactly when the log has it. It is public once the published
 * checkpoint covers `index`. And `revisions/<ns>/<name>/<40 hex>`: which release a Hugging
 * Face client means by a commit, the first 40 digits of the manifest's digest.
 */
import * as v from 'valibot';
import { count, digest, hex32, instant } from '../../core/shape.ts';
import { form } from './form.ts';

const releaseSchema = v.strictObject({
  v: v.literal(1),
  /** Of the release entry; its hashedrekord follows. */
  index: count,
  release: v.string(),
  digest,
  time: instant,
  root: digest,
  model_sig: digest,
  release_dsse: digest,
  record: hex32,
  policy: count,
  decisions: v.exactOptional(digest),
  verdict: v.exactOptional(digest),
  intent: v.exactOptional(digest),
});

const revisionSchema = v.strictObject({ v: v.literal(1), release: v.string(), digest });
const markerSchema = v.strictObject({ v: v.literal(1), release: v.string(), generation: count });

export type ReleaseRecord = v.InferOutput<typeof releaseSchema>;

export const releaseForm = form<ReleaseRecord>('the published release', releaseSchema);
export const revisionForm = form('the revision', revisionSchema);
/**
 * `private/intents/…/<generation>`: says that a publish was begun from the draft of that
 * generation, for the next start to look after. Once the draft has another one, that attempt
 * can no longer come to anything.
 */
export const markerForm = form('the intent', markerSchema);
