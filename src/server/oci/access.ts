/**
 * Who reads. What is published is everybody's, so nobody is asked for a token; but one that is
 * shown must be good, and a pull token reads the repositories that it names and no other. Who is
 * refused hears where a token is to be had (Distribution Registry, "Token Authentication
 * Specification", "How to authenticate"; RFC 6750, section 3). Who has shown one is counted by
 * it, and not with all the others behind one address.
 */
import type { Request, RequestHandler } from 'express';
import { CodedError, isCoded } from '../../core/error.ts';
import { formatModel, type Model } from '../../core/release/name.ts';
import type { TokenKey } from '../../keyring/jwt.ts';
import { openPullToken } from '../../keyring/pull-token.ts';
import type { Authenticator } from '../auth.ts';
import { addressOf, type RateLimits } from '../rate-limits.ts';
import { notesOf } from '../request-log.ts';
import { tokenIn } from './credentials.ts';
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
  readonly subject: string | undefined;
  /** What alone it reads; undefined for all. */
  readonly repositories?: ReadonlySet<string>;
}

/** Stands in front of the routes of `/v2`. Throws `not-authorised` with a challenge, and `rate-limited`. */
export function ociAccess({ auth, tokens, rates, clock, url }: AccessParts): RequestHandler {
  async function open(token: string): Promise<Reader> {
    const pull = await openPullToken(tokens, token, clock());
    if (pull === undefined) return auth.open(token);
    const { parent, repositories } = pull;
    if (parent !== undefined) await auth.refuseRevoked(parent.id);
    return { tokenId: parent?.id, subject: parent?.subject, repositories };
  }

  async function readerOf(request: Request): Promise<Reader | undefined> {
    const model = modelIn(request.path);
    const refused = (error: string, message: string) => {
      const scope = model === undefined ? '' : `,scope="${pullScope(model)}"`;
      const challenge = `Bearer realm="${url}${TOKEN_PATH}",service="${tokens.origin}"${scope},error="${error}"`;
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
    if (reader?.subject !== undefined) notesOf(response).subject = reader.subject;
    await count(reader?.tokenId);
    next();
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
