/**
 * Tokens: JWTs (RFC 7519) that the registry signs with its token key and alone accepts.
 *
 * A *bearer token* speaks for a subject in some roles, in one namespace or in all. An
 * *upload credential* continues one draft's uploads for up to seven days, and does nothing
 * else: a terabyte outlives a token. A *CI token* is what a job of a trusted publisher gets:
 * it has one namespace, a quarter of an hour and no role at all; it names the entry of the
 * configuration that let the job in, as the upload credential does that it opens. Each kind has a `typ` header
 * of its own (RFC 8725, section 3.11), all of them a fixed algorithm. Several keys may be good
 * at once, while one follows upon another: a token is tried with each, and nothing in it says
 * with which.
 */
import { randomBytes } from 'node:crypto';
import { errors, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { CodedError } from '../core/error.ts';
import {
  formatReleaseName,
  type Namespace,
  parseNamespace,
  parseReleaseName,
  type ReleaseName,
} from '../core/release/name.ts';
import { ROLES, type Role } from '../core/release/roles.ts';
import { publicJwk } from './keys.ts';

/** Who may do what in the registry itself, beside the roles of a namespace. */
export const TOKEN_ROLES = [...ROLES, 'operator'] as const;
export type TokenRole = Role | 'operator';

const ALGORITHM = 'EdDSA';
const BEARER = 'weighhouse+jwt';
const UPLOAD = 'weighhouse-upload+jwt';
const CI = 'weighhouse-ci+jwt';
const KINDS: ReadonlySet<unknown> = new Set([BEARER, UPLOAD, CI]);
/** Seconds that an upload credential lasts; each call that opens the draft renews it. */
export const UPLOAD_SECONDS = 7 * 24 * 3600;
/** Seconds that an upload credential lasts when a CI job opened the draft: no job runs longer. */
export const CI_UPLOAD_SECONDS = 24 * 3600;
/** Seconds that a CI token lasts. */
export const CI_SECONDS = 15 * 60;
/** Seconds by which the clock that issued a token may be ahead of the one that opens it. */
export const TOKEN_SKEW_SECONDS = 60;
/** Characters of a token that are looked at. */
const MAX_TOKEN = 4_096;

/** What a token says once its signature, audience and time were checked. */
export interface TokenClaims {
  readonly id: string;
  /** Set on an upload credential: the id of the token that opened the draft. */
  readonly parent: string | undefined;
  /** True for an upload credential that may be exchanged for a fresh one. */
  readonly renews: boolean;
  readonly subject: string;
  readonly roles: readonly TokenRole[];
  readonly namespace: Namespace | undefined;
  /** Set on an upload credential. */
  readonly draft: ReleaseName | undefined;
  /** True for a CI token. */
  readonly ci: boolean;
  /** Set on a CI token and on an upload credential that one opened: by what the job was let in. */
  readonly grant: string | undefined;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** The registry's token keys, ready for use. They may change while a server runs. */
export interface TokenKey {
  readonly origin: string;
  readonly signing: Key;
  /** All whose tokens are good. */
  readonly verifying: readonly Key[];
}
export type Key = Awaited<ReturnType<typeof importJWK>>;

/** Makes a token key of a private Ed25519 JWK, whose own tokens alone are good. */
export async function tokenKey(origin: string, jwk: JWK): Promise<TokenKey> {
  return { origin, signing: await importTokenKey(jwk), verifying: await verifyingKeys([jwk]) };
}

/** The private half, for signing. */
export async function importTokenKey(jwk: JWK): Promise<Key> {
  return importJWK(jwk, ALGORITHM);
}

/** The public halves, for checking. */
export function verifyingKeys(jwks: readonly JWK[]): Promise<Key[]> {
  return Promise.all(jwks.map((jwk) => importJWK(publicJwk(jwk), ALGORITHM)));
}

const claimsSchema = v.object({
  sub: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/)),
  jti: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  exp: v.number(),
  roles: v.array(v.picklist(TOKEN_ROLES)),
  ns: v.exactOptional(v.string()),
  draft: v.exactOptional(v.string()),
  parent: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))),
  renews: v.exactOptional(v.literal(true)),
  grant: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{16}\.[0-9]{1,16}$/))),
});

/** Issues a bearer token; `seconds` until it expires, `now` in milliseconds. */
export async function issueToken(
  issuer: TokenKey,
  grant: {
    readonly subject: string;
    readonly roles: readonly TokenRole[];
    readonly namespace: Namespace | undefined;
  },
  seconds: number,
  now: number,
): Promise<{ token: string; id: string }> {
  const claims = {
    roles: grant.roles,
    ...(grant.namespace === undefined ? {} : { ns: grant.namespace }),
  };
  return issue(issuer, BEARER, grant.subject, claims, seconds, now);
}

/** Issues the token of a CI job, which pushes to one namespace. */
export async function issueCiToken(
  issuer: TokenKey,
  subject: string,
  { namespace, grant }: { readonly namespace: Namespace; readonly grant: string },
  now: number,
): Promise<{ token: string; id: string }> {
  return issue(issuer, CI, subject, { roles: [], ns: namespace, grant }, CI_SECONDS, now);
}

/** For whom an upload credential is issued. */
export interface Uploader {
  readonly subject: string;
  /** The id of the token that opened the draft: to revoke that one ends the credential too. */
  readonly parent: string;
  /**
   * By what a CI job was let in. Its credential ends with that, and in any case sooner, and is
   * not renewed: its identity was good for one job.
   */
  readonly grant?: string | undefined;
}

/** Issues the credential of one draft's uploads; `expires` in milliseconds. */
export async function issueUploadCredential(
  issuer: TokenKey,
  { subject, parent, grant }: Uploader,
  draft: ReleaseName,
  now: number,
): Promise<{ token: string; id: string; expires: number }> {
  const seconds = grant === undefined ? UPLOAD_SECONDS : CI_UPLOAD_SECONDS;
  const claims = {
    roles: [],
    ns: draft.namespace,
    draft: formatReleaseName(draft),
    parent,
    ...(grant === undefined ? { renews: true } : { grant }),
  };
  const issued = await issue(issuer, UPLOAD, subject, claims, seconds, now);
  return { ...issued, expires: now + seconds * 1000 };
}

/** Opens a token. Throws `not-authorised` for whatever is not wholly right. */
export async function openToken(
  issuer: TokenKey,
  token: string,
  now: number,
): Promise<TokenClaims> {
  if (token.length > MAX_TOKEN) throw refused('the token is too long');
  try {
    const { payload, protectedHeader } = await verifyByAny(issuer, token, now);
    requireIssued(payload, now);
    const { typ } = protectedHeader;
    if (!KINDS.has(typ)) throw refused('the token is of another kind');
    return claimsOf(payload, typ);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (error instanceof errors.JWTExpired) throw refused('the token has expired');
    throw refused('the token is not one of this registry');
  }
}

/** Tries each key; what a good signature says wrongly is not tried again. */
async function verifyByAny({ origin, verifying }: TokenKey, token: string, now: number) {
  for (const key of verifying) {
    try {
      return await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: origin,
        audience: origin,
        currentDate: new Date(now),
        requiredClaims: ['sub', 'jti', 'exp', 'iat', 'roles'],
      });
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw refused('the token is not one of this registry');
}

/** To a clock that fell back, what has expired would be good again: it knows nothing newer than itself. */
function requireIssued({ iat = 0 }: JWTPayload, now: number): void {
  if (iat * 1000 <= now + TOKEN_SKEW_SECONDS * 1000) return;
  throw refused(
    'the token is of the future: this server’s clock, or the one it was made by, is wrong',
  );
}

function claimsOf(payload: JWTPayload, kind: unknown): TokenClaims {
  const claims = v.safeParse(claimsSchema, payload);
  if (!claims.success || !isOfKind(claims.output, kind))
    throw refused('the token has malformed claims');
  const { sub, jti, exp, roles, ns, draft, parent, renews, grant } = claims.output;
  return {
    id: jti,
    parent,
    renews: renews === true,
    subject: sub,
    roles,
    namespace: ns === undefined ? undefined : parseNamespace(ns),
    draft: draft === undefined ? undefined : parseReleaseName(draft),
    ci: kind === CI,
    grant,
    expires: exp,
  };
}

/**
 * Only an upload credential has a draft and a parent, and is renewed unless a CI job opened it; a
 * CI token has a namespace, a grant, and no role whatever it says.
 */
function isOfKind(claims: v.InferOutput<typeof claimsSchema>, kind: unknown) {
  const { draft, parent, ns, roles, grant, renews } = claims;
  const isUpload = kind === UPLOAD;
  const isOfCi = kind === CI || (isUpload && renews !== true);
  if ((grant !== undefined) !== isOfCi) return false;
  if ((draft !== undefined) !== isUpload || (parent !== undefined) !== isUpload) return false;
  return kind !== CI || (ns !== undefined && roles.length === 0);
}

async function issue(
  issuer: TokenKey,
  typ: string,
  subject: string,
  claims: JWTPayload,
  seconds: number,
  now: number,
): Promise<{ token: string; id: string }> {
  const id = randomBytes(16).toString('hex');
  const issuedAt = Math.floor(now / 1000);
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, typ })
    .setIssuer(issuer.origin)
    .setAudience(issuer.origin)
    .setSubject(subject)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(issuer.signing);
  return { token, id };
}

function refused(why: string): CodedError {
  return new CodedError('not-authorised', why);
}
