/**
 * Tokens: JWTs (RFC 7519) that the registry signs with its token key and alone accepts.
 *
 * A *bearer token* speaks for a subject in some roles, in one namespace or in all. An
 * *upload credential* continues one draft's uploads for up to seven days, and does nothing
 * else: a terabyte outlives a token. The two have different `typ` headers (RFC 8725,
 * section 3.11), a fixed algorithm, and `kid` is only ever compared with the known keys.
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
/** Seconds that an upload credential lasts; each call that opens the draft renews it. */
export const UPLOAD_SECONDS = 7 * 24 * 3600;
/** Characters of a token that are looked at. */
const MAX_TOKEN = 4_096;

/** What a token says once its signature, audience and time were checked. */
export interface TokenClaims {
  readonly id: string;
  readonly subject: string;
  readonly roles: readonly TokenRole[];
  readonly namespace: Namespace | undefined;
  /** Set on an upload credential. */
  readonly draft: ReleaseName | undefined;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** The registry's token key, ready for use. */
export interface TokenKey {
  readonly origin: string;
  readonly signing: Key;
  readonly verifying: Key;
}
type Key = Awaited<ReturnType<typeof importJWK>>;

/** Makes a token key of a private Ed25519 JWK. */
export async function tokenKey(origin: string, jwk: JWK): Promise<TokenKey> {
  return {
    origin,
    signing: await importJWK(jwk, ALGORITHM),
    verifying: await importJWK(publicJwk(jwk), ALGORITHM),
  };
}

const claimsSchema = v.object({
  sub: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/)),
  jti: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  exp: v.number(),
  roles: v.array(v.picklist(TOKEN_ROLES)),
  ns: v.exactOptional(v.string()),
  draft: v.exactOptional(v.string()),
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

/** Issues the credential of one draft's uploads. */
export async function issueUploadCredential(
  issuer: TokenKey,
  subject: string,
  draft: ReleaseName,
  now: number,
): Promise<{ token: string; id: string }> {
  return issue(
    issuer,
    UPLOAD,
    subject,
    { roles: [], ns: draft.namespace, draft: formatReleaseName(draft) },
    UPLOAD_SECONDS,
    now,
  );
}

/** Opens a token. Throws `not-authorised` for whatever is not wholly right. */
export async function openToken(
  issuer: TokenKey,
  token: string,
  now: number,
): Promise<TokenClaims> {
  if (token.length > MAX_TOKEN) throw refused('the token is too long');
  try {
    const { payload, protectedHeader } = await jwtVerify(token, issuer.verifying, {
      algorithms: [ALGORITHM],
      issuer: issuer.origin,
      audience: issuer.origin,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'jti', 'exp', 'iat', 'roles'],
    });
    const upload = protectedHeader.typ === UPLOAD;
    if (!upload && protectedHeader.typ !== BEARER) throw refused('the token is of another kind');
    return claimsOf(payload, upload);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (error instanceof errors.JWTExpired) throw refused('the token has expired');
    throw refused('the token is not one of this registry');
  }
}

function claimsOf(payload: JWTPayload, upload: boolean): TokenClaims {
  const claims = v.safeParse(claimsSchema, payload);
  if (!claims.success || (claims.output.draft !== undefined) !== upload)
    throw refused('the token has malformed claims');
  const { sub, jti, exp, roles, ns, draft } = claims.output;
  return {
    id: jti,
    subject: sub,
    roles,
    namespace: ns === undefined ? undefined : parseNamespace(ns),
    draft: draft === undefined ? undefined : parseReleaseName(draft),
    expires: exp,
  };
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
