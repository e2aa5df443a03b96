/**
 * Pages for people, made on the server: whole without a script, and with one they check
 * themselves in the reader's browser. Everything on them is public.
 */
import { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { CodedError } from '../../core/error.ts';
import { parseModel, parseNamespace, RESERVED_NAMESPACES } from '../../core/release/name.ts';
import { parsePolicy } from '../../core/release/policy.ts';
import type { DeviceLogins } from '../device-logins.ts';
import type { ApiDescription } from '../openapi.ts';
import { beginRefusal, failureHandler, OURS, sendProblem } from '../problem.ts';
import type { ProviderSignIn } from '../provider-sign-in.ts';
import type { RateLimits } from '../rate-limits.ts';
import { idOf } from '../request-log.ts';
import type { Sessions } from '../sessions.ts';
import { API_PAGE, OWN_PAGES } from './addresses.ts';
import { addAdvisoryPages } from './advisory-pages.ts';
import { type Assets, ownAssets } from './assets.ts';
import { addCrawlerFiles } from './crawlers.ts';
import { addFeeds } from './feed-pages.ts';
import { setPageHeaders } from './headers.ts';
import { layout, type Site } from './layout.ts';
import { addLogPages, type LogPageParts } from './log-pages.ts';
import { releaseOf } from './page.ts';
import { peopleRouter } from './people-router.ts';
import { pageOf, textOf, wholeOf } from './query.ts';
import { pageAdder } from './send.ts';
import { Shown, type ShownParts } from './shown.ts';
import { addStatusPage, type StatusPageParts } from './status-page.ts';
import { apiView } from './views/api.ts';
import { failureView } from './views/failure.ts';
import { filesView } from './views/files.ts';
import { homeView } from './views/home.ts';
import { modelView } from './views/model.ts';
import { namespaceView } from './views/namespace.ts';
import { releaseView } from './views/release.ts';
import { addWeightsPages } from './weights-pages.ts';

/** Models of a page of a list. */
const MODELS_A_PAGE = 50;

export interface PageParts extends ShownParts, LogPageParts, StatusPageParts {
  /** The registry's origin. */
  readonly origin: string;
  /** What the API says of itself. */
  readonly api: ApiDescription;
  readonly logger: Logger;
  readonly sessions: Sessions;
  readonly providers: ProviderSignIn;
  readonly devices: DeviceLogins;
  readonly rates: RateLimits;
}

export interface Pages {
  readonly router: Router;
  /** Tells people of a failure in a page, and all others as the rest of the registry does. */
  readonly failure: ErrorRequestHandler;
}

export function makePages(parts: PageParts, assets: Assets = ownAssets()): Pages {
  const { origin, url, logger } = parts;
  const site: Site = { origin, url, asset: assets.address };
  return {
    router: pageRouter(parts, site, assets),
    failure: failureHandler(logger, sendFailure(site)),
  };
}

function pageRouter(parts: PageParts, site: Site, assets: Assets): Router {
  const { registry, catalogue, origin } = parts;
  const router = Router({ caseSensitive: true });
  const shown = new Shown(parts);
  const page = pageAdder(router, site);

  router.use(assets.router());
  router.use(peopleRouter({ ...parts, site }));

  page('/', ({ query }) => {
    const words = textOf(query.q);
    const models = catalogue.models({
      limit: MODELS_A_PAGE,
      ...(words === '' ? {} : { text: words }),
      ...wholeOf('before', query.before),
    });
    return homeView({ origin, models, size: catalogue.size(), query: words, next: nextOf(models) });
  });

  addLogPages(page, parts);
  addAdvisoryPages(page, parts);
  addStatusPage(page, parts);
  const api = apiView(parts.api);
  page(API_PAGE, () => api);
  addFeeds(router, site, parts);
  addCrawlerFiles(router, site, parts);

  router.use(OWN_PAGES, () => {
    throw new CodedError('not-found', 'there is no such page');
  });

  // A name that no namespace may have is the beginning of somebody else's path.
  router.param('namespace', (_request, _response, next, name: string) => {
    const isReserved = RESERVED_NAMESPACES.has(name.toLowerCase());
    next(isReserved ? new CodedError('not-found', 'there is nothing here') : undefined);
  });

  page('/:namespace', async ({ params, query }) => {
    const namespace = parseNamespace(String(params.namespace));
    const { index, policy } = await registry.policy(namespace);
    const models = catalogue.models({
      namespace,
      limit: MODELS_A_PAGE,
      ...wholeOf('before', query.before),
    });
    const next = nextOf(models);
    return namespaceView({
      namespace,
      lookAlike: await shown.lookAlike(namespace),
      models,
      policy: parsePolicy(policy),
      policyIndex: index,
      next,
    });
  });

  page('/:namespace/:name', async ({ params }) => {
    return modelView(await shown.model(parseModel(`${params.namespace}/${params.name}`)));
  });

  page('/:namespace/:name/:version', async (request) => {
    return releaseView(await shown.release(releaseOf(request)));
  });

  page('/:namespace/:name/:version/files', async (request) => {
    const published = await shown.published(releaseOf(request));
    return filesView({ published, page: pageOf(request.query.page) });
  });

  addWeightsPages(page, { tensors: parts.tensors, shown });

  return router;
}

/** Where the next page of models begins. */
function nextOf(models: readonly { readonly index: number }[]): number | undefined {
  return models.length === MODELS_A_PAGE ? models.at(-1)!.index : undefined;
}

function sendFailure(site: Site) {
  return (
    request: Request,
    response: Response,
    error: Parameters<typeof beginRefusal>[2],
  ): void => {
    response.vary('Accept');
    if (request.accepts(['application/problem+json', 'text/html']) !== 'text/html') {
      sendProblem(request, response, error);
      return;
    }
    const status = beginRefusal(request, response, error);
    setPageHeaders(response);
    const message = OURS[error.code] ?? error.message;
    const text = layout(site, failureView({ status, message, id: idOf(response) })).toString();
    response.type('text/html; charset=utf-8').send(text);
  };
}
