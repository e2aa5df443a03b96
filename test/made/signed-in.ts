/** A person's browser, as far as signing in goes: it keeps one cookie and says which page posts. */
import type { Served } from './served.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export class SignedIn {
  readonly #served: Served;
  /** `name=value` of the session, once there is one. */
  cookie: string | undefined;

  constructor(served: Served) {
    this.#served = served;
  }

  /** The link that the holder of `token` signs in with, as a path. */
  static async link(served: Served, token: string): Promise<string> {
    const { url } = await served.api('/sign-in-links', { method: 'POST', token });
    return url.slice(served.url.length);
  }

  /** Signs in as the holder of `token`. */
  static async as(served: Served, token: string): Promise<SignedIn> {
    const browser = new SignedIn(served);
    const link = await SignedIn.link(served, token);
    const { status } = await browser.confirm(link);
    if (status !== 303) throw new Error(`signing in was answered with ${status}`);
    return browser;
  }

  get(path: string): Promise<Answer> {
    return this.#ask(path, {});
  }

  /** What the button on the page behind a sign-in link does. */
  confirm(link: string): Promise<Answer> {
    const code = new URLSearchParams(link.slice(link.indexOf('?'))).get('code') ?? '';
    return this.post('/-/sign-in', { code });
  }

  /** Posts a form, from a page of the registry unless `origin` is another. */
  post(
    path: string,
    fields: Readonly<Record<string, string>> = {},
    origin: string | null = this.#served.url,
  ): Promise<Answer> {
    return this.#ask(path, {
      method: 'POST',
      body: new TextEncoder().encode(new URLSearchParams(fields).toString()),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(origin === null ? {} : { origin }),
      },
    });
  }

  async #ask(path: string, options: Parameters<Served['fetch']>[1] = {}): Promise<Answer> {
    const response = await this.#served.fetch(path, {
      token: null,
      ...options,
      headers: {
        accept: 'text/html',
        ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
        ...options.headers,
      },
    });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.slice(0, set.indexOf(';'));
    return { status: response.status, text: await response.text(), headers: response.headers };
  }
}
