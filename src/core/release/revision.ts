/**
 * The revision by which Hugging Face clients know a release, as they know a commit of Git: the
 * first 40 hex digits of its manifest's digest. The registry lets no two releases of a model
 * share one; nothing of ours trusts by it.
 */
import { type Digest, digestHex } from '../digest.ts';

declare const brand: unique symbol;

/** 40 lower-case hex digits. */
export type Revision = string & { readonly [brand]: 'Revision' };

const REVISION = /^[0-9a-f]{40}$/;

/** The revision of the release with that digest. */
export function revisionOf(digest: Digest): Revision {
  return digestHex(digest).slice(0, 40) as Revision;
}

/** `text` as a revision; undefined when it is none. */
export function asRevision(text: string): Revision | undefined {
  return REVISION.test(text) ? (text as Revision) : undefined;
}
