/**
 * What an audit leaves for the next one (`audit --state FILE`): the signed checkpoint that it
 * ended at, and what its rules need to know of the entries up to there. The next audit shows
 * that the log still begins with that tree, or has the two checkpoints that prove it does not.
 *
 * Canonical JSON:
 *
 *     v           2
 *     origin      which log
 *     checkpoint  the signed note, in base64
 *     namespaces  [{head, policies}]: each namespace's head, and of every policy that was
 *                 logged of it {index, time, digest}
 *     releases    {"ns/name@version": {digest, root}}, in lower case
 *     commitments [packed …]: those that no release has accounted for yet (`commitments.ts`),
 *                 in base64, at most 1,024 in one string
 *     voids       [{namespace, label, index}] of these
 *     heads       {index, time} of the newest heads entry, if there is one
 *     root        version of the newest root.json that is logged, if one is
 *     time        of the last entry, if there is one
 *
 * A commitment that a release has accounted for is left out. It is on a manifest that names
 * that one release, so no later release is about it; should one open it all the same, the
 * audit reads it from the log again, by its index.
 */
import * as v from 'valibot';
import { concat, formatBase64, parseBase64 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type JsonLimits, parseCanonical } from '../json.ts';
import { parseCheckpoint } from '../log/checkpoint.ts';
import { formatHead, headSchema } from '../log/heads.ts';
import { MAX_NOTE_BYTES, parseNote } from '../note/note.ts';
import { parseReleaseName } from '../release/name.ts';
import { base64, count, digest, hex32, instant, parseShape, record } from '../shape.ts';
import { PACKED_COMMITMENT } from './commitments.ts';
import { type FoldState, releaseKey } from './fold.ts';

/** Bytes of packed commitments in one string. */
const PACKED_AT_ONCE = 1_024 * PACKED_COMMITMENT;

/** A million releases fit, or two million commitments that wait for theirs. */
export const STATE_LIMITS: JsonLimits = { maxBytes: 256 * 2 ** 20, maxDepth: 6 };

const stateSchema = v.strictObject({
  v: v.literal(2, 'must be 2; an audit of before the release gate left another: begin again'),
  origin: v.string(),
  checkpoint: base64(MAX_NOTE_BYTES),
  namespaces: v.array(
    v.strictObject({
      head: headSchema,
      policies: v.pipe(
        v.array(v.strictObject({ index: count, time: instant, digest })),
        v.minLength(1),
      ),
    }),
  ),
  releases: record(v.strictObject({ digest, root: digest })),
  commitments: v.array(base64(PACKED_AT_ONCE)),
  voids: v.array(v.strictObject({ namespace: v.string(), label: hex32, index: count })),
  heads: v.exactOptional(v.strictObject({ index: count, time: instant })),
  root: v.exactOptional(count),
  time: v.exactOptional(instant),
});

/** Where an audit ended, without a violation before it. */
export interface AuditState {
  readonly origin: string;
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array;
  readonly fold: FoldState;
}

/** The bytes of a state file. */
export function formatAuditState({ origin, checkpoint, fold }: AuditState): Uint8Array {
  const { namespaces, releases, commitments, ...rest } = fold;
  const { packed, voids } = commitments;
  const sorted = namespaces.toSorted((a, b) => (a.head.namespace < b.head.namespace ? -1 : 1));
  const state = {
    v: 2,
    origin,
    checkpoint: formatBase64(checkpoint),
    namespaces: sorted.map(({ head, policies }) => ({
      head,
      policies: policies.map(({ index, time, digest }) => ({ index, time, digest })),
    })),
    releases: Object.fromEntries(
      [...releases].map(([key, { digest, root }]) => [key, { digest, root }]),
    ),
    commitments: inPieces(packed).map(formatBase64),
    voids: voids.map(({ namespace, label, index }) => ({ namespace, label, index })),
    ...rest,
  } as const;
  return formatCanonical(state);
}

/** Parses a state file. Throws `too-large`, `bad-json`, `bad-document`, `bad-note` … */
export function parseAuditState(bytes: Uint8Array, what = 'the audit’s state'): AuditState {
  const state = parseShape(stateSchema, parseCanonical(bytes, what, STATE_LIMITS), what);
  const {
    origin,
    checkpoint: note,
    namespaces,
    releases,
    commitments,
    voids,
    v: _,
    ...rest
  } = state;
  const checkpoint = parseBase64(note);
  const head = parseCheckpoint(parseNote(checkpoint).text);
  if (head.origin !== origin) refuse(`${what}: its checkpoint is of ${head.origin}`);
  namespaces.forEach((namespace, i) => {
    formatHead(namespace.head);
    if (namespace.policies.at(-1)!.index !== namespace.head.policy) {
      refuse(`${what}: its policies of ${namespace.head.namespace} do not end with the newest`);
    }
    if (i > 0 && namespaces[i - 1]!.head.namespace >= namespace.head.namespace) {
      refuse(`${what}: its namespaces must be in order, each once`);
    }
  });
  for (const key of Object.keys(releases)) {
    if (releaseKey(parseReleaseName(key)) !== key) {
      refuse(`${what}: its releases must be named in lower case`);
    }
  }
  const packed = concat(...commitments.map(parseBase64));
  if (packed.length % PACKED_COMMITMENT !== 0) refuse(`${what}: a commitment is cut off`);
  return {
    origin,
    checkpoint,
    fold: {
      namespaces,
      releases: new Map(Object.entries(releases)),
      commitments: { packed, voids },
      ...rest,
    },
  };
}

function inPieces(packed: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(packed.length / PACKED_AT_ONCE) }, (_, i) =>
    packed.subarray(i * PACKED_AT_ONCE, (i + 1) * PACKED_AT_ONCE),
  );
}

function refuse(why: string): never {
  throw new CodedError('bad-document', why);
}
