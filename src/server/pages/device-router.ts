/**
 * Where a person lets a machine in that shows a code (`device-logins.ts`). A link may bring the code
 * along and changes nothing: who asks is looked up, and answered, only by forms of this page.
 */
import { type Request, type Response, Router } from 'express';
import * as v from 'valibot';
import { CodedError, isCoded } from '../../core/error.ts';
import { parseShape } from '../../core/shape.ts';
import type { Session } from '../../keyring/session.ts';
import { readForm } from '../body.ts';
import type { DeviceLogins } from '../device-logins.ts';
import { statusOf } from '../problem.ts';
import type { RateLimits } from '../rate-limits.ts';
import { named } from '../request-log.ts';
import { requireOwnPage } from '../sessions.ts';
import { DEVICE_PAGE } from './addresses.ts';
import type { Page, Site } from './layout.ts';
import { textOf } from './query.ts';
import { answeredView, codeView, letInView } from './views/device.ts';

/** Bytes of a form with a code and two words in it. */
const MAX_FORM_BYTES = 1_024;
/** Characters of a code that are looked at, with all that may stand between its letters. */
const MAX_CODE = 32;

/** A link leads here before somebody is signed in; signing in does not lead back. */
const FIRST =
  'sign in first; then come back to this address, and type the code that your machine shows';

const deviceForm = v.strictObject({
  code: v.pipe(v.string(), v.maxLength(MAX_CODE)),
  verdict: v.exactOptional(v.picklist(['let-in', 'refuse'])),
  same: v.exactOptional(v.literal('yes')),
});

export interface DeviceParts {
  readonly devices: DeviceLogins;
  readonly rates: RateLimits;
  readonly site: Site;
  readonly clock: () => number;
  readonly show: (response: Response, page: Page, status?: number) => void;
  readonly signedIn: (
    request: Request,
    response: Response,
    why: string,
  ) => Promise<Session | undefined>;
}

export function deviceRouter(parts: DeviceParts): Router {
  const { devices, rates, site, clock, show, signedIn } = parts;
  const router = Router({ caseSensitive: true });

  router.get(DEVICE_PAGE, named(DEVICE_PAGE), async (request, response) => {
    const session = await signedIn(request, response, FIRST);
    if (session === undefined) return;
    show(response, { ...codeView(textOf(request.query.code, MAX_CODE)), person: session.subject });
  });

  router.post(DEVICE_PAGE, named(DEVICE_PAGE), async (request, response) => {
    requireOwnPage(request, site.url);
    const session = await signedIn(request, response, FIRST);
    if (session === undefined) return;
    // A code is short: nobody tries many.
    await rates.take('device', session.id, request, response);
    const form = await readForm(request, MAX_FORM_BYTES);
    const asked = parseShape(deviceForm, form, 'the form', 'usage');
    try {
      show(response, { ...(await answer(session, asked)), person: session.subject });
    } catch (error) {
      if (!isCoded(error, 'not-found') && !isCoded(error, 'conflict')) throw error;
      const page = codeView('', error.message);
      show(response, { ...page, person: session.subject }, statusOf(error.code));
    }
  });

  async function answer(
    session: Session,
    { code, verdict, same }: v.InferOutput<typeof deviceForm>,
  ): Promise<Page> {
    const waiting = await devices.look(code);
    if (verdict === undefined) {
      return letInView({ waiting, grant: devices.grantOf(session, waiting), now: clock() });
    }
    const isLetIn = verdict === 'let-in';
    if (isLetIn && same !== 'yes') {
      throw new CodedError('usage', 'compare the code with the one that your machine shows, first');
    }
    await devices.answer(code, session, isLetIn);
    return answeredView(waiting, isLetIn);
  }

  return router;
}
