/**
 * `POST /token`: token exchange (RFC 8693). A CI job brings its identity token and gets one of
 * ours, which pushes to one namespace for a quarter of an hour:
 *
 *     grant_type=urn:ietf:params:oauth:grant-type:token-exchange
 *     subject_token=<the identity token>
 *     subject_token_type=urn:ietf:params:oauth:token-type:jwt      (or …:id_token)
 *     scope=push:acme
 *
 * How it refuses stands in `oauth.ts`.
 */
import type { Response } from 'express';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { isCoded } from '../../core/error.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import { count } from '../../core/shape.ts';
import type { TokenKey } from '../../keyring/jwt.ts';
import { CI_SECONDS, issueCiToken } from '../../keyring/token.ts';
import { type Identities, MAX_IDENTITY_TOKEN } from '../../oidc/identity.ts';
import type { Registry } from '../../registry/registry.ts';
import { FORM } from '../body.ts';
import { notesOf } from '../request-log.ts';
import { API_PATH, type Endpoint, endpoint } from './endpoint.ts';
import { oauthError, oauthRefusal } from './oauth.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SUBJECT_TYPES = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
] as const;
/** Bytes of a request: an identity token, and some more. */
const MAX_REQUEST = MAX_IDENTITY_TOKEN + 4_096;

/** RFC 6749, section 3.2: parameters that nobody knows are let by. */
const request = v.object({
  grant_type: v.pipe(v.string(), v.description(GRANT_TYPE)),
  subject_token: v.string(),
  subject_token_type: v.picklist(SUBJECT_TYPES),
  scope: v.pipe(v.string(), v.description('push: and the namespace')),
  audience: v.exactOptional(v.pipe(v.string(), v.description('The origin of the registry'))),
  resource: v.exactOptional(v.pipe(v.string(), v.description('The URL of the API'))),
  requested_token_type: v.exactOptional(v.literal(ACCESS_TOKEN)),
});

const answer = v.strictObject({
  access_token: v.string(),
  issued_token_type: v.literal(ACCESS_TOKEN),
  token_type: v.literal('Bearer'),
  expires_in: count,
  scope: v.string(),
});

const ERRORS = [
  'invalid_request',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'unsupported_grant_type',
] as const;

interface ExchangeParts {
  readonly registry: Registry;
  readonly identities: Identities;
  readonly tokens: TokenKey;
  readonly config: { readonly url: string };
  readonly logger: Logger;
  readonly clock: () => number;
}

export function tokenEndpoint(parts: ExchangeParts): Endpoint {
  const { registry, identities, tokens, logger, clock } = parts;
  async function exchange(asked: v.InferOutput<typeof request>, response: Response) {
    const namespace = requireExchange(asked, tokens.origin, parts.config.url + API_PATH);
    const identity = await identities.open(asked.subject_token, clock());
    const { publisher, grant } = await registry.admitIdentity(namespace, identity);
    const subject = `ci:${publisher}`;
    const { token, id } = await issueCiToken(tokens, subject, { namespace, grant }, clock());
    notesOf(response).subject = subject;
    const { issuer, subject: job } = identity;
    logger.info({ namespace, publisher, issuer, job, token: id }, 'a CI job was let in');
    return {
      access_token: token,
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: CI_SECONDS,
      scope: `push:${namespace}`,
    };
  }

  return endpoint({
    method: 'post',
    path: '/token',
    id: 'exchangeToken',
    load: 'exchange',
    rate: 'exchange',
    summary: 'Exchange a CI job’s identity token for one that pushes and seals (RFC 8693)',
    token: 'none',
    consumes: FORM,
    body: request,
    maxBodyBytes: MAX_REQUEST,
    answer,
    refusal: oauthRefusal(ERRORS),
    async run({ body, response }) {
      try {
        return await exchange(body, response);
      } catch (error) {
        if (isCoded(error, 'network') || isCoded(error, 'untrusted')) {
          logger.warn({ err: error }, 'an issuer could not be asked for its keys');
        }
        throw error;
      }
    },
  });
}

/** The namespace that is asked for; refuses every other kind of exchange. */
function requireExchange(
  { grant_type, audience, resource, scope }: v.InferOutput<typeof request>,
  origin: string,
  url: string,
): Namespace {
  if (grant_type !== GRANT_TYPE) {
    throw oauthError('unsupported_grant_type', `the only grant_type here is ${GRANT_TYPE}`);
  }
  if ((audience ?? origin) !== origin || (resource ?? url) !== url) {
    throw oauthError('invalid_target', `tokens of this registry are for ${origin} alone`);
  }
  const [, namespace] = /^push:([^ ]+)$/.exec(scope) ?? [];
  if (namespace !== undefined) return parseNamespace(namespace);
  throw oauthError('invalid_scope', 'scope must be push: and one namespace, as in push:acme');
}
