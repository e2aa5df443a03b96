/** The API for whoever is signed in: each request carries a token that the session was given just now. */
import * as v from 'valibot';
import { Api } from '../../client/api.ts';
import { parseRegistryUrl } from '../../client/http.ts';
import { CodedError } from '../../core/error.ts';
import { parseShape } from '../../core/shape.ts';

/** Milliseconds before its end at which a token is replaced: a request takes a while. */
const MARGIN_MS = 30_000;

const answer = v.object({ token: v.string(), seconds: v.number() });

/** `path` is where the session gets its tokens. */
export function apiOfSession(path: string, fetch = globalThis.fetch): Api {
  let token: Promise<{ readonly text: string; readonly until: number }> | undefined;

  async function ask() {
    const response = await fetch(path, { method: 'POST', cache: 'no-store' });
    if (!response.ok) {
      throw new CodedError(
        'not-authorised',
        'you are no longer signed in; run "weighhouse login --web" again',
      );
    }
    const { token: text, seconds } = parseShape(answer, await response.json(), 'the token');
    return { text, until: Date.now() + seconds * 1000 - MARGIN_MS };
  }

  async function current(): Promise<string> {
    token ??= ask();
    const { text, until } = await token.catch((error) => {
      token = undefined;
      throw error;
    });
    if (Date.now() < until) return text;
    token = undefined;
    return current();
  }

  const withToken: typeof fetch = async (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${await current()}`);
    return fetch(input, { ...init, headers, cache: 'no-store' });
  };
  return new Api({ url: parseRegistryUrl(location.origin), fetch: withToken });
}
