/**
 * Signing in with an OpenID provider: a person goes there and comes back. What must be known then
 * lies in a cookie of the browser that went, signed and good for ten minutes; the server remembers
 * nothing but that an attempt was used up. Each provider has a callback of its own, so that what
 * one sends can never be taken for what another did (RFC 9700, section 4.4).
 */
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { CodedError, isCoded } from '../core/error.ts';
import type { TokenKey } from '../keyring/jwt.ts';
import type { Session } from '../keyring/session.ts';
import {
  ATTEMPT_SECONDS,
  type Attempt,
  issueAttempt,
  openAttempt,
} from '../keyring/sign-in-attempt.ts';
import { type Provider, reasonsOf } from '../oidc/sign-in/provider.ts';
import { callbackPage } from './pages/addresses.ts';
import { type Sessions, setCookie } from './sessions.ts';

const COOKIE = '__Host-weighhouse-sign-in';

/** Who has another browser, another button or a day-old tab hears the same. */
const NOT_BEGUN =
  'this sign-in was not begun here just now: it was begun in another browser, with another button, or more than ten minutes ago. Begin again';

interface Parts {
  readonly providers?: readonly Provider[];
  readonly sessions: Sessions;
  readonly tokens: TokenKey;
  readonly logger: Logger;
  readonly clock: () => number;
  /** How people reach the server, without a final `/`. */
  readonly url: string;
}

export class ProviderSignIn {
  readonly #parts: Parts;
  readonly #providers: ReadonlyMap<string, Provider>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#providers = new Map((parts.providers ?? []).map((each) => [each.name, each]));
  }

  /** For buttons. */
  get shown(): readonly Provider[] {
    return [...this.#providers.values()];
  }

  /** Where to send whoever wants to sign in. Throws `not-found`, `conflict`, `network`. */
  async begin(name: string, response: Response): Promise<URL> {
    const { sessions, tokens, clock } = this.#parts;
    const provider = this.#named(name);
    sessions.requirePrivate();
    const { url, secrets } = await this.#logged(name, () =>
      provider.begin(this.#callback(name).href, clock()),
    );
    const cookie = await issueAttempt(tokens, { provider: name, ...secrets }, clock());
    setCookie(response, COOKIE, cookie, ATTEMPT_SECONDS);
    return url;
  }

  /** Signs in who has come back. Throws `not-found`, `not-authorised`, `network`. */
  async finish(name: string, request: Request, response: Response): Promise<Session> {
    const { sessions, logger, clock } = this.#parts;
    const provider = this.#named(name);
    const callback = this.#callback(name);
    callback.search = new URL(request.originalUrl, callback).search;
    setCookie(response, COOKIE, '', 0);
    const attempt = await this.#attempt(provider, callback, request);
    const { subject, namespace, roles } = await this.#logged(name, () =>
      provider.finish(callback, attempt, clock()),
    );
    const session = await sessions.beginFor({ subject, namespace, roles }, response);
    // To whoever must end it: there is no token whose id they could look up.
    logger.info({ subject, provider: name, session: session.parent }, 'somebody signed in');
    return session;
  }

  /** What this browser began, once; nothing that the provider sent is looked at without. */
  async #attempt(provider: Provider, callback: URL, request: Request): Promise<Attempt> {
    const { sessions, tokens, clock } = this.#parts;
    const cookie = parseCookie(request.get('cookie') ?? '')[COOKIE] ?? '';
    const attempt = await openAttempt(tokens, cookie, clock()).catch((error: unknown) => {
      throw isCoded(error, 'not-authorised') ? notBegun() : error;
    });
    const isOurs =
      attempt.provider === provider.name && attempt.state === callback.searchParams.get('state');
    // Whatever a provider makes of a code that comes twice, here it comes once.
    if (!isOurs || !(await sessions.useUp(attempt.id, attempt.expires))) throw notBegun();
    return attempt;
  }

  /** Tells the operator why, who is not to hear it from the person. */
  async #logged<T>(provider: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const why = reasonsOf(error);
      this.#parts.logger.warn({ provider, why }, 'somebody could not sign in');
      throw error;
    }
  }

  #named(name: string): Provider {
    const provider = this.#providers.get(name);
    if (provider !== undefined) return provider;
    throw new CodedError('not-found', 'nobody signs in that way here');
  }

  /** Never made of what the request says of its host. */
  #callback(name: string): URL {
    return new URL(this.#parts.url + callbackPage(name));
  }
}

function notBegun(): CodedError {
  return new CodedError('not-authorised', NOT_BEGUN);
}
