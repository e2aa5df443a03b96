/** A person's browser on its way to a provider and back: it keeps the cookies of each host apart. */
import type { Served } from './served.ts';
import type { Answer } from './signed-in.ts';

/** Hops after which a chain of redirects is taken for endless. */
const MAX_HOPS = 10;

export class ProviderBrowser {
  readonly #served: Served;
  /** Of each origin: names and values. */
  readonly cookies = new Map<string, Map<string, string>>();

  constructor(served: Served) {
    this.#served = served;
  }

  /** Of the registry. */
  get jar(): Map<string, string> {
    return this.#jarOf(this.#served.url);
  }

  get(path: string): Promise<Answer> {
    return this.#ask(this.#served.url + path);
  }

  post(path: string, origin: string | null = this.#served.url): Promise<Answer> {
    const headers: Record<string, string> = origin === null ? {} : { origin };
    return this.#ask(this.#served.url + path, { method: 'POST', headers });
  }

  /** Presses the button of a provider; where that leads. */
  async begin(name: string): Promise<URL> {
    const answer = await this.post(`/-/sign-in/${name}`);
    const [, url] = /^0; url=(.+)$/.exec(answer.headers.get('refresh') ?? '') ?? [];
    if (url === undefined) throw new Error(`${answer.status}: ${answer.text}`);
    return new URL(url);
  }

  /** Does what the provider asks for; the path at the registry that it sends back to. */
  async authorise(url: URL): Promise<string> {
    let next = url.href;
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const { status, headers, text } = await this.#ask(next);
      const location = headers.get('location');
      if (location === null) throw new Error(`${status} ${next}: ${text}`);
      next = new URL(location, next).href;
      if (next.startsWith(`${this.#served.url}/`)) return next.slice(this.#served.url.length);
    }
    throw new Error(`the way does not end: ${next}`);
  }

  /** All of the way there and back; the answer to the callback. */
  async signIn(name: string): Promise<Answer> {
    return this.get(await this.authorise(await this.begin(name)));
  }

  async #ask(
    url: string,
    { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const jar = this.#jarOf(new URL(url).origin);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { accept: 'text/html', ...headers, ...(cookie === '' ? {} : { cookie }) },
    });
    for (const set of response.headers.getSetCookie()) keep(jar, set);
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  #jarOf(origin: string): Map<string, string> {
    const jar = this.cookies.get(origin) ?? new Map();
    this.cookies.set(origin, jar);
    return jar;
  }
}

function keep(jar: Map<string, string>, set: string): void {
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
  if (/; *(?:max-age=0|expires=[^;]*1970)/i.test(set)) jar.delete(name!);
  else jar.set(name!, value!);
}
