/**
 * Tokens that the registry issues and alone accepts (`jwt.ts` says what all of them share).
 *
 * A *bearer token* speaks for a subject in some roles, in one namespace or in all. An
 * *upload credential* continues one draft's uploads for up to seven days, and does nothing
 * else: a terabyte outlives a token. A *CI token* is what a job of a trusted publisher gets:
 * it has one namespace, a quarter of an hour and no role at all; it names the entry of the
 * configuration that let the job in, as the upload credential does that it opens. A *page token*
 * is a bearer token for the scripts of the pages that somebody has signed in to (`session.ts`), and a
 * *login token* one for a machine that they have let in from there (`login-code.ts`).
 */
import type { JWTPayload } from 'jose';
import * as v from 'valibot';
import {
  formatReleaseName,
  type Namespace,
  parseNamespace,
  parseReleaseName,
  type ReleaseName,
} from '../core/release/name.ts';
import { ROLES, type Role } from '../core/release/roles.ts';
import { commonClaims, openJwt, refusedToken, signJwt, type TokenKey, tokenId } from './jwt.ts';

/** Who may do what in the registry itself, beside the roles of a namespace. */
export const TOKEN_ROLES = [...ROLES, 'operator'] as const;
export type TokenRole = Role | 'operator';

const BEARER = 'weighhouse+jwt';
const UPLOAD = 'weighhouse-upload+jwt';
const CI = 'weighhouse-ci+jwt';
const PAGE = 'weighhouse-page+jwt';
const LOGIN = 'weighhouse-login+jwt';
const KINDS: ReadonlySet<string | undefined> = new Set([BEARER, UPLOAD, CI, PAGE, LOGIN]);
/** Seconds that an upload credential lasts; each call that opens the draft renews it. */
export const UPLOAD_SECONDS = 7 * 24 * 3600;
/** Seconds that an upload credential lasts when a CI job opened the draft: no job runs longer. */
export const CI_UPLOAD_SECONDS = 24 * 3600;
/** Seconds that a CI token lasts. */
export const CI_SECONDS = 15 * 60;
/** Seconds that a page token lasts. */
export const PAGE_SECONDS = 5 * 60;
/** Seconds that a login token lasts at most; it ends with the session that it was given from, too. */
export const LOGIN_TOKEN_SECONDS = 8 * 3600;

/** What a token says once its signature, audience and time were checked. */
export interface TokenClaims {
  readonly id: string;
  /** Set on what came from another token, or from a session: the id to revoke for all of it. */
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

const claimsSchema = v.object({
  ...commonClaims,
  roles: v.array(v.picklist(TOKEN_ROLES)),
  ns: v.exactOptional(v.string()),
  draft: v.exactOptional(v.string()),
  parent: v.exactOptional(tokenId),
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
  return signJwt(issuer, BEARER, grant.subject, claims, seconds, now);
}

/** What a token from a session says: as whom it speaks, and what it came from. */
interface SessionGrant {
  readonly subject: string;
  readonly roles: readonly TokenRole[];
  readonly namespace: Namespace | undefined;
  readonly parent: string;
}

/** Issues a page token to a session that came from the token `parent`. */
export async function issuePageToken(
  issuer: TokenKey,
  grant: SessionGrant,
  seconds: number,
  now: number,
): Promise<string> {
  return (await issueFrom(PAGE, issuer, grant, seconds, now)).token;
}

/** Issues a login token to a machine that somebody let in from a session. */
export async function issueLoginToken(
  issuer: TokenKey,
  grant: SessionGrant,
  seconds: number,
  now: number,
): Promise<{ token: string; id: string }> {
  return issueFrom(LOGIN, issuer, grant, seconds, now);
}

async function issueFrom(
  kind: string,
  issuer: TokenKey,
  { subject, roles, namespace, parent }: SessionGrant,
  seconds: number,
  now: number,
) {
  const claims = { roles, parent, ...(namespace === undefined ? {} : { ns: namespace }) };
  return signJwt(issuer, kind, subject, claims, seconds, now);
}

/** Issues the token of a CI job, which pushes to one namespace. */
export async function issueCiToken(
  issuer: TokenKey,
  subject: string,
  { namespace, grant }: { readonly namespace: Namespace; readonly grant: string },
  now: number,
): Promise<{ token: string; id: string }> {
  return signJwt(issuer, CI, subject, { roles: [], ns: namespace, grant }, CI_SECONDS, now);
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
  const issued = await signJwt(issuer, UPLOAD, subject, claims, seconds, now);
  return { ...issued, expires: now + seconds * 1000 };
}

/** Opens a token. Throws `not-authorised` for whatever is not wholly right. */
export async function openToken(
  issuer: TokenKey,
  token: string,
  now: number,
): Promise<TokenClaims> {
  const { payload, typ } = await openJwt(issuer, token, now);
  if (!KINDS.has(typ)) throw refusedToken('the token is of another kind');
  return claimsOf(payload, typ);
}

function claimsOf(payload: JWTPayload, kind: unknown): TokenClaims {
  const claims = v.safeParse(claimsSchema, payload);
  if (!claims.success || !isOfKind(claims.output, kind))
    throw refusedToken('the token has malformed claims');
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
 * Only an upload credential has a draft, and is renewed unless a CI job opened it; only that and
 * what comes from a session have a parent; a CI token has a namespace, a grant, and no role whatever it says.
 */
function isOfKind(claims: v.InferOutput<typeof claimsSchema>, kind: unknown) {
  const { draft, parent, ns, roles, grant, renews } = claims;
  const isUpload = kind === UPLOAD;
  const isOfCi = kind === CI || (isUpload && renews !== true);
  const hasParent = isUpload || kind === PAGE || kind === LOGIN;
  if ((grant !== undefined) !== isOfCi) return false;
  if ((draft !== undefined) !== isUpload || (parent !== undefined) !== hasParent) return false;
  return kind !== CI || (ns !== undefined && roles.length === 0);
}
