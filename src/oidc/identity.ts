/**
 * Identity tokens: JWTs (RFC 7519) by which an issuer says who a CI job is. Read after RFC
 * 8725: the issuer must be on the server's list, and the list, not the token, says which
 * algorithms it uses and where its keys are. A `kid` is looked up in a map and nothing more;
 * a header that would bring or name a key of its own is refused.
 */
import { errors, jwtVerify } from 'jose';
import * as v from 'valibot';
import { utf8 } from '../core/bytes.ts';
import { digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { type JsonObject, parseJson } from '../core/json.ts';
import type { Identity } from '../core/release/trusted-publisher.ts';
import { parseShape } from '../core/shape.ts';
import type { Network } from './address.ts';
import type { TrustedIssuer } from './issuers.ts';
import { type IssuerKey, KeySet } from './key-set.ts';

/** Seconds by which an issuer's clock may differ from ours. */
export const SKEW_SECONDS = 30;
/** Seconds that a token may be good for: what lives for days is no identity of a job. */
export const MAX_LIFETIME_SECONDS = 3_600;
/** Characters of a token. */
export const MAX_IDENTITY_TOKEN = 16_384;

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;
const LIMITS = { maxBytes: MAX_IDENTITY_TOKEN, maxDepth: 8 };

/**
 * All that a header may hold. Whatever would bring a key along or name a place to get one
 * (`jwk`, `jku`, `x5c`, `x5u`), and whatever would change how the rest is read (`crit`,
 * `b64`, `zip`), is not among it. `x5t` is a mere label, which some issuers set.
 */
const headerShape = v.strictObject({
  alg: v.string(),
  kid: v.pipe(v.string(), v.maxLength(512)),
  typ: v.exactOptional(
    v.pipe(v.string(), v.toLowerCase(), v.picklist(['jwt', 'at+jwt', 'application/at+jwt'])),
  ),
  x5t: v.exactOptional(v.string()),
  'x5t#S256': v.exactOptional(v.string()),
});

const claimsShape = v.looseObject({
  iss: v.string(),
  sub: v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)),
  // RFC 7519 has lists, too; a token that is for many is not for us.
  aud: v.string(),
  exp: v.number(),
  iat: v.number(),
  nbf: v.exactOptional(v.number()),
  jti: v.exactOptional(v.string()),
});

/** A token as it says of itself, before anything of it is believed. */
interface UnverifiedToken {
  readonly header: v.InferOutput<typeof headerShape>;
  readonly claims: v.InferOutput<typeof claimsShape>;
  readonly json: JsonObject;
  /** What the signature is over (RFC 7515, section 5.1). */
  readonly signed: string;
}

export interface Identities {
  /** Opens an identity token. Throws `not-authorised` for whatever is not wholly right, `network` when its issuer cannot be asked. */
  open(token: string, now: number): Promise<Identity>;
}

/** The identities that these issuers may vouch for. */
export function openIdentities(
  host: Pick<Host, 'sha256'>,
  issuers: readonly TrustedIssuer[],
  network: Network,
): Identities {
  const trusted = new Map(
    issuers.map((it) => [it.issuer, { ...it, keys: new KeySet(it, network) }]),
  );
  return {
    async open(token, now) {
      const unverified = readToken(token);
      const { header, claims } = unverified;
      const issuer = trusted.get(claims.iss);
      if (issuer === undefined) throw refused('its issuer is not trusted here');
      const key = await issuer.keys.find(header.kid, now);
      // The key's algorithm is the issuer's; what the token says must be the same.
      if (key?.algorithm !== header.alg) throw refused('its issuer has no such key');
      await verify(token, key, issuer.issuer, now);
      requireShortLife(claims);
      return {
        issuer: claims.iss,
        audience: claims.aud,
        subject: claims.sub,
        claims: unverified.json,
        expires: Math.ceil(claims.exp),
        fingerprint: fingerprintOf(host, unverified),
      } as Identity;
    },
  };
}

/** Strictly: a name that stands twice would mean one thing here and another elsewhere. */
function readToken(token: string): UnverifiedToken {
  const parts = token.length > MAX_IDENTITY_TOKEN ? null : COMPACT.exec(token);
  if (parts === null) throw refused('it is no signed JWT');
  const [header, json] = [parts[1]!, parts[2]!].map(readPart) as [JsonObject, JsonObject];
  return {
    header: shaped(headerShape, header, 'its header'),
    claims: shaped(claimsShape, json, 'its claims'),
    json,
    signed: `${parts[1]}.${parts[2]}`,
  };
}

function readPart(part: string): unknown {
  try {
    return parseJson(new Uint8Array(Buffer.from(part, 'base64url')), 'the token', LIMITS);
  } catch {
    throw refused('it is malformed');
  }
}

function shaped<T>(shape: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  return parseShape(shape, value, `the identity token is refused: ${what}`, 'not-authorised');
}

async function verify(
  token: string,
  { key, algorithm }: IssuerKey,
  issuer: string,
  now: number,
): Promise<void> {
  try {
    await jwtVerify(token, key, {
      algorithms: [algorithm],
      issuer,
      currentDate: new Date(now),
      clockTolerance: SKEW_SECONDS,
      maxTokenAge: MAX_LIFETIME_SECONDS,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
    });
  } catch (error) {
    throw refused(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${error.claim} is wrong`;
  return 'its signature is not its issuer’s';
}

function requireShortLife({ exp, iat }: UnverifiedToken['claims']): void {
  if (exp - iat <= MAX_LIFETIME_SECONDS) return;
  throw refused(`it is good for more than ${MAX_LIFETIME_SECONDS / 60} minutes`);
}

/** An issuer's `jti` names a token; one without is named by all that was signed. */
function fingerprintOf(
  host: Pick<Host, 'sha256'>,
  { claims: { iss, jti }, signed }: UnverifiedToken,
) {
  const named = jti === undefined ? ['signed', signed] : ['jti', jti];
  return digestOf(host, utf8(JSON.stringify([iss, ...named])));
}

function refused(why: string): CodedError {
  return new CodedError('not-authorised', `the identity token is refused: ${why}`);
}
