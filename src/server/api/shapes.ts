/** The shapes of the native API's requests and answers, and the turn from ours to them. */
import * as v from 'valibot';
import { ADVISORIES } from '../../core/log/entry.ts';
import { claimMembers } from '../../core/release/claims.ts';
import type { Missing } from '../../core/release/missing.ts';
import { formatReleaseName } from '../../core/release/name.ts';
import { restrictionSchema } from '../../core/release/readers.ts';
import { base64, count, digest, hex32, instant } from '../../core/shape.ts';
import type { CatalogueRelease } from '../../index/catalogue.ts';
import type { DraftStatus, SignedParts } from '../../registry/registry.ts';
import { envelope, shownDecision } from './gate-shapes.ts';

/** Bytes of a policy or of an envelope in a request. */
const MAX_DOCUMENT = 2 ** 20;
const document = base64(MAX_DOCUMENT);

export const declaredFile = v.strictObject({
  path: v.string(),
  size: count,
  sha256: digest,
  chunks: v.strictObject({ size: count, root: digest }),
});

export const fileTicket = v.variant('state', [
  v.strictObject({ state: v.literal('stored') }),
  v.strictObject({
    state: v.literal('upload'),
    upload: v.string(),
    partSize: count,
    parts: v.array(v.strictObject({ number: count, sha256: digest })),
    /** Ask for signed requests, and send the parts to the store. */
    direct: v.exactOptional(v.literal(true)),
  }),
]);

/** Parts in one request. */
export const MAX_NAMED_PARTS = 100;
const namedPart = { number: count, sha256: digest };
const listOf = <T extends v.GenericSchema>(part: T) =>
  v.pipe(v.array(part), v.minLength(1), v.maxLength(MAX_NAMED_PARTS));

export const namedParts = v.strictObject({ parts: listOf(v.strictObject(namedPart)) });
export const sentParts = v.strictObject({
  parts: listOf(
    v.strictObject({ ...namedPart, tag: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,256}$/)) }),
  ),
});
export const signedParts = v.strictObject({
  /** In the order asked for: PUT the part there, with these headers and no token. */
  requests: v.array(
    v.strictObject({
      url: v.string(),
      headers: v.array(v.strictObject({ name: v.string(), value: v.string() })),
    }),
  ),
  /** How long they are good for. */
  seconds: count,
});
export const notedParts = v.strictObject({ noted: count });

export const draftList = v.strictObject({
  drafts: v.array(
    v.strictObject({
      reference: v.string(),
      state: v.picklist(['draft', 'sealed', 'publishing']),
      revision: count,
      digest: v.exactOptional(digest),
    }),
  ),
});

export const signInLink = v.strictObject({
  /** To be opened in a browser; it signs in once. */
  url: v.string(),
  expires: instant,
});

export const draftStatus = v.strictObject({
  reference: v.string(),
  state: v.picklist(['draft', 'sealed', 'publishing', 'published', 'withdrawn']),
  revision: count,
  digest: v.exactOptional(digest),
  former: v.array(digest),
  missing: v.array(
    v.strictObject({
      need: v.string(),
      /** Which suite or role, where a policy may ask for several. */
      about: v.exactOptional(v.string()),
      message: v.string(),
      waitsFor: v.array(v.string()),
      /** A command line of ours, or an instant. */
      satisfiedBy: v.string(),
      /** Approvals, or evaluations, that were made and do not count. */
      passedOver: v.exactOptional(
        v.array(v.strictObject({ index: count, person: v.string(), reason: v.string() })),
      ),
    }),
  ),
  decisions: v.array(v.strictObject(shownDecision)),
  /** Of the policy in force. */
  policyIndex: count,
  seal: v.exactOptional(
    v.union([
      v.strictObject({ running: v.literal(true), bytes: count, total: count }),
      v.strictObject({
        running: v.literal(false),
        error: v.strictObject({ code: v.string(), message: v.string() }),
      }),
    ]),
  ),
  index: v.exactOptional(count),
});

export const openedDraft = v.strictObject({
  ...draftStatus.entries,
  /** The upload credential, and when it ends. */
  session: v.string(),
  sessionExpires: instant,
});

export const sealRequest = v.strictObject({
  nonce: hex32,
  paths: v.array(v.string()),
  ...claimMembers,
});
export const publishRequest = v.strictObject({
  digest: v.exactOptional(digest),
  intent: v.exactOptional(envelope),
});
export const published = v.strictObject({
  reference: v.string(),
  digest,
  index: count,
  size: count,
  published: v.boolean(),
});

const amount = v.strictObject({ files: count, bytes: count });
export const usage = v.strictObject({
  namespace: v.string(),
  /** Without it nothing is limited, and nothing counted. */
  usage: v.exactOptional(
    v.strictObject({
      limits: v.strictObject({
        bytes: v.exactOptional(count),
        files: v.exactOptional(count),
        drafts: v.exactOptional(count),
      }),
      used: amount,
      published: amount,
      setAside: amount,
      drafts: count,
    }),
  ),
});

export const namespaceRequest = v.strictObject({
  policy: document,
  signed: v.pipe(v.array(document), v.minLength(1), v.maxLength(64)),
  override: v.exactOptional(v.boolean()),
});
export const namespaceCreated = v.strictObject({ namespace: v.string(), index: count });
export const policyAnswer = v.strictObject({
  index: count,
  policy: document,
  signed: v.array(document),
});

const proved = { index: count, entry: v.string(), proof: v.string() };
export const freshness = v.strictObject({
  ...proved,
  head: v.string(),
  position: count,
  count,
  path: v.array(v.string()),
  advisories: v.array(v.strictObject(proved)),
});

export const advisoryRequest = v.strictObject({ envelope: document });
export const advisoryLogged = v.strictObject({ index: count, kind: v.picklist(ADVISORIES) });
export const advisoryAnswer = v.strictObject({ envelope: document });

const advisory = v.strictObject({
  index: count,
  kind: v.picklist(ADVISORIES),
  summary: v.string(),
  time: instant,
});
const listed = {
  reference: v.string(),
  digest,
  index: count,
  time: instant,
  size: count,
  files: count,
  recalled: v.boolean(),
};
export const releaseList = v.strictObject({
  releases: v.array(v.strictObject(listed)),
  /** Pass it as `before` for the next page. */
  next: v.exactOptional(count),
});
export const modelAnswer = v.strictObject({
  model: v.string(),
  newest: v.exactOptional(v.string()),
  releases: v.array(v.strictObject(listed)),
});
export const releaseAnswer = v.strictObject({
  reference: v.string(),
  digest,
  index: count,
  time: instant,
  state: v.literal('published'),
  size: count,
  files: v.array(
    v.strictObject({ path: v.string(), size: count, sha256: digest, format: v.string() }),
  ),
  executes: v.array(v.string()),
  /** As its publisher says. */
  ...claimMembers,
  /** Whose its bytes are now, where they are not everybody's. */
  bytes: v.exactOptional(restrictionSchema),
  advisories: v.array(advisory),
});
export const history = v.strictObject({
  events: v.array(
    v.strictObject({
      index: count,
      time: instant,
      kind: v.string(),
      release: v.exactOptional(v.string()),
      digest: v.exactOptional(digest),
      text: v.string(),
    }),
  ),
});

/** A whole number in a query string. */
const numberText = v.pipe(
  v.string(),
  v.regex(/^(?:0|[1-9][0-9]{0,14})$/, 'must be a whole number'),
  v.transform(Number),
);
export const listQuery = v.strictObject({
  namespace: v.exactOptional(v.string()),
  query: v.exactOptional(v.pipe(v.string(), v.maxLength(200))),
  limit: v.exactOptional(numberText),
  before: v.exactOptional(numberText),
});
/** What is going to be declared in a draft, as far as its pusher knows. */
export const planQuery = v.strictObject({
  files: v.exactOptional(numberText),
  bytes: v.exactOptional(numberText),
});
export const policyQuery = v.strictObject({ index: v.exactOptional(numberText) });

/** Signed requests as the API shows them. */
export function showSigned({ requests, seconds }: SignedParts): v.InferOutput<typeof signedParts> {
  const shown = requests.map(({ url, headers }) => ({
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  }));
  return { requests: shown, seconds };
}

/** A draft's status as the API shows it. */
export function showDraft(status: DraftStatus): v.InferOutput<typeof draftStatus> {
  const { release, ...rest } = status;
  return {
    reference: formatReleaseName(release),
    ...rest,
    former: [...rest.former],
    missing: rest.missing.map(showMissing),
    decisions: rest.decisions.map((decision) => ({ ...decision })),
  };
}

function showMissing({ passedOver, ...lack }: Missing) {
  const waitsFor = [...lack.waitsFor];
  if (passedOver === undefined) return { ...lack, waitsFor };
  return { ...lack, waitsFor, passedOver: passedOver.map((each) => ({ ...each })) };
}

/** A release in a list as the API shows it. */
export function showListed(
  found: CatalogueRelease,
): v.InferOutput<typeof releaseList>['releases'][number] {
  return {
    reference: formatReleaseName(found.release),
    digest: found.digest,
    index: found.index,
    time: found.time,
    size: found.size,
    files: found.files,
    recalled: found.advisories.some(({ kind }) => kind === 'recalled'),
  };
}
