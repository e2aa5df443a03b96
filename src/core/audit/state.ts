/**
 * What an audit leaves for the next one (`audit --state FILE`): the signed checkpoint that it
 * ended at, and what its rules need to know of the entries up to there. The next audit shows
 * that the log still begins with that tree, or has the two checkpoints that prove it does not.
 *
 * Canonical JSON:
 *
 *     v           1
 *     origin      which log
 *     checkpoint  the signed note, in base64
 *     namespaces  [{head, policy}]: each namespace's head, and the digest of its policy
 *     releases    {"ns/name@version": digest}, in lower case
 *     heads       {index, time} of the newest heads entry, if there is one
 *     root        version of the newest root.json that is logged, if one is
 *     time        of the last entry, if there is one
 */
import * as v from 'valibot';
import { formatBase64, parseBase64 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type JsonLimits, parseCanonical } from '../json.ts';
import { parseCheckpoint } from '../log/checkpoint.ts';
import { formatHead, headSchema } from '../log/heads.ts';
import { MAX_NOTE_BYTES, parseNote } from '../note/note.ts';
import { parseReleaseName } from '../release/name.ts';
import { base64, count, digest, instant, parseShape, record } from '../shape.ts';
import { type FoldState, releaseKey } from './fold.ts';

/** A million releases fit. */
export const STATE_LIMITS: JsonLimits = { maxBytes: 256 * 2 ** 20, maxDepth: 6 };

const stateSchema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  checkpoint: base64(MAX_NOTE_BYTES),
  namespaces: v.array(v.strictObject({ head: headSchema, policy: digest })),
  releases: record(digest),
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
  const { namespaces, releases, ...rest } = fold;
  const sorted = namespaces.toSorted((a, b) => (a.head.namespace < b.head.namespace ? -1 : 1));
  const state = {
    v: 1,
    origin,
    checkpoint: formatBase64(checkpoint),
    namespaces: sorted.map(({ head, policy }) => ({ head, policy })),
    releases: Object.fromEntries(releases),
    ...rest,
  } as const;
  return formatCanonical(state);
}

/** Parses a state file. Throws `too-large`, `bad-json`, `bad-document`, `bad-note` … */
export function parseAuditState(bytes: Uint8Array, what = 'the audit’s state'): AuditState {
  const state = parseShape(stateSchema, parseCanonical(bytes, what, STATE_LIMITS), what);
  const { origin, checkpoint: note, namespaces, releases, v: _, ...rest } = state;
  const checkpoint = parseBase64(note);
  const head = parseCheckpoint(parseNote(checkpoint).text);
  if (head.origin !== origin) refuse(`${what}: its checkpoint is of ${head.origin}`);
  namespaces.forEach((namespace, i) => {
    formatHead(namespace.head);
    if (i > 0 && namespaces[i - 1]!.head.namespace >= namespace.head.namespace) {
      refuse(`${what}: its namespaces must be in order, each once`);
    }
  });
  for (const key of Object.keys(releases)) {
    if (releaseKey(parseReleaseName(key)) !== key) {
      refuse(`${what}: its releases must be named in lower case`);
    }
  }
  return {
    origin,
    checkpoint,
    fold: { namespaces, releases: new Map(Object.entries(releases)), ...rest },
  };
}

function refuse(why: string): never {
  throw new CodedError('bad-document', why);
}
