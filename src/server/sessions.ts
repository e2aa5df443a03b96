/**
 * Who is signed in to the pages. A session is a signed cookie and nothing else: every server over
 * the store knows it. The API takes no cookies, so no page of a stranger can use somebody's session
 * there; what a page posts to us is taken only from our own pages.
 */
import { createHash, randomBytes } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';
import { CodedError, isCoded } from '../core/error.ts';
import type { TokenKey } from '../keyring/jwt.ts';
import {
  issueSession,
  issueSignInCode,
  openSession,
  openSignInCode,
  type Person,
  SESSION_SECONDS,
  type Session,
  type SignInCode,
} from '../keyring/session.ts';
import { issuePageToken, PAGE_SECONDS } from '../keyring/token.ts';
import type { Caller } from '../registry/registry.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import type { Authenticator, Identified } from './auth.ts';
import { StatusError } from './problem.ts';

/** A browser keeps it for this host alone, sends it over https alone, and shows it to no script. */
const COOKIE = '__Host-weighhouse';
/** Seconds after which a session that is used is renewed. */
const RENEW_SECONDS = 5 * 60;

/** Hosts to which browsers send a `Secure` cookie without https. */
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])$/;

interface SessionParts {
  readonly store: Store;
  readonly tokens: TokenKey;
  readonly auth: Authenticator;
  readonly clock: () => number;
  /** How clients reach the server, without a final `/`. */
  readonly url: string;
}

export class Sessions {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** A code that signs in whoever has the token of `caller`. Throws `not-authorised`, `conflict`. */
  async code(caller: Identified): Promise<string> {
    const { tokens, clock } = this.#parts;
    if (caller.session !== undefined || caller.ci) {
      throw new CodedError('not-authorised', 'only a person’s own token signs in to the pages');
    }
    this.requirePrivate();
    const { subject, roles, namespace, tokenId: parent, expires } = caller;
    return issueSignInCode(tokens, { subject, roles, namespace, parent }, expires, clock());
  }

  /** Throws `conflict` where a browser would not keep the cookie of a session, for it could be seen on its way. */
  requirePrivate(): void {
    const { url } = this.#parts;
    const { protocol, hostname } = new URL(url);
    if (protocol === 'https:' || LOOPBACK.test(hostname)) return;
    throw new CodedError(
      'conflict',
      `people sign in over https alone, and this registry is reached at ${url}`,
    );
  }

  /** Whom a code would sign in. Throws `not-authorised`; the code stays good. */
  async look(code: string): Promise<SignInCode> {
    const { tokens, auth, clock } = this.#parts;
    const opened = await openSignInCode(tokens, code, clock());
    await auth.refuseRevoked(opened.parent);
    return opened;
  }

  /** Signs in. Each code is taken once, by one server of all. Throws `not-authorised`. */
  async begin(code: string, response: Response): Promise<Session> {
    const { id, expires, parentExpires, ...person } = await this.look(code);
    if (!(await this.useUp(code, expires))) {
      throw new CodedError(
        'not-authorised',
        'this sign-in link was used before; ask for a new one',
      );
    }
    return this.#begin({ ...person, id }, parentExpires, response);
  }

  /**
   * Signs in whom a provider has named. No bearer token is behind it: its parent is an id that
   * nothing else has, and to revoke that ends all that comes from it.
   */
  async beginFor(person: Omit<Person, 'parent'>, response: Response): Promise<Session> {
    const ids = { id: randomId(), parent: randomId() };
    return this.#begin({ ...person, ...ids }, Number.POSITIVE_INFINITY, response);
  }

  /** True once for each text, on one server of all; it is remembered until it `expires`, in seconds since 1970. */
  async useUp(text: string, expires: number): Promise<boolean> {
    const fingerprint = createHash('sha256').update(text).digest('hex');
    const key = keys.exchanged(expires, fingerprint);
    return (await this.#parts.store.create(key, new Uint8Array(1))) === 'created';
  }

  /** Who is signed in; undefined for nobody. A session that is used lasts longer. */
  async of(request: Request, response: Response): Promise<Session | undefined> {
    const { tokens, auth, clock } = this.#parts;
    const cookie = parseCookie(request.get('cookie') ?? '')[COOKIE];
    if (cookie === undefined) return undefined;
    try {
      const session = await openSession(tokens, cookie, clock());
      await auth.refuseRevoked(session.parent);
      await auth.refuseRevoked(session.id);
      if (clock() / 1000 - session.renewed > RENEW_SECONDS) await this.#send(session, response);
      return session;
    } catch (error) {
      if (isCoded(error, 'not-authorised')) return undefined;
      throw error;
    }
  }

  /** Signs out: here at once, on other servers within the time that they remember a token for. */
  async end(session: Session, response: Response): Promise<void> {
    await this.#parts.auth.revoke(session.id);
    setCookie(response, COOKIE, '', 0);
  }

  /** A bearer token for the scripts of a page. */
  async pageToken(session: Session): Promise<{ readonly token: string; readonly seconds: number }> {
    const { tokens, clock } = this.#parts;
    const left = session.until - Math.floor(clock() / 1000);
    const seconds = Math.min(PAGE_SECONDS, left);
    return { token: await issuePageToken(tokens, session, seconds, clock()), seconds };
  }

  async #begin(
    whose: Person & { readonly id: string },
    latest: number,
    response: Response,
  ): Promise<Session> {
    const now = Math.floor(this.#parts.clock() / 1000);
    const session = { ...whose, renewed: now, until: Math.min(now + SESSION_SECONDS, latest) };
    await this.#send(session, response);
    return session;
  }

  async #send(session: Omit<Session, 'renewed'>, response: Response): Promise<void> {
    const { tokens, clock } = this.#parts;
    setCookie(response, COOKIE, await issueSession(tokens, session, clock()));
  }
}

/** The registry's caller that a signed-in person is. */
export function callerOf({ subject, roles, namespace }: Person): Caller {
  return { subject, roles, namespace };
}

/** Throws unless one of our own pages has sent the request: browsers say which, and no script can. */
export function requireOwnPage(request: Request, url: string): void {
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const isOurs = origin === new URL(url).origin;
  if (isOurs && (site === undefined || site === 'same-origin')) return;
  throw new StatusError(403, 'not-authorised', 'this was not sent by a page of this registry');
}

/** Sets a cookie that a browser shows to no script, and sends over https alone; `maxAge` in seconds. */
export function setCookie(response: Response, name: string, value: string, maxAge?: number): void {
  const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const;
  const age = maxAge === undefined ? {} : { maxAge };
  response.append('Set-Cookie', stringifySetCookie({ name, value, ...attributes, ...age }));
}

function randomId(): string {
  return randomBytes(16).toString('hex');
}
