/** The Express application: what is mounted where, and the defences that hold for all of it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { CodedError } from '../core/error.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { FollowingCatalogue } from '../index/open.ts';
import type { TokenKey } from '../keyring/jwt.ts';
import type { LogReader } from '../log/reader.ts';
import type { Identities } from '../oidc/identity.ts';
import type { Provider } from '../oidc/sign-in/provider.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/contract.ts';
import { Admission } from './admission.ts';
import { decisionEndpoints } from './api/decisions.ts';
import { deviceEndpoints } from './api/device.ts';
import { draftEndpoints } from './api/drafts.ts';
import { API_PATH, type Doors, type Endpoint, endpoint, mount, param } from './api/endpoint.ts';
import { namespaceEndpoints } from './api/namespaces.ts';
import { policyEndpoints } from './api/policies.ts';
import { publishedOf, releaseEndpoints } from './api/releases.ts';
import { signInEndpoint } from './api/sign-in.ts';
import { tokenEndpoint } from './api/token.ts';
import { authenticator } from './auth.ts';
import { Backlog, refuseBacklog } from './backlog.ts';
import { Cards } from './cards.ts';
import { type ContentSender, contentSender } from './content.ts';
import { DeviceLogins } from './device-logins.ts';
import { type Hosts, refuseForeignHosts } from './hosts.ts';
import { sendHubFailure } from './hugging-face/failure.ts';
import { crossOrigin, HUB_LIST_PATH, HUB_PATHS } from './hugging-face/paths.ts';
import { hubRouter } from './hugging-face/router.ts';
import { logRouter } from './log.ts';
import { logFront } from './log-front.ts';
import type { Metrics } from './metrics.ts';
import { ociAccess } from './oci/access.ts';
import { sendOciFailure } from './oci/failure.ts';
import { OCI_PATH, ociRouter } from './oci/router.ts';
import { TOKEN_PATH, TOKEN_SERVICE, tokenService } from './oci/token.ts';
import { type ApiDescription, describeApi } from './openapi.ts';
import { SIGN_IN_PAGE } from './pages/addresses.ts';
import { makePages } from './pages/router.ts';
import type { ScrubPass } from './pages/status-board.ts';
import { failureHandler, problemHandler } from './problem.ts';
import { ProviderSignIn } from './provider-sign-in.ts';
import { type RateLimits, rateLimits } from './rate-limits.ts';
import { idOf, logRequests, named } from './request-log.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { Sessions } from './sessions.ts';
import { Tensors } from './tensors/tensors.ts';
import type { TrustedProxies } from './trusted-proxies.ts';
import { type PublicConfig, WELL_KNOWN_PATH, wellKnownRouter } from './well-known.ts';

/** Why a server that has been told to end is not ready. */
const LEAVING = 'the server is ending; ask another one';

/** What programs ask for: they get a problem document, whatever they accept. */
const NOT_FOR_PEOPLE = [API_PATH, '/log', WELL_KNOWN_PATH];

export interface AppParts {
  readonly registry: Registry;
  readonly catalogue: FollowingCatalogue;
  readonly log: LogReader;
  readonly store: Store;
  readonly tokens: TokenKey;
  /** Opens the identity tokens of CI jobs. */
  readonly identities: Identities;
  /** With whom people sign in to the pages; none without. */
  readonly providers?: readonly Provider[];
  /** Hashes content before it is sent; apart from the registry's own, so that no reader waits for a seal. */
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  /** Hosts that are answered to; undefined for all. */
  readonly hosts: Hosts | undefined;
  readonly config: PublicConfig;
  readonly metrics: Metrics;
  /** How much is done at once; whoever makes it lets it look at the process. */
  readonly admission?: Admission;
  /** How often one caller may ask. */
  readonly rates?: RateLimits;
  /** Seconds between two polls of a machine that waits to be let in; other than usual only in tests. */
  readonly pollSeconds?: number;
  /** Bytes that may wait for their readers; other than usual only in tests. */
  readonly maxBacklogBytes?: number;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Why the server cannot take writes now, in one sentence; undefined when it can. */
  readonly unready: () => Promise<string | undefined>;
  /** True once the server has been told to end. */
  readonly isLeaving: () => boolean;
  /** Addresses whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: TrustedProxies;
  /** How many objects of the store are damaged: the server is ready all the same, and says so. */
  readonly damaged?: () => Promise<number>;
  /** How far the scrub of the store is; undefined where none has begun. */
  readonly scrubbed?: () => Promise<ScrubPass | undefined>;
}

/** What answers the requests of a server. */
export function createApp(
  parts: AppParts,
): (request: IncomingMessage, response: ServerResponse) => void {
  const backlog = new Backlog(parts.maxBacklogBytes);
  const begin = logRequests(parts.logger, parts.metrics.http);
  const answer = logFront({ ...parts, backlog }, expressApp(parts, backlog));
  return (request, response) => {
    begin(request, response);
    answer(request, response);
  };
}

function expressApp(parts: AppParts, backlog: Backlog): Express {
  const { admission = new Admission() } = parts;
  parts.metrics.loads(() => admission.counts());
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('trust proxy', parts.trustedProxies);
  app.set('query parser', 'simple');
  // One spelling for each route; Express would take /API/v1 for /api/v1.
  app.set('case sensitive routing', true);
  app.use(commonHeaders);
  app.use(refuseForeignHosts(parts.hosts));
  app.use(healthRouter(parts, admission));
  // Before all that may refuse: a browser keeps from its script what does not say so.
  app.use(HUB_PATHS, crossOrigin);
  app.use(refuseBacklog(backlog));
  const reading = admission.middleware('read');
  const sending = admission.middleware('content');
  const rates = parts.rates ?? rateLimits();
  app.use(WELL_KNOWN_PATH, reading, wellKnownRouter(parts.store, parts.log, parts.config));
  app.use('/log', reading, logRouter(parts.log));
  const sender = contentSender(parts.hashing, parts);
  const auth = authenticator(parts);
  const { url, origin } = parts.config;
  const sessions = new Sessions({ ...parts, auth, url });
  const devices = new DeviceLogins({ ...parts, auth });
  const endpoints = apiEndpoints({ ...parts, sessions, devices }, sender);
  const api = describeApi(endpoints, url + API_PATH);
  app.use(API_PATH, apiRouter(endpoints, api, { auth, rates, admission }));
  // What other clients read is files for the most part; their lists cost what ours do.
  const counted = rates.middleware('read');
  app.get([`${OCI_PATH}/_catalog`, HUB_LIST_PATH], rates.middleware('search'));
  app.use(
    OCI_PATH,
    ociAccess({ ...parts, auth, rates, url }),
    sending,
    ociRouter({ ...parts, sender }),
  );
  const exchange = [rates.middleware('exchange'), reading, named(TOKEN_PATH)];
  app.all(TOKEN_SERVICE, exchange, tokenService({ ...parts, auth }));
  const tensors = new Tensors(parts.registry);
  const cards = new Cards(parts.registry, tensors);
  app.use(counted, sending, hubRouter({ ...parts, sender, auth, url, cards }));
  const unready = async () => admission.reason() ?? (await parts.unready());
  const providers = new ProviderSignIn({ ...parts, sessions, url });
  const people = { sessions, providers, devices, rates };
  const pages = makePages({ ...parts, ...people, unready, cards, tensors, url, origin, api });
  // What programs ask for and is not there is no page with a name that nobody may have.
  app.use(NOT_FOR_PEOPLE, nothingHere);
  app.use(SIGN_IN_PAGE, rates.middleware('exchange'));
  app.use(reading, pages.router);
  app.use(nothingHere);
  // Whatever has refused it, a client hears so in its own protocol.
  app.use([OCI_PATH, TOKEN_SERVICE], failureHandler(parts.logger, sendOciFailure));
  app.use(HUB_PATHS, failureHandler(parts.logger, sendHubFailure));
  app.use(NOT_FOR_PEOPLE, problemHandler(parts.logger));
  app.use(pages.failure);
  return app;
}

function nothingHere(): never {
  throw new CodedError('not-found', 'there is nothing here');
}

function commonHeaders(_request: Request, response: Response, next: () => void): void {
  response.setHeader('X-Request-Id', idOf(response));
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
  next();
}

function apiEndpoints(
  parts: AppParts & { sessions: Sessions; devices: DeviceLogins },
  sender: ContentSender,
): readonly Endpoint[] {
  const catchUp = () =>
    parts.catalogue.catchUp().catch((error: unknown) => {
      parts.logger.warn({ err: error }, 'the index could not catch up and tries again');
    });
  return [
    ...draftEndpoints(parts.registry, parts.tokens, parts.clock, catchUp),
    ...decisionEndpoints(parts.registry),
    ...namespaceEndpoints(parts.registry, catchUp),
    ...policyEndpoints(parts.registry, catchUp),
    ...releaseEndpoints(parts.registry, parts.catalogue, sender),
    contentEndpoint(parts, sender),
    tokenEndpoint(parts),
    signInEndpoint(parts.sessions, parts.config.url, parts.clock),
    ...deviceEndpoints(parts),
  ];
}

function apiRouter(
  endpoints: readonly Endpoint[],
  description: ApiDescription,
  doors: Doors,
): Router {
  const router = Router({ caseSensitive: true });
  router.get('/openapi.json', named(`${API_PATH}/openapi.json`), (_request, response) => {
    response.set('Cache-Control', 'public, max-age=60').json(description);
  });
  mount(router, endpoints, doors);
  return router;
}

/** GET of a file; Express answers HEAD through it, too. */
function contentEndpoint({ registry, catalogue }: AppParts, sender: ContentSender): Endpoint {
  return endpoint({
    method: 'get',
    path: '/releases/{namespace}/{name}/{version}/files/{*path}',
    id: 'content',
    load: 'content',
    rate: 'uncounted',
    summary:
      'The bytes of a published file; takes one Range, and a token where they are for readers',
    token: 'none',
    produces: 'application/octet-stream',
    async run(call) {
      const content = await registry.content(
        await publishedOf(call, catalogue),
        param(call, 'path'),
        async () => call.caller,
      );
      await sender.send(call.request, call.response, content);
    },
  });
}

function readiness(damaged: number): string {
  if (damaged === 0) return 'ready';
  return `ready; damaged objects in the store: ${damaged} (run "weighhouse repair")`;
}

/**
 * `/readyz` says whether writes may be sent here, `/readyz/reads` whether reads may. They differ
 * where the store that all servers share is full or slow: a load balancer that took every server
 * out of service for that would end the reads, too.
 */
function healthRouter(
  { metrics, unready, isLeaving, damaged = async () => 0 }: AppParts,
  admission: Admission,
): Router {
  const router = Router({ caseSensitive: true });
  const tell = (response: Response, reason: string | undefined, ready = 'ready') =>
    response
      .status(reason === undefined ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .type('text/plain')
      .send(`${reason ?? ready}\n`);
  router.get('/livez', named('/livez'), (_request, response) => {
    response.set('Cache-Control', 'no-store').type('text/plain').send('alive\n');
  });
  router.get('/readyz', named('/readyz'), async (_request, response) => {
    const reason = isLeaving() ? LEAVING : (admission.reason() ?? (await unready()));
    metrics.ready(reason === undefined);
    // Who is told no is not kept waiting by a store that does not answer.
    tell(response, reason, reason === undefined ? readiness(await damaged()) : undefined);
  });
  router.get('/readyz/reads', named('/readyz/reads'), (_request, response) => {
    tell(response, isLeaving() ? LEAVING : undefined);
  });
  router.get('/metrics', named('/metrics'), async (_request, response) => {
    response
      .set('Cache-Control', 'no-store')
      .type(metrics.registry.contentType)
      .send(await metrics.registry.metrics());
  });
  return router;
}
