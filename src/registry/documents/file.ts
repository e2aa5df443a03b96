/**
 * `private/drafts/<ns>/<name>/<version>/files/<SHA-256 of the path>`: one file of a draft, as
 * its publisher declared it, and where its bytes are. A document of its own, so that a
 * thousand files do not rewrite one document a thousand times.
 */
import * as v from 'valibot';
import { count, digest } from '../../core/shape.ts';
import { form } from './form.ts';

/** 32 lower-case hex digits that the server drew. */
export const randomId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits'));

const contentSchema = v.variant('state', [
  /** The bytes were found damaged, or are not there yet. */
  v.strictObject({ state: v.literal('missing') }),
  v.strictObject({ state: v.literal('uploading'), upload: randomId }),
  v.strictObject({
    state: v.literal('stored'),
    /** Names the content: `blobs/<aa>/<blob>`. */
    blob: randomId,
    /** Set by a seal that read every byte: which one, and its list of tensor digests. */
    verified: v.exactOptional(
      v.strictObject({ revision: count, tensors: v.exactOptional(digest) }),
    ),
  }),
]);

const fileSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  path: v.string(),
  size: count,
  sha256: digest,
  chunks: v.strictObject({ size: count, root: digest }),
  content: contentSchema,
});

export type DraftFile = v.InferOutput<typeof fileSchema>;
/** A file whose bytes are there. */
export type StoredFile = DraftFile & {
  readonly content: Extract<DraftFile['content'], { state: 'stored' }>;
};

export const fileForm = form<DraftFile>('the draft’s file', fileSchema);

/** True when the file's bytes are there. */
export function isStored(file: DraftFile | undefined): file is StoredFile {
  return file?.content.state === 'stored';
}
