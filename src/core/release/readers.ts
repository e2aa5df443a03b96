/**
 * Whose the bytes of a namespace's releases are: member `bytes` of its policy. Without it they
 * are everybody's. With it they are for holders of a token with a role in the namespace, for
 * which there is the role `reader`:
 *
 *     {"for": "readers"}
 *     {"for": "readers", "terms": {"name": "Acme Licence 2", "url": "https://acme.example/licence"}}
 *
 * `terms` is what its readers have accepted. Nobody here proves that they did: it is shown to
 * whoever asks for the bytes, and the namespace gives its tokens to whom it likes.
 *
 * What is restricted are bytes, never what is said of them: that a release is there, its
 * manifest, signatures, proofs, decisions, tensors and chunk lists stay public, for without them
 * nobody could audit it. So do the small documents that somebody reads before they accept.
 */
import * as v from 'valibot';
import type { ManifestFile } from './manifest.ts';

/** Characters of the name of terms, and of their address. */
export const MAX_TERMS_NAME = 128;
export const MAX_TERMS_URL = 512;
/** Bytes of a document that stays public: one to read, and no weights under its name. */
export const MAX_OPEN_DOCUMENT_BYTES = 2 ** 20;

/** An address for people. No credentials; nothing that a header, a terminal or a page would take for its own. */
const TERMS_URL =
  /^https:\/\/[a-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~%!@:/-]*)?(?:\?[A-Za-z0-9._~%=&:/-]*)?(?:#[A-Za-z0-9._~%=&:/-]*)?$/;

const termsSchema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.maxLength(MAX_TERMS_NAME, `must have at most ${MAX_TERMS_NAME} characters`),
    v.regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'must be one line of text'),
  ),
  url: v.pipe(
    v.string(),
    v.maxLength(MAX_TERMS_URL, `must have at most ${MAX_TERMS_URL} characters`),
    v.regex(TERMS_URL, 'must be an address like https://HOST/PATH'),
  ),
});

export const restrictionSchema = v.strictObject({
  for: v.literal('readers', 'must be "readers"; leave "bytes" out where they are everybody’s'),
  terms: v.exactOptional(termsSchema),
});

export type Restriction = v.InferOutput<typeof restrictionSchema>;

/** What somebody reads before they accept terms, by its name at the top of a release. */
const OPEN_DOCUMENT =
  /^(?:README|LICEN[CS]E|COPYING|NOTICE|(?:ACCEPTABLE_)?USE_POLICY)(?:\.md|\.txt)?$/i;

/** Is it a document that everybody may read, whatever the policy? */
export function isOpenDocument({ path, size }: Pick<ManifestFile, 'path' | 'size'>): boolean {
  return size <= MAX_OPEN_DOCUMENT_BYTES && OPEN_DOCUMENT.test(path);
}
