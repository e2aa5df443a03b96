/**
 * The way to a provider and back. Whoever wants to go there posts a form, so that no link and no
 * page of a stranger sends anybody; the answer is a page that goes on by itself. A redirect would
 * do the same, were it not that Chromium holds a form's redirects to `form-action`, through
 * whatever hosts a provider sends people on to, which nobody here can know.
 */
import { type Response, Router } from 'express';
import { CodedError, type ErrorCode } from '../../core/error.ts';
import { statusOf } from '../problem.ts';
import type { ProviderSignIn } from '../provider-sign-in.ts';
import { named, notesOf } from '../request-log.ts';
import { requireOwnPage } from '../sessions.ts';
import { callbackPage, DRAFTS_PAGE, providerPage } from './addresses.ts';
import type { Page, Site } from './layout.ts';
import { onTheWayView } from './views/sign-in.ts';

/** What a person can do something about: they are told on the page with the buttons. */
const TOLD: readonly ErrorCode[] = ['not-authorised', 'network', 'conflict'];

interface Parts {
  readonly providers: ProviderSignIn;
  readonly site: Site;
  readonly show: (response: Response, page: Page, status?: number) => void;
  readonly signedOut: (why: string) => Page;
}

export function providerRouter({ providers, site, show, signedOut }: Parts): Router {
  const router = Router({ caseSensitive: true });

  const tell = (response: Response, error: unknown) => {
    if (!(error instanceof CodedError) || !TOLD.includes(error.code)) throw error;
    notesOf(response).code = error.code;
    show(response, signedOut(error.message), statusOf(error.code));
  };

  router.post(providerPage(':name'), named(providerPage('{name}')), async (request, response) => {
    requireOwnPage(request, site.url);
    const name = String(request.params.name);
    try {
      const url = await providers.begin(name, response);
      response.set('Refresh', `0; url=${url.href}`);
      show(response, onTheWayView(name, url));
    } catch (error) {
      tell(response, error);
    }
  });

  router.get(callbackPage(':name'), named(callbackPage('{name}')), async (request, response) => {
    try {
      const session = await providers.finish(String(request.params.name), request, response);
      notesOf(response).subject = session.subject;
      response.set('Cache-Control', 'no-store').redirect(303, DRAFTS_PAGE);
    } catch (error) {
      tell(response, error);
    }
  });

  return router;
}
