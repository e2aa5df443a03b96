/**
 * Passkeys: P-256 keys that an authenticator keeps, and uses only for the site that it made them
 * for (W3C Web Authentication, Level 3). An authenticator signs no bytes of ours, but
 *
 *     authenticatorData ‖ SHA-256(clientDataJSON)
 *
 * The first is the authenticator's own word, the second the browser's. What is to be signed stands
 * in it as the challenge: the SHA-256 of the very bytes that another key would sign, which for a
 * statement is its DSSE encoding (`toSign`).
 *
 *     authenticatorData, 37 bytes
 *       rpIdHash    32   SHA-256 of the relying party's id, a host name
 *       flags        1   0x01 somebody was there, 0x04 and was verified; 0x08, 0x10 backup
 *       signCount    4
 *     clientDataJSON, at most 1,024 bytes
 *       {"type":"webauthn.get","challenge":"3q2-7w…","origin":"https://models.example.org","crossOrigin":false}
 *
 * Both travel with the signature, as a signature extension of DSSE (envelope.md of its coming
 * version 1.1), in base64; the JSON stays the bytes that the browser wrote:
 *
 *     {"extension":{"ext":{"authenticatorData":"…","clientDataJSON":"…"},
 *                   "kind":"application/vnd.weighhouse.webauthn.v1+json"},
 *      "sig":"MEUC…"}
 *
 * Where it may have been made, the policy says with the key: one relying party's id and the exact
 * origins of its pages. What is checked are the steps of section 7.2, with these answers to what
 * it leaves open: user verification is required, frames of other origins are not taken, and
 * neither are extensions, for none was asked for. The counter is not looked at: passkeys that are
 * on several devices have none, an auditor meets signatures in no order, and a statement counts
 * once, however often it is signed or shown.
 */
import * as v from 'valibot';
import { concat, equal, formatBase64, parseBase64, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { type Json, type JsonLimits, type JsonObject, parseJson } from '../json.ts';
import { base64 } from '../shape.ts';
import { type Refusal, refusal, type Verdict } from '../verdict.ts';
import type { Spki } from './public-key.ts';

/** A passkey, and what binds it. */
export interface Passkey {
  readonly spki: Spki;
  /** The relying party's id: the host name that the authenticator keeps the key for. */
  readonly rpId: string;
  /** Origins of the pages where it signs, as browsers write them. */
  readonly origins: readonly string[];
  /** What names the key to its authenticator, in base64. */
  readonly credentialId: string;
}

/** What an authenticator answers; not yet checked. */
export interface Assertion {
  readonly authenticatorData: Uint8Array;
  readonly clientDataJSON: Uint8Array;
  /** ECDSA P-256 with SHA-256, ASN.1 DER. */
  readonly signature: Uint8Array;
}

/** Names the extension of an envelope's signature. */
export const ASSERTION_KIND = 'application/vnd.weighhouse.webauthn.v1+json';

/** Bytes of authenticator data without extensions (section 6.1). */
export const AUTHENTICATOR_DATA_BYTES = 37;
/** Bytes of client data: an origin has 270 at most, all else some 200. */
export const MAX_CLIENT_DATA_BYTES = 1_024;
const CLIENT_DATA_LIMITS: JsonLimits = { maxBytes: MAX_CLIENT_DATA_BYTES, maxDepth: 4 };

const RP_ID_HASH_BYTES = 32;
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const BACKUP_ELIGIBLE = 0x08;
const BACKED_UP = 0x10;
const KNOWN_FLAGS = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP;

export const assertionMembers = {
  authenticatorData: base64(AUTHENTICATOR_DATA_BYTES),
  clientDataJSON: base64(MAX_CLIENT_DATA_BYTES),
};

/** How an assertion stands beside its signature in an envelope. */
export const assertionExtension = v.strictObject({
  kind: v.literal(ASSERTION_KIND),
  ext: v.strictObject(assertionMembers),
});

/** Writes what `assertionExtension` reads. */
export function formatExtension({ authenticatorData, clientDataJSON }: Assertion): Json {
  return {
    kind: ASSERTION_KIND,
    ext: {
      authenticatorData: formatBase64(authenticatorData),
      clientDataJSON: formatBase64(clientDataJSON),
    },
  };
}

/** Throws `bad-envelope`, `bad-json` or `too-large` for what no authenticator and browser write. */
export function parseAssertion(
  members: { readonly authenticatorData: string; readonly clientDataJSON: string },
  signature: Uint8Array,
  what: string,
): Assertion {
  return checkedAssertion(
    {
      authenticatorData: parseBase64(members.authenticatorData),
      clientDataJSON: parseBase64(members.clientDataJSON),
      signature,
    },
    what,
  );
}

/** The assertion, if it has the form of one; throws as `parseAssertion`. */
export function checkedAssertion(assertion: Assertion, what: string): Assertion {
  const { authenticatorData, clientDataJSON } = assertion;
  if (authenticatorData.length !== AUTHENTICATOR_DATA_BYTES) {
    throw new CodedError(
      'bad-envelope',
      `${what}: its authenticator data has ${authenticatorData.length} bytes, not ${AUTHENTICATOR_DATA_BYTES}: extensions and attestations are not taken`,
    );
  }
  parseClientData(clientDataJSON, what);
  return assertion;
}

/** Was the assertion made over `data` by this passkey, at its own site (section 7.2)? */
export async function checkAssertion(
  host: Pick<Host, 'sha256' | 'verifyP256'>,
  passkey: Passkey,
  data: Uint8Array,
  { authenticatorData, clientDataJSON, signature }: Assertion,
): Promise<Verdict<object>> {
  const why =
    faultInClientData(passkey, host.sha256(data), clientDataJSON) ??
    faultInAuthenticatorData(host.sha256(utf8(passkey.rpId)), authenticatorData);
  if (why !== undefined) return refuse(why, passkey);
  const signed = concat(authenticatorData, host.sha256(clientDataJSON));
  if (await host.verifyP256(passkey.spki, signed, signature)) return { ok: true };
  return refuse('is not by the expected key', passkey);
}

/** What the browser says: that it was this challenge, at that page. */
function faultInClientData(
  { origins }: Passkey,
  challenge: Uint8Array,
  bytes: Uint8Array,
): string | undefined {
  const said = parseClientData(bytes, 'the client data');
  if (said.type !== 'webauthn.get') return 'was made for something else than to sign';
  if (said.challenge !== formatBase64Url(challenge)) return 'is over something else';
  if (typeof said.origin !== 'string' || !origins.includes(said.origin)) {
    return `was made at ${JSON.stringify(said.origin)}, not at ${origins.join(' or ')}`;
  }
  // Browsers that know no frames of other origins leave it out, and so do older ones.
  const { crossOrigin = false, topOrigin } = said;
  if (crossOrigin === false && topOrigin === undefined) return undefined;
  return 'was made in a frame of another page';
}

/** What the authenticator says: for whom it signed, and that somebody was there. */
function faultInAuthenticatorData(rpIdHash: Uint8Array, bytes: Uint8Array): string | undefined {
  if (bytes.length !== AUTHENTICATOR_DATA_BYTES) return 'has extensions, which are not taken';
  if (!equal(bytes.subarray(0, RP_ID_HASH_BYTES), rpIdHash)) {
    return 'was made for another relying party';
  }
  const flags = bytes[RP_ID_HASH_BYTES]!;
  const has = (flag: number) => (flags & flag) !== 0;
  if (!has(USER_PRESENT)) return 'was made with nobody there';
  if (!has(USER_VERIFIED)) return 'was made without verifying who was there';
  if ((flags & ~KNOWN_FLAGS) !== 0) return 'has flags that mean nothing, or extensions';
  if (has(BACKED_UP) && !has(BACKUP_ELIGIBLE)) return 'says that it is backed up and cannot be';
  return undefined;
}

/**
 * The client data as JSON, each key once: whoever checks it elsewhere may take the first or the
 * last of two. Other members are left alone, as section 5.8.1 asks.
 */
function parseClientData(bytes: Uint8Array, what: string): JsonObject {
  const json = parseJson(bytes, `${what}: its client data`, CLIENT_DATA_LIMITS);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new CodedError('bad-envelope', `${what}: its client data is no JSON object`);
}

function refuse(why: string, { rpId }: Passkey): Refusal {
  return refusal('signature-invalid', `the signature of the passkey of ${rpId} ${why}`);
}

/** base64url without padding (RFC 4648, section 5). */
function formatBase64Url(bytes: Uint8Array): string {
  return formatBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
