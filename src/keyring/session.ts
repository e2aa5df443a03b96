/**
 * What signs a person in to the pages (`jwt.ts` says what all tokens share). Whoever has a bearer
 * token asks for a *sign-in code*, which opens one *session* within a minute; a session is what the
 * browser's cookie holds. It ends when nobody has used it for half an hour, eight hours after it
 * began, and with the token that it came from. A *page token* speaks for a session in the scripts
 * of its pages, for five minutes (`token.ts` opens it): the API knows no cookies.
 */
import * as v from 'valibot';
import { type Namespace, parseNamespace } from '../core/release/name.ts';
import { commonClaims, openJwt, refusedToken, signJwt, type TokenKey, tokenId } from './jwt.ts';
import { TOKEN_ROLES, type TokenRole } from './token.ts';

const SIGN_IN = 'weighhouse-sign-in+jwt';
const SESSION = 'weighhouse-session+jwt';

/** Seconds within which a sign-in code is used. */
export const SIGN_IN_SECONDS = 60;
/** Seconds that a session lasts when nobody uses it. */
export const IDLE_SECONDS = 30 * 60;
/** Seconds that a session lasts at most. */
export const SESSION_SECONDS = 8 * 3600;

/** For whom somebody is signed in: what the bearer token says. */
export interface Person {
  readonly subject: string;
  readonly roles: readonly TokenRole[];
  readonly namespace: Namespace | undefined;
  /** The id of the bearer token: to revoke that one ends all that came from it. */
  readonly parent: string;
}

export interface SignInCode extends Person {
  readonly id: string;
  /** Seconds since 1970, both. */
  readonly expires: number;
  readonly parentExpires: number;
}

export interface Session extends Person {
  /** The same through all renewals: to revoke it signs out. */
  readonly id: string;
  /** Seconds since 1970: when it was made or renewed, and when it ends whatever happens. */
  readonly renewed: number;
  readonly until: number;
}

const personClaims = {
  ...commonClaims,
  iat: v.number(),
  roles: v.array(v.picklist(TOKEN_ROLES)),
  ns: v.exactOptional(v.string()),
  parent: tokenId,
  /** In a code, when the bearer token ends; in a session, when that does. */
  until: v.number(),
};
const codeSchema = v.object(personClaims);
const sessionSchema = v.object({ ...personClaims, session: tokenId });

/** Issues a code for a bearer token that ends at `parentExpires`, in seconds since 1970. */
export async function issueSignInCode(
  issuer: TokenKey,
  person: Person,
  parentExpires: number,
  now: number,
): Promise<string> {
  const claims = { ...claimsOf(person), until: parentExpires };
  return (await signJwt(issuer, SIGN_IN, person.subject, claims, SIGN_IN_SECONDS, now)).token;
}

/** Throws `not-authorised`. That a code is used once, whoever opens it sees to. */
export async function openSignInCode(
  issuer: TokenKey,
  code: string,
  now: number,
): Promise<SignInCode> {
  const { payload, typ } = await openJwt(issuer, code, now);
  const claims = v.safeParse(codeSchema, payload);
  if (typ !== SIGN_IN || !claims.success) throw refusedToken('this is no sign-in code');
  const { jti, exp, until } = claims.output;
  return { ...personOf(claims.output), id: jti, expires: exp, parentExpires: until };
}

/** What the cookie of a session that is used now holds. */
export async function issueSession(
  issuer: TokenKey,
  session: Omit<Session, 'renewed'>,
  now: number,
): Promise<string> {
  const left = session.until - Math.floor(now / 1000);
  const claims = { ...claimsOf(session), session: session.id, until: session.until };
  const seconds = Math.min(IDLE_SECONDS, left);
  return (await signJwt(issuer, SESSION, session.subject, claims, seconds, now)).token;
}

/** Throws `not-authorised` for what is no session, or no longer. */
export async function openSession(issuer: TokenKey, cookie: string, now: number): Promise<Session> {
  const { payload, typ } = await openJwt(issuer, cookie, now);
  const claims = v.safeParse(sessionSchema, payload);
  if (typ !== SESSION || !claims.success) throw refusedToken('this is no session');
  const { session, iat, until } = claims.output;
  return { ...personOf(claims.output), id: session, renewed: iat, until };
}

function claimsOf({ roles, namespace, parent }: Person) {
  return { roles, parent, ...(namespace === undefined ? {} : { ns: namespace }) };
}

function personOf({ sub, roles, ns, parent }: v.InferOutput<typeof codeSchema>): Person {
  return {
    subject: sub,
    roles,
    namespace: ns === undefined ? undefined : parseNamespace(ns),
    parent,
  };
}
