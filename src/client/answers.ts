/**
 * What the registry answers, as far as clients use it; what proofs are made of stands in
 * `public-answers.ts`. A newer server may say more: unknown members are let by here. Nothing
 * of this is trusted before it was checked against the log.
 */
import * as v from 'valibot';
import { claimMembers } from '../core/release/claims.ts';
import { base64, count, digest, hex32, instant } from '../core/shape.ts';
import { MAX_DECISION_BYTES } from '../core/statement/decision-context.ts';
import { assertionExtension } from '../core/statement/passkey.ts';

const text = (length: number) => v.pipe(v.string(), v.maxLength(length));
const shownDecision = {
  /** Of its commitment. */
  index: count,
  time: instant,
  /** Of its envelope: what a lift names. */
  digest,
  /** The seal of the draft that it is about. */
  revision: count,
  person: text(128),
  decision: text(40),
  detail: text(4_000),
};

export const draftStatus = v.object({
  reference: text(400),
  state: v.picklist(['draft', 'sealed', 'publishing', 'published', 'withdrawn']),
  revision: count,
  digest: v.optional(digest),
  former: v.array(digest),
  missing: v.array(
    v.object({
      need: text(64),
      about: v.optional(text(64)),
      message: text(4_000),
      waitsFor: v.array(text(128)),
      satisfiedBy: v.optional(text(2_000), ''),
    }),
  ),
  decisions: v.optional(v.array(v.object(shownDecision)), []),
  passedOver: v.optional(
    v.array(v.object({ index: count, person: text(128), reason: text(40), about: text(64) })),
    [],
  ),
  policyIndex: v.optional(count),
  seal: v.optional(
    v.variant('running', [
      v.object({ running: v.literal(true), bytes: count, total: count }),
      v.object({
        running: v.literal(false),
        error: v.object({ code: text(40), message: text(2_000) }),
      }),
    ]),
  ),
  index: v.optional(count),
});
export type DraftStatus = v.InferOutput<typeof draftStatus>;

export const openedDraft = v.object({
  ...draftStatus.entries,
  /** The credential of the upload session, which outlives the token. */
  session: text(8_192),
  sessionExpires: instant,
});

export const fileTicket = v.variant('state', [
  v.object({ state: v.literal('stored') }),
  v.object({
    state: v.literal('upload'),
    upload: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,128}$/)),
    partSize: v.pipe(count, v.minValue(1)),
    parts: v.array(v.object({ number: v.pipe(count, v.minValue(1)), sha256: digest })),
    /** The parts go to the store itself. */
    direct: v.optional(v.boolean(), false),
  }),
]);
export type FileTicket = v.InferOutput<typeof fileTicket>;

/** A header that a signature asks for; no other may be set by whoever answers. */
const signedHeader = v.object({
  name: v.pipe(v.string(), v.regex(/^x-[a-z0-9-]{1,100}$/)),
  value: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,1024}$/)),
});
export const signedParts = v.object({
  requests: v.array(
    v.object({ url: text(16_384), headers: v.pipe(v.array(signedHeader), v.maxLength(16)) }),
  ),
  /** How long they are good for. */
  seconds: v.pipe(count, v.minValue(1)),
});
export const notedParts = v.object({ noted: count });

export const published = v.object({
  reference: text(400),
  digest,
  index: count,
  size: count,
  published: v.boolean(),
});

const amount = v.object({ files: count, bytes: count });
export const usage = v.object({
  namespace: text(64),
  usage: v.optional(
    v.object({
      limits: v.object({
        bytes: v.optional(count),
        files: v.optional(count),
        drafts: v.optional(count),
      }),
      used: amount,
      published: amount,
      setAside: amount,
      drafts: count,
    }),
  ),
});

export const logged = v.object({ index: count });
export const recordedDecision = v.object({ index: count, digest, decision: text(40) });
const envelope = v.strictObject({
  payload: base64(MAX_DECISION_BYTES),
  payloadType: text(128),
  signatures: v.strictTuple([
    v.strictObject({ sig: text(128), extension: v.exactOptional(assertionExtension) }),
  ]),
});
const loggedLabel = v.object({ index: count, label: hex32 });
export const draftDecisions = v.object({
  digest,
  revision: count,
  decisions: v.array(v.object({ ...shownDecision, label: hex32, salt: hex32, envelope })),
  unopened: v.array(loggedLabel),
  voids: v.array(loggedLabel),
});
export const storedReport = v.object({ digest, size: count });
export const policyLogged = v.object({ index: count, version: count, inForceAt: instant });
export const announcement = v.object({ envelope });
export const voided = v.object({ signed: v.array(envelope) });

/** RFC 8693, section 2.2.1. */
export const signInLink = v.object({ url: v.string(), expires: v.string() });

/** RFC 8628, section 3.2. */
export const deviceCodes = v.object({
  device_code: text(8_192),
  user_code: text(64),
  verification_uri: text(2_048),
  verification_uri_complete: v.optional(text(2_048)),
  expires_in: count,
  interval: v.optional(count, 5),
});

export const exchangedToken = v.object({
  access_token: text(8_192),
  token_type: v.pipe(v.string(), v.regex(/^bearer$/i)),
  expires_in: count,
});

export const namespaceMade = v.object({ namespace: text(128), index: count });
export const advised = v.object({ index: count, kind: text(40) });

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
