/**
 * Log entries. Each leaf is canonical JSON (RFC 8785) `{v, kind, time, …}`, except the
 * hashedrekord of a release, which has the form that Rekor defines. `time` is set when the
 * bytes are fixed; order and validity follow the index, never the time.
 *
 * | kind           | says                                                               |
 * |----------------|--------------------------------------------------------------------|
 * | `namespace`    | a namespace begins, with its first policy, signed by owner and registry |
 * | `policy`       | a newer policy, signed by the quorum of the one before it          |
 * | `release`      | a release is published; the next leaf is its hashedrekord          |
 * | `advisory`     | a signed statement about a release: recalled, superseded, …        |
 * | `commitment`   | somebody decided something about a draft; blind until it is released |
 * | `void`         | signed: a commitment that nobody opens no longer blocks its release |
 * | `announcement` | a release is announced for a date, or postponed, in public         |
 * | `heads`        | the state of all namespaces at this point, for freshness           |
 * | `root`         | a newer trust root                                                 |
 *
 * An entry of another kind is kept and reported, not refused: newer registries write more.
 */
import * as v from 'valibot';
import { CodedError } from '../error.ts';
import { formatCanonical, type JsonObject, parseCanonical } from '../json.ts';
import { count, digest, hex32, instant, parseShape, prose, type Shape } from '../shape.ts';
import { MAX_ENTRY_BYTES } from './tile.ts';

const LIMITS = { maxBytes: MAX_ENTRY_BYTES, maxDepth: 8 };

/** What an advisory may be about. The first two bind clients and take a release manager. */
export const ADVISORIES = ['recalled', 'superseded', 'security', 'license', 'quality'] as const;
export type AdvisoryKind = (typeof ADVISORIES)[number];

/** What is said in public of a release that is not there yet. */
export const ANNOUNCEMENTS = ['announced', 'postponed'] as const;

/** Characters of an advisory's summary. */
export const MAX_SUMMARY = 2_000;

const common = { v: v.literal(1), time: instant };
const envelopes = v.pipe(v.array(digest), v.minLength(1));

const schemas = {
  namespace: v.strictObject({
    ...common,
    kind: v.literal('namespace'),
    namespace: v.string(),
    /** Digest of the policy document. */
    policy: digest,
    /** Digests of the DSSE envelopes over it. */
    signed: envelopes,
    /** The operator's word that a look-alike name is meant. */
    override: v.exactOptional(v.literal('skeleton')),
  }),
  policy: v.strictObject({
    ...common,
    kind: v.literal('policy'),
    namespace: v.string(),
    policy: digest,
    signed: envelopes,
  }),
  release: v.strictObject({
    ...common,
    kind: v.literal('release'),
    release: v.string(),
    /** D: the manifest's digest. */
    digest,
    /** ROOT of the OpenSSF model signature. */
    root: digest,
    /** Digests of the canonical DSSE envelopes in model.sig and release.dsse. */
    model_sig: digest,
    release_dsse: digest,
    /** Leaf hash of the hashedrekord at the next index. */
    record: hex32,
    /** Index of the policy that was met. */
    policy: count,
    decisions: v.exactOptional(digest),
    verdict: v.exactOptional(digest),
    intent: v.exactOptional(digest),
  }),
  advisory: v.strictObject({
    ...common,
    kind: v.literal('advisory'),
    release: v.string(),
    digest,
    advisory: v.picklist(ADVISORIES),
    summary: prose(MAX_SUMMARY),
    /** Digest of the DSSE envelope that says the same, signed. */
    statement: digest,
  }),
  commitment: v.strictObject({
    ...common,
    kind: v.literal('commitment'),
    label: hex32,
    commit: hex32,
  }),
  void: v.strictObject({
    ...common,
    kind: v.literal('void'),
    namespace: v.string(),
    label: hex32,
    /** Digest of the document that says so and why. */
    statement: digest,
    /** Digests of the DSSE envelopes over it, by as many owners as sign a policy. */
    signed: envelopes,
  }),
  announcement: v.pipe(
    v.strictObject({
      ...common,
      kind: v.literal('announcement'),
      release: v.string(),
      announcement: v.picklist(ANNOUNCEMENTS),
      /** Null: until further notice. */
      date: v.nullable(instant),
      /** Digest of the DSSE envelope that says the same, signed. */
      statement: digest,
    }),
    v.check((it) => it.announcement === 'postponed' || it.date !== null, 'announced for no date'),
  ),
  heads: v.strictObject({
    ...common,
    kind: v.literal('heads'),
    /** RFC 6962 root over the canonical heads of all namespaces, sorted by name. */
    root: digest,
    /** How many namespaces there are. */
    namespaces: count,
  }),
  root: v.strictObject({
    ...common,
    kind: v.literal('root'),
    version: v.pipe(count, v.minValue(1)),
    digest,
  }),
} as const;

type Schemas = typeof schemas;
export type EntryKind = keyof Schemas;
/** An entry of a known kind. */
export type Entry = { [K in EntryKind]: v.InferOutput<Schemas[K]> }[EntryKind];
export type EntryOf<K extends EntryKind> = Extract<Entry, { kind: K }>;

/** A leaf, as far as it is understood. */
export type ParsedEntry =
  | { readonly known: true; readonly entry: Entry }
  /** A hashedrekord (`statement/hashedrekord.ts` parses its body). */
  | { readonly known: false; readonly kind: 'hashedrekord' }
  /** A kind that this version does not know; kept and reported. */
  | { readonly known: false; readonly kind: string; readonly body: JsonObject };

/** Canonical bytes of an entry. Throws `bad-entry` or `too-large` for what no reader would accept. */
export function formatEntry(entry: Entry): Uint8Array {
  const bytes = formatCanonical(entry);
  const parsed = parseEntry(bytes);
  if (!parsed.known) throw new CodedError('internal', 'an entry was made that is not known');
  return bytes;
}

/** Parses a leaf. Throws `bad-json`, `bad-entry` or `too-large`. */
export function parseEntry(bytes: Uint8Array): ParsedEntry {
  const body = parseCanonical(bytes, 'the log entry', LIMITS);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new CodedError('bad-entry', 'the log entry is not a JSON object');
  }
  const object = body as JsonObject;
  const kind = object.kind;
  if (typeof kind !== 'string') throw new CodedError('bad-entry', 'the log entry has no kind');
  if (kind === 'hashedrekord') return { known: false, kind };
  if (!Object.hasOwn(schemas, kind)) return { known: false, kind, body: object };
  const entry = parseShape(
    schemas[kind as EntryKind] as Shape<Entry>,
    body,
    `the ${kind} entry`,
    'bad-entry',
  );
  return { known: true, entry };
}
