/**
 * Who reads. Most of what is published is everybody's, so nobody is asked for a token before it is
 * known that one is needed; but one that is shown must be good, and a pull token reads the
 * repositories that it names and no other. Who is refused, here or by what is read, hears where a token is to be had (Distribution Registry, "Token Authentication
 * Specification", "How to authenticate"; RFC 6750, section 3). Who has shown one is counted by
 * it, and not with all the others behind one address.
 */
import type { Request, RequestHandler, Response } from 'express';
import { CodedError, isCoded } from '../../core/error.ts';
import { formatModel, type Model } from '../../core/release/name.ts';
import type { TokenKey } from '../../keyring/jwt.ts';
import { openPullToken, type PullClaims } from '../../keyring/pull-token.ts';
import type { Caller, WhoReads } from '../../registry/registry.ts';
import type { Authenticator } from '../auth.ts';
import { addressOf, type RateLimits } from '../rate-limits.ts';
import { notesOf } from '../request-log.ts';
import { tokenIn } from './credentials.ts';
import { noteChallenge } from './failure.ts';
import { modelOrUndefined, pullScope } from './scope.ts';
import { TOKEN_PATH } from './token.ts';

export interface AccessParts {
  readonly auth: Authenticator;
  readonly tokens: TokenKey;
  readonly rates: RateLimits;
  readonly clock: () => number;
  /** How clients reach the server, without a final `/`. */
  readonly url: string;
}

/** Who has shown a good token. */
interface Reader {
  /** Undefined for anybody's. */
  readonly tokenId: string | undefined;
  readonly caller: Caller | undefined;
  /** What alone it reads; undefined for all. */
  readonly repositories?: ReadonlySet<string>;
}

const callers = new WeakMap<Response, Caller>();

/** Who reads, once `ociAccess` has let them in. */
export function readerOf(response: Response): WhoReads {
  return async () => callers.get(response);
}

/** Stands in front of the routes of `/v2`. Throws `not-authorised` with a challenge, and `rate-limited`. */
export function ociAccess({ auth, tokens, rates, clock, url }: AccessParts): RequestHandler {
  async function open(token: string): Promise<Reader> {
    const pull = await openPullToken(tokens, token, clock());
    if (pull === undefined) {
      const caller = await auth.open(token);
      return { tokenId: caller.tokenId, caller };
    }
    const { parent, repositories } = pull;
    if (parent === undefined) return { tokenId: undefined, caller: undefined, repositories };
    await auth.refuseRevoked(parent.id);
    return { tokenId: parent.id, caller: callerOf(parent), repositories };
  }

  /** Where a token is to be had, for the repository that the path leads into. */
  function challengeFor(model: Model | undefined, error?: string): string {
    const scope = model === undefined ? '' : `,scope="${pullScope(model)}"`;
    const why = error === undefined ? '' : `,error="${error}"`;
    return `Bearer realm="${url}${TOKEN_PATH}",service="${tokens.origin}"${scope}${why}`;
  }

  async function readerOf(request: Request): Promise<Reader | undefined> {
    const model = modelIn(request.path);
    const refused = (error: string, message: string) => {
      const challenge = challengeFor(model, error);
      return new CodedError('not-authorised', message, { challenge });
    };
    try {
      const token = tokenIn(request.get('authorization'));
      const reader = token === undefined ? undefined : await open(token);
      if (model === undefined || reader?.repositories?.has(formatModel(model)) !== false) {
        return reader;
      }
    } catch (error) {
      throw isCoded(error, 'not-authorised') ? refused('invalid_token', error.message) : error;
    }
    throw refused('insufficient_scope', `the token does not read ${formatModel(model)}`);
  }

  return async (request, response, next) => {
    const count = (caller = addressOf(request)) => rates.take('read', caller, request, response);
    // Whoever would write hears that nothing is written here, and needs no token to hear it.
    if (!['GET', 'HEAD'].includes(request.method)) {
      await count();
      return next();
    }
    const reader = await readerOf(request).catch(async (error: unknown) => {
      await count();
      throw error;
    });
    if (reader?.caller !== undefined) {
      notesOf(response).subject = reader.caller.subject;
      callers.set(response, reader.caller);
    }
    noteChallenge(response, challengeFor(modelIn(request.path)));
    await count(reader?.tokenId);
    next();
  };
}

/** A pull token reads for its parent, and does nothing else for it. */
function callerOf({ subject, reads }: NonNullable<PullClaims['parent']>): Caller {
  return {
    subject,
    roles: reads === undefined ? [] : ['reader'],
    namespace: reads === undefined || reads === 'all' ? undefined : reads.only,
  };
}

/** The model whose repository a path below `/v2` leads into. */
function modelIn(path: string): Model | undefined {
  const [, namespace, name] = /^\/([^/]+)\/([^/]+)\/./.exec(path) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  try {
    return modelOrUndefined(`${decodeURIComponent(namespace)}/${decodeURIComponent(name)}`);
  } catch {
    // No route will decode it either.
    return undefined;
  }
}
