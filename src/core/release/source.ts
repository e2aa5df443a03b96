/**
 * Where the files of a release came from, when it was imported from somewhere else:
 *
 *     {"revision":"dbc6aea5…","url":"https://huggingface.co/openai/whisper-tiny"}
 *     {"revision":"sha256:9d5f…","url":"oci://models.example.org/acme/tiny"}
 *
 * `url` names the repository together with its host, `revision` the commit of Git (40 or 64 hex
 * digits) or the digest of the OCI manifest that was read. No branch or tag: those move. It is
 * part of the manifest, so that whoever decides on a release decides on this, too; it is the
 * publisher's claim, and no reader is asked to fetch it.
 */
import * as v from 'valibot';
import { parseShape } from '../shape.ts';

/** Characters of the address. */
export const MAX_SOURCE_URL = 512;

/**
 * A host in lower case, an IPv6 address in brackets; no credentials, query, fragment, escapes or
 * segments of dots: an address for people, which means one thing.
 */
const URL_PATTERN =
  /^(?:https?|oci):\/\/(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;
const REVISION_PATTERN = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|sha256:[0-9a-f]{64})$/;

export const sourceShape = v.strictObject({
  url: v.pipe(
    v.string(),
    v.maxLength(MAX_SOURCE_URL, `must have at most ${MAX_SOURCE_URL} characters`),
    v.regex(URL_PATTERN, 'must be an address like https://HOST/NAME or oci://HOST/NAME'),
  ),
  revision: v.pipe(
    v.string(),
    v.regex(REVISION_PATTERN, 'must be a commit (40 or 64 hex digits) or sha256:<digest>'),
  ),
});

export type Source = v.InferOutput<typeof sourceShape>;

/** Checks a source that came from outside; throws `bad-document`. */
export function parseSource(value: unknown): Source {
  return parseShape(sourceShape, value, 'the source');
}
