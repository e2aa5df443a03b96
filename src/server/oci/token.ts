/**
 * `GET /token`: the token service of OCI clients (Distribution Registry, "Token Authentication
 * Specification", "Requesting a Token"):
 *
 *     GET /token?service=weights.example&scope=repository:acme/kimi-k2:pull
 *
 * Who shows a token of this registry gets a pull token in its name, anybody else one in nobody's. It
 * grants what was asked for as far as that is pulling, and looks up nothing: an answer says of no
 * repository whether it is there.
 */
import type { Request, RequestHandler } from 'express';
import { CodedError, isCoded } from '../../core/error.ts';
import type { TokenKey } from '../../keyring/jwt.ts';
import { issuePullToken, MAX_REPOSITORIES, type Parent } from '../../keyring/pull-token.ts';
import { namespacesRead } from '../../registry/access.ts';
import type { Authenticator } from '../auth.ts';
import { StatusError } from '../problem.ts';
import { notesOf } from '../request-log.ts';
import { tokenIn } from './credentials.ts';
import { modelsToPull } from './scope.ts';

export const TOKEN_PATH = '/token';
/** The path alone: below it lie the pages of a namespace that may be older than the service. */
export const TOKEN_SERVICE = /^\/token\/?$/;

export interface TokenServiceParts {
  readonly auth: Pick<Authenticator, 'open'>;
  readonly tokens: TokenKey;
  readonly clock: () => number;
}

export function tokenService({ auth, tokens, clock }: TokenServiceParts): RequestHandler {
  /** Whose token was shown; undefined where none was. Throws `not-authorised`, with the challenge. */
  async function parentOf(request: Request): Promise<Parent | undefined> {
    try {
      const token = tokenIn(request.get('authorization'));
      if (token === undefined) return undefined;
      const caller = await auth.open(token);
      const { tokenId, subject, expires, session, ci } = caller;
      if (session === undefined && !ci) {
        return { id: tokenId, subject, expires, reads: namespacesRead(caller) };
      }
      const message = 'a token for uploads gives none to pull; pull without one, or show another';
      throw new CodedError('not-authorised', message);
    } catch (error) {
      if (!isCoded(error, 'not-authorised')) throw error;
      const challenge = `Basic realm="${tokens.origin}"`;
      throw new CodedError('not-authorised', error.message, { challenge });
    }
  }

  return async (request, response) => {
    if (!['GET', 'HEAD'].includes(request.method)) {
      response.set('Allow', 'GET, HEAD');
      throw new StatusError(405, 'usage', 'tokens to pull are asked for with GET here');
    }
    const { service = tokens.origin, scope } = request.query;
    if (service !== tokens.origin) {
      throw new CodedError(
        'usage',
        `tokens are given for ${tokens.origin} here, and no other service`,
      );
    }
    const models = modelsToPull([scope].flat().filter((one) => typeof one === 'string'));
    if (models.length > MAX_REPOSITORIES) {
      throw new CodedError('usage', `a token pulls from at most ${MAX_REPOSITORIES} repositories`);
    }
    const parent = await parentOf(request);
    if (parent !== undefined) notesOf(response).subject = parent.subject;
    const now = clock();
    const { token, seconds } = await issuePullToken(tokens, models, parent, now);
    response.set('Cache-Control', 'no-store').json({
      token,
      access_token: token,
      expires_in: seconds,
      issued_at: new Date(Math.floor(now / 1000) * 1000).toISOString(),
    });
  };
}
