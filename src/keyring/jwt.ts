/**
 * The registry's JWTs (RFC 7519), whatever they say: signed with its token key by a fixed
 * algorithm, with its name as issuer and audience, an id, and a second in which they end. Each kind
 * has a `typ` header of its own (RFC 8725, section 3.11). Several keys may be good at once, while
 * one follows upon another: a token is tried with each, and nothing in it says with which.
 */
import { randomBytes } from 'node:crypto';
import { errors, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { CodedError } from '../core/error.ts';
import { publicJwk } from './keys.ts';

const ALGORITHM = 'EdDSA';
/** Seconds by which the clock that issued a token may be ahead of the one that opens it. */
export const TOKEN_SKEW_SECONDS = 60;
/** Characters of a token that are looked at. */
export const MAX_TOKEN = 4_096;

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

/** The id of a token, by which it is revoked. */
export const tokenId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
/** The claims of every kind. */
export const commonClaims = {
  sub: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/)),
  jti: tokenId,
  exp: v.number(),
};

/** Signs a token; `seconds` until it expires, `now` in milliseconds. */
export async function signJwt(
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

/** What a token says, and of which kind it is. Throws `not-authorised` for one that is not ours, or not now. */
export async function openJwt(
  issuer: TokenKey,
  token: string,
  now: number,
): Promise<{ payload: JWTPayload; typ: string | undefined }> {
  if (token.length > MAX_TOKEN) throw refusedToken('the token is too long');
  const { payload, protectedHeader } = await verifyByAny(issuer, token, now);
  requireIssued(payload, now);
  return { payload, typ: protectedHeader.typ };
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
        requiredClaims: ['sub', 'jti', 'exp', 'iat'],
      });
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refusedToken('the token has expired');
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
    }
  }
  throw refusedToken('the token is not one of this registry');
}

/** To a clock that fell back, what has expired would be good again: it knows nothing newer than itself. */
function requireIssued({ iat = 0 }: JWTPayload, now: number): void {
  if (iat * 1000 <= now + TOKEN_SKEW_SECONDS * 1000) return;
  throw refusedToken(
    'the token is of the future: this server’s clock, or the one it was made by, is wrong',
  );
}

export function refusedToken(why: string): CodedError {
  return new CodedError('not-authorised', why);
}
