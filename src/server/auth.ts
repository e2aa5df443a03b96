/**
 * Who asks. A bearer token becomes a `Caller`; what that caller may do is the registry's to
 * decide. Revocations are documents in the store: every server reads one at most
 * `REVOCATION_SECONDS` after it was made, and refuses tokens when it cannot read them. Whether a
 * CI job's publisher is still trusted is read at each of its requests.
 */
import type { Request } from 'express';
import { CodedError } from '../core/error.ts';
import { formatCanonical } from '../core/json.ts';
import type { TokenKey } from '../keyring/jwt.ts';
import { openToken, type TokenClaims } from '../keyring/token.ts';
import type { Caller, Registry } from '../registry/registry.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';

/** Seconds for which a token's not being revoked is taken as known. */
export const REVOCATION_SECONDS = 30;
/** Tokens whose standing is remembered. */
const MAX_REMEMBERED = 10_000;

const BEARER = /^Bearer ([A-Za-z0-9_.-]+)$/i;

/** A caller, and the token that speaks or that opened its session: to revoke that one ends both. */
export interface Identified extends Caller {
  readonly tokenId: string;
  /** True for a session that may be renewed. */
  readonly renews: boolean;
  /** By what a CI job was let in, with its token or with the session that it opened. */
  readonly grant: string | undefined;
  /** When the token ends: seconds since 1970. */
  readonly expires: number;
}

/** Opens the tokens of requests. */
export interface Authenticator {
  /** The caller, or undefined without a token. Throws `not-authorised` for a bad one. */
  caller(request: Request): Promise<Identified | undefined>;
  /** The caller; throws `not-authorised` without one. */
  required(request: Request): Promise<Identified>;
  /** Whom a token speaks for. Throws `not-authorised` for a bad one. */
  open(token: string): Promise<Identified>;
  /** Throws `not-authorised` when the token with that id was revoked. */
  refuseRevoked(id: string): Promise<void>;
  /** Revokes the token with that id: here at once, on other servers as soon as they look. */
  revoke(id: string): Promise<void>;
}

interface AuthParts {
  readonly store: Store;
  /** The registry's own. */
  readonly tokens: TokenKey;
  readonly registry: Pick<Registry, 'trustsGrant'>;
  readonly clock: () => number;
}

export function authenticator({ store, tokens, registry, clock }: AuthParts): Authenticator {
  const standing = new Map<string, { readonly revoked: boolean; readonly readAt: number }>();

  async function isRevoked(id: string): Promise<boolean> {
    const known = standing.get(id);
    const age = known === undefined ? Number.NaN : clock() - known.readAt;
    // A clock that fell back makes it younger than it is: then it is read again.
    if (known !== undefined && age >= 0 && age < REVOCATION_SECONDS * 1000) return known.revoked;
    const revoked = (await store.size(keys.revoked(id))) !== undefined;
    remember(id, revoked);
    return revoked;
  }

  function remember(id: string, revoked: boolean): void {
    if (standing.size >= MAX_REMEMBERED) standing.clear();
    standing.set(id, { revoked, readAt: clock() });
  }

  async function revoke(id: string): Promise<void> {
    const revoked = new Date(clock()).toISOString();
    await store.create(keys.revoked(id), formatCanonical({ v: 1, revoked }));
    remember(id, true);
  }

  async function refuseRevoked(id: string): Promise<void> {
    if (await isRevoked(id)) throw new CodedError('not-authorised', 'the token was revoked');
  }

  async function requireTrusted({ grant, namespace }: TokenClaims): Promise<void> {
    if (grant === undefined || namespace === undefined) return;
    if (await registry.trustsGrant(namespace, grant)) return;
    throw new CodedError(
      'not-authorised',
      `${namespace} no longer trusts the publisher of this CI job: its token and its uploads ended with that`,
    );
  }

  async function open(token: string): Promise<Identified> {
    const claims = await openToken(tokens, token, clock());
    const { id, parent = id } = claims;
    await refuseRevoked(id);
    await refuseRevoked(parent);
    await requireTrusted(claims);
    return {
      tokenId: parent,
      renews: claims.renews,
      grant: claims.grant,
      expires: claims.expires,
      subject: claims.subject,
      roles: claims.roles,
      namespace: claims.namespace,
      ...(claims.draft === undefined ? {} : { session: claims.draft }),
      ...(claims.ci ? { ci: true } : {}),
    };
  }

  async function caller(request: Request): Promise<Identified | undefined> {
    const header = request.get('authorization');
    if (header === undefined) return undefined;
    const token = BEARER.exec(header)?.[1];
    if (token === undefined)
      throw new CodedError('not-authorised', 'the Authorization header holds no bearer token');
    return open(token);
  }

  return {
    open,
    refuseRevoked,
    revoke,
    caller,
    async required(request) {
      const found = await caller(request);
      if (found === undefined) {
        throw new CodedError(
          'not-authorised',
          'this takes a token: give one with --token or WEIGHHOUSE_TOKEN',
        );
      }
      return found;
    },
  };
}
