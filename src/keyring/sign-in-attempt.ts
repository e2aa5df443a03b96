/**
 * What a browser keeps while its person is away at a provider: what must be known when they come
 * back, signed (`jwt.ts` says what all tokens share). Whoever comes back without it has begun
 * elsewhere, or has been sent by somebody who did.
 */
import * as v from 'valibot';
import { commonClaims, openJwt, refusedToken, signJwt, type TokenKey } from './jwt.ts';

const ATTEMPT = 'weighhouse-sign-in-attempt+jwt';
/** Seconds that somebody may be away. */
export const ATTEMPT_SECONDS = 600;

export interface Attempt {
  /** The name of the provider. */
  readonly provider: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

const attemptSchema = v.object({
  ...commonClaims,
  state: v.string(),
  nonce: v.string(),
  verifier: v.string(),
});

/** What the cookie of an attempt that begins now holds. */
export async function issueAttempt(
  issuer: TokenKey,
  { provider, ...secrets }: Attempt,
  now: number,
): Promise<string> {
  return (await signJwt(issuer, ATTEMPT, provider, { ...secrets }, ATTEMPT_SECONDS, now)).token;
}

/** Throws `not-authorised` for what is no attempt, or no longer. */
export async function openAttempt(
  issuer: TokenKey,
  cookie: string,
  now: number,
): Promise<Attempt & { readonly id: string; readonly expires: number }> {
  const { payload, typ } = await openJwt(issuer, cookie, now);
  const claims = v.safeParse(attemptSchema, payload);
  if (typ !== ATTEMPT || !claims.success) throw refusedToken('this is no attempt to sign in');
  const { sub, jti, exp, state, nonce, verifier } = claims.output;
  return { provider: sub, state, nonce, verifier, id: jti, expires: exp };
}
