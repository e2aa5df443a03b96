/**
 * The trust root, `root.json`: which keys speak for a registry, and from when to when. It is
 * modelled on TUF's root role (theupdateframework/specification, sections 4.3 and 5.3).
 * Canonical JSON; signatures are ECDSA P-256 over the canonical bytes of `signed`:
 *
 *     {"signatures":[{"keyid":ID,"sig":BASE64}, …],
 *      "signed":{
 *        "_type":"root", "v":1,
 *        "version":1,                              each is exactly one more than the last
 *        "origin":"models.example.org",            the same in every version
 *        "issued":"2026-01-31T12:00:00.000Z", "expires":"2027-01-31T12:00:00.000Z",
 *        "keys":{ID:SPKI, …},                      the root's own keys, base64 of DER
 *        "roles":{"root":{"keyids":[ID, …],"threshold":2}},
 *        "log":[{"vkey":"models.example.org+d4c0ffee+AQ…","from":0,"to":null,"final_root":null}],
 *        "release":[{"spki":SPKI,"from":0,"to":null}],
 *        "token":[{"crv":"Ed25519","kty":"OKP","x":"…"}],
 *        "witness_policy":null,                    C2SP tlog-policy without `log` lines
 *        "max_age":3600}}                          seconds without news before a log is frozen
 *
 * ID is the lower-case hex SHA-256 of a key's DER form. Periods count in places of the log,
 * never in time: `from` is the first entry, `to` the first entry no more. Log keys follow one
 * upon the other without a gap, and of a key that has ended `final_root` says what the log
 * held when it did, so that the old key can never tell another story about those entries.
 *
 * The registry's identity is its *fingerprint*: the SHA-256 of version 1's exact bytes.
 * Which root to believe is `succession.ts`.
 */
import * as v from 'valibot';
import { compareBytes, equal, formatBase64, parseBase64, utf8 } from '../bytes.ts';
import { type Digest, digestOf } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatCanonical, type JsonLimits, type JsonObject, parseCanonical } from '../json.ts';
import { type Origin, parseOrigin } from '../log/checkpoint.ts';
import { parseTlogPolicy } from '../log/tlog-policy.ts';
import {
  formatVerifierKey,
  parseVerifierKey,
  SIGNATURE_TYPE,
  type VerifierKey,
} from '../note/key.ts';
import { base64, count, digest, hex32, instant, parseShape } from '../shape.ts';
import {
  keyId,
  parseSpki,
  parseSpkiBase64,
  SPKI_BYTES,
  type Spki,
} from '../statement/public-key.ts';
import { isSignature, MAX_SIGNATURE_BYTES } from '../statement/signature.ts';

/** A key of the log, and the tree sizes at which its checkpoints are good. */
export interface LogPeriod {
  readonly key: VerifierKey;
  readonly from: number;
  /** Where the period ended, and the root of the log there. Absent from the present key. */
  readonly end?: { readonly size: number; readonly root: Digest };
}

/** A key that signs releases, and the entries for which it may. */
export interface ReleasePeriod {
  readonly spki: Spki;
  readonly from: number;
  /** The first entry for which it may no more. */
  readonly to?: number;
}

/** The public key that tokens are checked with (RFC 8037). */
export interface TokenKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

/** What a root document says, whoever signed it. */
export interface RootDocument {
  readonly version: number;
  readonly origin: Origin;
  /** UTC, as `Date.toISOString` writes it. */
  readonly issued: string;
  readonly expires: string;
  /** How many of `keys` must sign the next version. */
  readonly threshold: number;
  readonly keys: readonly Spki[];
  /** In order; only the last has no end. */
  readonly log: readonly LogPeriod[];
  readonly release: readonly ReleasePeriod[];
  readonly token: readonly TokenKey[];
  /** C2SP tlog-policy without `log` lines, when there are witnesses. */
  readonly witnessPolicy?: string;
  /** Seconds since the newest heads entry after which the log counts as frozen. */
  readonly maxAge: number;
}

/** One signature over `rootToSign`, by the key with that ID. */
export interface RootSignature {
  readonly keyId: string;
  /** ECDSA P-256 with SHA-256, ASN.1 DER. */
  readonly signature: Uint8Array;
}

/** A root document with its signatures, none of them checked. */
export interface SignedRoot {
  readonly document: RootDocument;
  readonly signatures: readonly RootSignature[];
}

/** Keys of the root role, and of tokens. */
export const MAX_ROOT_KEYS = 16;
/** Keys that the log, or releases, may have had in the registry's whole life. */
export const MAX_PERIODS = 256;
/** Characters of the witness policy. */
export const MAX_WITNESS_POLICY_LENGTH = 32 * 1024;
/** Seconds that a log may be silent: what is used unless told otherwise, and at most. */
export const DEFAULT_MAX_AGE = 3600;
export const MAX_MAX_AGE = 30 * 24 * 3600;
export const ROOT_LIMITS: JsonLimits = { maxBytes: 512 * 1024, maxDepth: 6 };

const position = v.nullable(count);
const spkiText = base64(SPKI_BYTES);
const keyIds = v.pipe(v.array(hex32), v.minLength(1), v.maxLength(2 * MAX_ROOT_KEYS));

const rootShape = v.strictObject({
  signatures: v.pipe(
    v.array(v.strictObject({ keyid: hex32, sig: base64(MAX_SIGNATURE_BYTES) })),
    v.minLength(1, 'must hold a signature'),
    v.maxLength(2 * MAX_ROOT_KEYS),
  ),
  signed: v.strictObject({
    _type: v.literal('root'),
    v: v.literal(1),
    version: v.pipe(count, v.minValue(1)),
    origin: v.string(),
    issued: instant,
    expires: instant,
    keys: v.record(hex32, spkiText),
    roles: v.strictObject({
      root: v.strictObject({
        keyids: keyIds,
        threshold: v.pipe(count, v.minValue(1, 'must be at least 1')),
      }),
    }),
    log: v.pipe(
      v.array(
        v.strictObject({
          vkey: v.string(),
          from: count,
          to: position,
          final_root: v.nullable(digest),
        }),
      ),
      v.minLength(1),
      v.maxLength(MAX_PERIODS),
    ),
    release: v.pipe(
      v.array(v.strictObject({ spki: spkiText, from: count, to: position })),
      v.minLength(1),
      v.maxLength(MAX_PERIODS),
    ),
    token: v.pipe(
      v.array(
        v.strictObject({
          kty: v.literal('OKP'),
          crv: v.literal('Ed25519'),
          x: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)),
        }),
      ),
      v.maxLength(MAX_ROOT_KEYS),
    ),
    witness_policy: v.nullable(v.pipe(v.string(), v.maxLength(MAX_WITNESS_POLICY_LENGTH))),
    max_age: v.pipe(count, v.minValue(1), v.maxValue(MAX_MAX_AGE)),
  }),
});
type SignedJson = v.InferOutput<typeof rootShape>['signed'];

/** The bytes that root keys sign. Throws `bad-document` or `bad-policy` for a root that no reader would accept. */
export function rootToSign(host: Host, document: RootDocument): Uint8Array {
  refuseContradictions(host, document);
  return formatCanonical(documentToJson(host, document));
}

/** Parses what `rootToSign` makes: a root that nobody has signed yet. Throws as `parseRoot`. */
export function parseRootToSign(host: Host, bytes: Uint8Array, what: string): RootDocument {
  const json = parseCanonical(bytes, what, ROOT_LIMITS);
  const document = documentFromJson(host, parseShape(rootShape.entries.signed, json, what));
  if (equal(rootToSign(host, document), bytes)) return document;
  throw new CodedError('bad-document', `${what}: its key IDs are not those of its keys, in order`);
}

/** The bytes of `root.json`. Throws what `parseRoot` would throw. */
export function formatRoot(host: Host, signed: SignedRoot): Uint8Array {
  refuseContradictions(host, signed.document);
  const bytes = rootBytes(host, signed);
  parseRoot(host, bytes);
  return bytes;
}

/** Parses `root.json`. Throws `too-large`, `bad-json`, `bad-key`, `bad-name`, `bad-policy` or `bad-document`. */
export function parseRoot(host: Host, bytes: Uint8Array, what = 'root.json'): SignedRoot {
  const json = parseShape(rootShape, parseCanonical(bytes, what, ROOT_LIMITS), what);
  const document = documentFromJson(host, json.signed);
  refuseContradictions(host, document, what);
  const signatures = json.signatures.map(({ keyid, sig }) => ({
    keyId: keyid,
    signature: parseBase64(sig),
  }));
  refuseMalformedSignatures(signatures, what);
  // Key IDs, their order and the order of signatures follow from the rest.
  if (!equal(rootBytes(host, { document, signatures }), bytes)) {
    throw new CodedError(
      'bad-document',
      `${what}: its key IDs are not those of its keys, in order`,
    );
  }
  return { document, signatures };
}

/** SHA-256 of version 1's exact bytes: what people compare when they pin a registry. */
export function fingerprint(host: Host, bytes: Uint8Array): Digest {
  if (parseRoot(host, bytes).document.version !== 1) {
    throw new CodedError('bad-document', 'a fingerprint is taken of version 1 of root.json only');
  }
  return digestOf(host, bytes);
}

function rootBytes(host: Host, { document, signatures }: SignedRoot): Uint8Array {
  const sorted = signatures.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1));
  return formatCanonical({
    signatures: sorted.map(({ keyId: keyid, signature }) => ({
      keyid,
      sig: formatBase64(signature),
    })),
    signed: documentToJson(host, document),
  });
}

function documentToJson(host: Host, root: RootDocument): JsonObject {
  const keys = root.keys.map((spki) => [keyId(host, spki), formatBase64(spki)] as const);
  return {
    _type: 'root',
    v: 1,
    version: root.version,
    origin: root.origin,
    issued: root.issued,
    expires: root.expires,
    keys: Object.fromEntries(keys),
    roles: { root: { keyids: keys.map(([id]) => id).sort(), threshold: root.threshold } },
    log: root.log.map(({ key, from, end }) => ({
      vkey: formatVerifierKey(key),
      from,
      to: end?.size ?? null,
      final_root: end?.root ?? null,
    })),
    release: root.release.map(({ spki, from, to }) => ({
      spki: formatBase64(spki),
      from,
      to: to ?? null,
    })),
    token: root.token.map(({ kty, crv, x }) => ({ kty, crv, x })),
    witness_policy: root.witnessPolicy ?? null,
    max_age: root.maxAge,
  };
}

function documentFromJson(host: Host, json: SignedJson): RootDocument {
  return {
    version: json.version,
    origin: parseOrigin(json.origin),
    issued: json.issued,
    expires: json.expires,
    threshold: json.roles.root.threshold,
    keys: Object.values(json.keys).map((spki) => parseSpkiBase64(spki, 'root.json, a root key')),
    log: json.log.map(({ vkey, from, to, final_root }) => ({
      key: parseVerifierKey(host, vkey),
      from,
      ...(to === null || final_root === null ? {} : { end: { size: to, root: final_root } }),
    })),
    release: json.release.map(({ spki, from, to }) => ({
      spki: parseSpkiBase64(spki, 'root.json, a release key'),
      from,
      ...(to === null ? {} : { to }),
    })),
    token: json.token,
    ...(json.witness_policy === null ? {} : { witnessPolicy: json.witness_policy }),
    maxAge: json.max_age,
  };
}

/** What no schema can say. */
function refuseContradictions(host: Host, root: RootDocument, what = 'root.json'): void {
  const refuse = (why: string): never => {
    throw new CodedError('bad-document', `${what}: ${why}`);
  };
  if (Date.parse(root.issued) >= Date.parse(root.expires))
    refuse('it expires before it was issued');
  if (root.keys.length > MAX_ROOT_KEYS) refuse(`it has more than ${MAX_ROOT_KEYS} root keys`);
  if (root.threshold < 1 || root.threshold > root.keys.length) {
    refuse(`its threshold must be from 1 to the number of root keys, ${root.keys.length}`);
  }
  // One key in two roles, or twice in one: whoever steals the one has the other, or two votes.
  const signing = [...root.keys, ...root.release.map(({ spki }) => spki)];
  for (const spki of signing) parseSpki(spki);
  if (hasTwins(signing)) refuse('a root or release key stands in it twice');
  if (hasTwins(root.log.map(({ key }) => key.publicKey))) refuse('a log key stands in it twice');
  if (hasTwins(root.token.map(({ x }) => parseBase64Url(x)))) refuse('a token key stands twice');
  for (const { from, to } of root.release) {
    if (to !== undefined && to < from) refuse('a release key’s period ends before it begins');
  }
  refuseGaps(root, refuse);
  // Whose log it is, the root says itself, and until when.
  if (root.witnessPolicy !== undefined && namesLog(host, root.witnessPolicy)) {
    refuse('its witness policy has a log line');
  }
}

/** One log key after the other, from the first entry to the present. */
function refuseGaps(root: RootDocument, refuse: (why: string) => never): void {
  let next: number | undefined = 0;
  for (const { key, from, end } of root.log) {
    if (key.type !== SIGNATURE_TYPE.ed25519 || String(key.name) !== root.origin) {
      refuse('a log key is no Ed25519 key with the origin for its name');
    }
    if (from !== next || (end !== undefined && end.size <= from)) {
      refuse('the periods of its log keys do not follow one upon the other');
    }
    next = end?.size;
  }
  if (next !== undefined) refuse('its last log key has ended');
}

function namesLog(host: Host, witnessPolicy: string): boolean {
  return parseTlogPolicy(host, utf8(witnessPolicy)).logs.length > 0;
}

function refuseMalformedSignatures(signatures: readonly RootSignature[], what: string): void {
  const signers = new Set(signatures.map(({ keyId: id }) => id));
  if (signers.size !== signatures.length) {
    throw new CodedError('bad-document', `${what}: one key has signed it twice`);
  }
  if (!signatures.every(({ signature }) => isSignature(signature))) {
    throw new CodedError('bad-document', `${what}: a signature is no ECDSA P-256 signature in DER`);
  }
}

function hasTwins(keys: readonly Uint8Array[]): boolean {
  const sorted = keys.toSorted(compareBytes);
  return sorted.some((key, i) => i > 0 && equal(key, sorted[i - 1]!));
}

function parseBase64Url(text: string): Uint8Array {
  return parseBase64(`${text.replaceAll('-', '+').replaceAll('_', '/')}=`);
}
