/** The Express application: what is mounted where, and the defences that hold for all of it. */
import express, { type Express, type Request, type Response, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { CodedError } from '../core/error.ts';
import { formatModel, parseModel } from '../core/release/name.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { FollowingCatalogue } from '../index/open.ts';
import type { TokenKey } from '../keyring/token.ts';
import type { LogReader } from '../log/reader.ts';
import type { Identities } from '../oidc/identity.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/contract.ts';
import { decisionEndpoints } from './api/decisions.ts';
import { draftEndpoints } from './api/drafts.ts';
import { API_PATH, type Endpoint, endpoint, mount, param } from './api/endpoint.ts';
import { namespaceEndpoints } from './api/namespaces.ts';
import { policyEndpoints } from './api/policies.ts';
import { publishedOf, releaseEndpoints, releasesOf } from './api/releases.ts';
import { tokenEndpoint } from './api/token.ts';
import { authenticator } from './auth.ts';
import { refuseBacklog } from './backlog.ts';
import { type ContentSender, contentSender } from './content.ts';
import { type Hosts, refuseForeignHosts } from './hosts.ts';
import { logRouter } from './log.ts';
import type { Metrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { problemHandler } from './problem.ts';
import { logRequests, named } from './request-log.ts';
import { type PublicConfig, WELL_KNOWN_PATH, wellKnownRouter } from './well-known.ts';

export interface AppParts {
  readonly registry: Registry;
  readonly catalogue: FollowingCatalogue;
  readonly log: LogReader;
  readonly store: Store;
  readonly tokens: TokenKey;
  /** Opens the identity tokens of CI jobs. */
  readonly identities: Identities;
  /** Hashes content before it is sent; apart from the registry's own, so that no reader waits for a seal. */
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  /** Hosts that are answered to; undefined for all. */
  readonly hosts: Hosts | undefined;
  readonly config: PublicConfig;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Why the server cannot take writes now, in one sentence; undefined when it can. */
  readonly unready: () => Promise<string | undefined>;
}

export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  // One spelling for each route; Express would take /API/v1 for /api/v1.
  app.set('case sensitive routing', true);
  app.use(logRequests(parts.logger, parts.metrics.request));
  app.use(securityHeaders());
  app.use(refuseForeignHosts(parts.hosts));
  app.use(healthRouter(parts));
  app.use(refuseBacklog());
  app.use(WELL_KNOWN_PATH, wellKnownRouter(parts.store, parts.log, parts.config));
  app.use('/log', logRouter(parts.log));
  app.use(API_PATH, apiRouter(parts));
  app.get('/:namespace/:name', named('/{namespace}/{name}'), showModel(parts.catalogue));
  app.use(() => {
    throw new CodedError('not-found', 'there is nothing here');
  });
  app.use(problemHandler(parts.logger));
  return app;
}

/** A model's address, which `publish` prints, leads to what the API says of it. */
function showModel(catalogue: FollowingCatalogue) {
  return async (request: Request, response: Response): Promise<void> => {
    const { namespace, name } = request.params;
    const model = parseModel(`${String(namespace)}/${String(name)}`);
    await releasesOf(model, catalogue, 1);
    response.redirect(303, `${API_PATH}/releases/${formatModel(model)}`);
  };
}

/** Nothing here is a page: no script, no frame, no form. Weights and JSON may be read from any origin. */
function securityHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
}

function apiRouter(parts: AppParts): Router {
  const router = Router({ caseSensitive: true });
  const catchUp = () =>
    parts.catalogue.catchUp().catch((error: unknown) => {
      parts.logger.warn({ err: error }, 'the index could not catch up and tries again');
    });
  const sender = contentSender(parts.hashing);
  const endpoints: readonly Endpoint[] = [
    ...draftEndpoints(parts.registry, parts.tokens, parts.clock, catchUp),
    ...decisionEndpoints(parts.registry),
    ...namespaceEndpoints(parts.registry, catchUp),
    ...policyEndpoints(parts.registry, catchUp),
    ...releaseEndpoints(parts.registry, parts.catalogue, sender),
    contentEndpoint(parts, sender),
    tokenEndpoint(parts),
  ];
  const description = describeApi(endpoints, parts.config.url + API_PATH);
  router.get('/openapi.json', named(`${API_PATH}/openapi.json`), (_request, response) => {
    response.set('Cache-Control', 'public, max-age=60').json(description);
  });
  mount(router, endpoints, authenticator(parts.store, parts.tokens, parts.clock));
  return router;
}

/** GET of a file; Express answers HEAD through it, too. */
function contentEndpoint({ registry, catalogue }: AppParts, sender: ContentSender): Endpoint {
  return endpoint({
    method: 'get',
    path: '/releases/{namespace}/{name}/{version}/files/{*path}',
    id: 'content',
    summary: 'The bytes of a published file; takes one Range',
    token: 'none',
    produces: 'application/octet-stream',
    async run(call) {
      const content = await registry.content(
        await publishedOf(call, catalogue),
        param(call, 'path'),
      );
      await sender.send(call.request, call.response, content);
    },
  });
}

function healthRouter({ metrics, unready }: AppParts): Router {
  const router = Router({ caseSensitive: true });
  router.get('/livez', named('/livez'), (_request, response) => {
    response.set('Cache-Control', 'no-store').type('text/plain').send('alive\n');
  });
  router.get('/readyz', named('/readyz'), async (_request, response) => {
    const reason = await unready();
    response
      .status(reason === undefined ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .type('text/plain')
      .send(`${reason ?? 'ready'}\n`);
  });
  router.get('/metrics', named('/metrics'), async (_request, response) => {
    response
      .set('Cache-Control', 'no-store')
      .type(metrics.registry.contentType)
      .send(await metrics.registry.metrics());
  });
  return router;
}
