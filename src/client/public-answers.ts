/** What the registry answers to anybody. As `answers.ts`: nothing of it is trusted by itself. */
import * as v from 'valibot';
import { claimMembers } from '../core/release/claims.ts';
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

const advisoryLine = v.object({
  index: count,
  kind: text(40),
  summary: text(4_000),
  time: instant,
});

export const listedRelease = v.object({
  reference: text(400),
  digest,
  index: count,
  time: instant,
  size: count,
  files: count,
  recalled: v.optional(v.boolean(), false),
});
export const releaseList = v.object({
  releases: v.array(listedRelease),
  next: v.optional(count),
});
export const modelReleases = v.object({
  model: text(128),
  newest: v.optional(text(400)),
  releases: v.array(listedRelease),
});
export const history = v.object({
  events: v.array(
    v.object({
      index: count,
      time: instant,
      kind: text(64),
      release: v.optional(text(400)),
      digest: v.optional(digest),
      text: v.optional(text(4_000), ''),
    }),
  ),
});
const restriction = v.object({
  for: text(64),
  terms: v.optional(v.object({ name: text(256), url: text(1_024) })),
});
/** Whose bytes are, as a registry says it to people. */
export type ShownRestriction = v.InferOutput<typeof restriction>;

export const shownRelease = v.object({
  reference: text(400),
  digest,
  index: count,
  time: instant,
  state: text(40),
  size: count,
  files: v.array(v.object({ path: text(2_048), size: count, sha256: digest, format: text(64) })),
  executes: v.optional(v.array(text(2_048)), []),
  ...claimMembers,
  bytes: v.optional(restriction),
  advisories: v.optional(v.array(advisoryLine), []),
});

export const configuration = v.object({
  origin: text(253),
  url: v.optional(text(2_048)),
  vkey: text(4_096),
  releaseKeys: v.array(text(4_096)),
  api: text(256),
  log: text(256),
});
