/** What the registry answers to anybody. As `answers.ts`: nothing of it is trusted by itself. */
import * as v from 'valibot';
import { base64, count, digest, instant } from '../core/shape.ts';

/** Bytes of one document inside an answer. */
const MAX_INLINE_BYTES = 16 * 2 ** 20;
/** Hashes on the way from a head to the heads root, at most. */
const MAX_PATH_HASHES = 63;

const text = (length: number) => v.pipe(v.string(), v.maxLength(length));
const bytes = base64(MAX_INLINE_BYTES);

export const policyList = v.object({
  policies: v.array(v.object({ index: count, time: instant, digest, version: count })),
});
export const signedPolicy = v.object({ index: count, policy: bytes, signed: v.array(bytes) });
export const advisoryEnvelope = v.object({ envelope: bytes });

export const freshness = v.object({
  index: count,
  entry: base64(65_535),
  proof: text(2 ** 20),
  head: bytes,
  position: count,
  count,
  path: v.pipe(v.array(base64(32)), v.maxLength(MAX_PATH_HASHES)),
  advisories: v.array(v.object({ index: count, entry: base64(65_535), proof: text(2 ** 20) })),
});

export const configuration = v.object({
  origin: text(253),
  url: v.optional(text(2_048)),
  vkey: text(4_096),
  releaseKeys: v.array(text(4_096)),
  api: text(256),
  log: text(256),
});
