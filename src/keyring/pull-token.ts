/**
 * Pull tokens: what `GET /token` gives to OCI clients (Distribution Registry, "Token Authentication
 * Specification" and "Token Scope"). One reads the repositories that it names, for five minutes at
 * most, and opens nothing else of the registry. `access` is the specification's:
 *
 *     "access": [{ "type": "repository", "name": "acme/kimi-k2", "actions": ["pull"] }]
 *
 * Who had a token of the registry to show is its subject, and that one its parent: the pull token
 * ends with it, in time and when it is revoked. One without a parent is anybody's. Where the bytes
 * are for readers alone, it reads what its parent may read: in the namespace of `reads`, in all with
 * `*`, in none without it.
 */
import * as v from 'valibot';
import { formatModel, type Model, type Namespace, parseNamespace } from '../core/release/name.ts';
import { commonClaims, openJwt, refusedToken, signJwt, type TokenKey, tokenId } from './jwt.ts';

const PULL = 'weighhouse-pull+jwt';
/** The subject of a pull token that anybody may have. */
const ANYBODY = 'anybody';
const EVERYWHERE = '*';
/** Seconds that a pull token lasts; less where its parent ends sooner. */
export const PULL_TOKEN_SECONDS = 300;
/** Repositories of one token: of the longest names, these are as many as a token has room for. */
export const MAX_REPOSITORIES = 16;

/** The token that was shown for a pull token. */
export interface Parent {
  readonly id: string;
  readonly subject: string;
  /** Seconds since 1970. */
  readonly expires: number;
  /** Where it speaks for a reader; undefined for nowhere. */
  readonly reads: Reads | undefined;
}

export type Reads = 'all' | { readonly only: Namespace };

/** What a pull token says once its signature, audience and time were checked. */
export interface PullClaims {
  /** Of whom; undefined for anybody. */
  readonly parent: Pick<Parent, 'id' | 'subject' | 'reads'> | undefined;
  /** `namespace/name` of what it reads. */
  readonly repositories: ReadonlySet<string>;
}

const claimsSchema = v.object({
  ...commonClaims,
  parent: v.exactOptional(tokenId),
  reads: v.exactOptional(v.pipe(v.string(), v.regex(/^(?:\*|[a-z0-9._-]{1,96})$/))),
  access: v.pipe(
    v.array(
      v.object({
        type: v.literal('repository'),
        name: v.string(),
        actions: v.strictTuple([v.literal('pull')]),
      }),
    ),
    v.maxLength(MAX_REPOSITORIES),
  ),
});

/** Issues a pull token for at most `MAX_REPOSITORIES` models; `now` in milliseconds. */
export async function issuePullToken(
  issuer: TokenKey,
  models: readonly Model[],
  parent: Parent | undefined,
  now: number,
): Promise<{ token: string; seconds: number }> {
  const left = parent === undefined ? PULL_TOKEN_SECONDS : parent.expires - Math.floor(now / 1000);
  const seconds = Math.min(PULL_TOKEN_SECONDS, left);
  const claims = {
    access: models.map((model) => {
      return { type: 'repository', name: formatModel(model), actions: ['pull'] };
    }),
    ...(parent === undefined ? {} : { parent: parent.id }),
    ...(parent?.reads === undefined ? {} : { reads: formatReads(parent.reads) }),
  };
  const { token } = await signJwt(issuer, PULL, parent?.subject ?? ANYBODY, claims, seconds, now);
  return { token, seconds };
}

/**
 * Opens a pull token; undefined for a token of ours that is of another kind. Throws
 * `not-authorised` for whatever is not wholly right.
 */
export async function openPullToken(
  issuer: TokenKey,
  token: string,
  now: number,
): Promise<PullClaims | undefined> {
  const { payload, typ } = await openJwt(issuer, token, now);
  if (typ !== PULL) return undefined;
  const claims = v.safeParse(claimsSchema, payload);
  if (!claims.success) throw refusedToken('the token has malformed claims');
  const { sub, parent, reads, access } = claims.output;
  return {
    parent:
      parent === undefined
        ? undefined
        : { id: parent, subject: sub, reads: reads === undefined ? undefined : parseReads(reads) },
    repositories: new Set(access.map(({ name }) => name)),
  };
}

function formatReads(reads: Reads): string {
  return reads === 'all' ? EVERYWHERE : reads.only;
}

function parseReads(text: string): Reads {
  return text === EVERYWHERE ? 'all' : { only: parseNamespace(text) };
}
