/**
 * Pages for the people of a namespace: signing in and out, the token with which a page's script
 * speaks, their drafts (`draft-router.ts`), and machines that they let in (`device-router.ts`). Nothing of it is kept by anybody on its way.
 */
import { type Request, type Response, Router } from 'express';
import * as v from 'valibot';
import { CodedError, isCoded } from '../../core/error.ts';
import { parseShape } from '../../core/shape.ts';
import type { Session } from '../../keyring/session.ts';
import type { Registry } from '../../registry/registry.ts';
import { readForm } from '../body.ts';
import type { DeviceLogins } from '../device-logins.ts';
import type { ProviderSignIn } from '../provider-sign-in.ts';
import type { RateLimits } from '../rate-limits.ts';
import { named, notesOf } from '../request-log.ts';
import { requireOwnPage, type Sessions } from '../sessions.ts';
import { DRAFTS_PAGE, HOME, PAGE_TOKEN, SIGN_IN_PAGE, SIGN_OUT } from './addresses.ts';
import { deviceRouter } from './device-router.ts';
import { draftRouter } from './draft-router.ts';
import { setPageHeaders } from './headers.ts';
import { layout, type Page, type Site } from './layout.ts';
import { providerRouter } from './provider-router.ts';
import { textOf } from './query.ts';
import { confirmView, signedOutView } from './views/sign-in.ts';

/** Bytes of a form: a sign-in code is the longest that is in one. */
const MAX_FORM_BYTES = 8_192;

const signInForm = v.strictObject({ code: v.string() });

export interface PeopleParts {
  readonly registry: Registry;
  readonly sessions: Sessions;
  readonly providers: ProviderSignIn;
  readonly devices: DeviceLogins;
  readonly rates: RateLimits;
  readonly site: Site;
  readonly clock: () => number;
}

export function peopleRouter(parts: PeopleParts): Router {
  const { sessions, providers, site } = parts;
  const router = Router({ caseSensitive: true });

  const show = (response: Response, page: Page, status = 200) => {
    setPageHeaders(response);
    response.status(status).set('Cache-Control', 'no-store').type('text/html; charset=utf-8');
    response.send(layout(site, page).toString());
  };

  const signedOut = (why?: string) => signedOutView(providers.shown, why);
  router.use(providerRouter({ providers, site, show, signedOut }));

  const signedIn = async (
    request: Request,
    response: Response,
    why?: string,
  ): Promise<Session | undefined> => {
    const session = await sessions.of(request, response);
    if (session === undefined) show(response, signedOut(why), 401);
    else notesOf(response).subject = session.subject;
    return session;
  };
  router.use(draftRouter({ ...parts, show, signedIn }));
  router.use(deviceRouter({ ...parts, show, signedIn }));

  router.get(SIGN_IN_PAGE, named(SIGN_IN_PAGE), async (request, response) => {
    const code = textOf(request.query.code, MAX_FORM_BYTES);
    if (code === '') return show(response, signedOut());
    try {
      show(response, confirmView(code, await sessions.look(code)));
    } catch (error) {
      if (!isCoded(error, 'not-authorised')) throw error;
      show(response, signedOut(error.message), 401);
    }
  });

  router.post(SIGN_IN_PAGE, named(SIGN_IN_PAGE), async (request, response) => {
    requireOwnPage(request, site.url);
    const form = await readForm(request, MAX_FORM_BYTES);
    const { code } = parseShape(signInForm, form, 'the form', 'usage');
    try {
      const session = await sessions.begin(code, response);
      notesOf(response).subject = session.subject;
      response.set('Cache-Control', 'no-store').redirect(303, DRAFTS_PAGE);
    } catch (error) {
      if (!isCoded(error, 'not-authorised')) throw error;
      show(response, signedOut(error.message), 401);
    }
  });

  router.post(SIGN_OUT, named(SIGN_OUT), async (request, response) => {
    requireOwnPage(request, site.url);
    const session = await sessions.of(request, response);
    if (session !== undefined) await sessions.end(session, response);
    response.set('Cache-Control', 'no-store').redirect(303, HOME);
  });

  router.post(PAGE_TOKEN, named(PAGE_TOKEN), async (request, response) => {
    requireOwnPage(request, site.url);
    const session = await sessions.of(request, response);
    if (session === undefined) throw new CodedError('not-authorised', 'nobody is signed in');
    response.set('Cache-Control', 'no-store').json(await sessions.pageToken(session));
  });

  return router;
}
