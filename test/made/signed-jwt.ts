/** A token that a registry's own key signed, whatever it says. */
import { SignJWT } from 'jose';
import type { TokenKey } from '../../src/keyring/jwt.ts';

/** Good for a minute from `now`, in milliseconds, and for the registry `weights.example`. */
export function signedJwt(
  { signing }: TokenKey,
  typ: string,
  subject: string,
  claims: Readonly<Record<string, unknown>>,
  now: number,
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ })
    .setIssuer('weights.example')
    .setAudience('weights.example')
    .setSubject(subject)
    .setJti('0'.repeat(32))
    .setIssuedAt(now / 1000)
    .setExpirationTime(now / 1000 + 60)
    .sign(signing);
}
