/** Grants access: a token, with what a person is told about it. */
import type { Namespace } from '../core/release/name.ts';
import type { TokenKey } from '../keyring/jwt.ts';
import { issueToken, type TokenRole } from '../keyring/token.ts';

/** All that an owner who is alone does: push, publish, advise. */
export const OWNER_ROLES: readonly TokenRole[] = ['owner', 'publisher', 'release-manager'];

export interface Grant {
  readonly subject: string;
  readonly roles: readonly TokenRole[];
  /** Undefined for all of them. */
  readonly namespace: Namespace | undefined;
}

export interface GrantedToken {
  readonly token: string;
  /** What `token revoke` takes. */
  readonly id: string;
  readonly subject: string;
  readonly roles: readonly TokenRole[];
  readonly namespace?: Namespace;
  readonly expires: string;
}

/** Issues a token for `seconds`; `now` in milliseconds. */
export async function grantToken(
  key: TokenKey,
  grant: Grant,
  seconds: number,
  now: number,
): Promise<GrantedToken> {
  const { token, id } = await issueToken(key, grant, seconds, now);
  const { subject, roles, namespace } = grant;
  const expires = new Date((Math.floor(now / 1000) + seconds) * 1000).toISOString();
  return { token, id, subject, roles, ...(namespace === undefined ? {} : { namespace }), expires };
}
