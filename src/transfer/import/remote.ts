/**
 * Requests to the host that a model is imported from. Whoever answers there is a stranger: what
 * is read is bounded, redirects are followed by hand, a few of them and never from https to http,
 * and a token goes to the host that the person named and nowhere else. Once a request has left
 * that host, it goes on without the token, even where it is led back.
 */
import { IdleClock, readBody } from '../../client/body.ts';
import { unreachable } from '../../client/http.ts';
import {
  interruption,
  type Pauses,
  parseRetryAfter,
  realPauses,
  withRetries,
} from '../../client/retry.ts';
import { codeOfStatus, isTransient } from '../../client/status.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { parseJson } from '../../core/json.ts';
import { parseShape, type Shape } from '../../core/shape.ts';
import { unusable } from '../download/channel.ts';
import { REDIRECTS, redirectTo } from '../download/redirect.ts';

/** Redirects of one request: a renamed repository, a cache, the place where the bytes are. */
export const MAX_REDIRECTS = 5;
/** Nesting of a JSON document. */
const MAX_DEPTH = 16;

/** Makes a token out of a `WWW-Authenticate`; undefined when that asks for something else. */
export type Introduce = (challenge: string) => Promise<string | undefined>;

export interface RemoteOptions {
  /** Of the host that was named, as `URL.origin` has it. */
  readonly origin: string;
  /** Bearer token for that host. */
  readonly token?: string | undefined;
  /** Where the host may ask for a token that anybody gets. */
  readonly introduce?: Introduce;
  readonly pauses?: Pauses | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DocumentRequest {
  readonly accept?: string;
  readonly maxBytes: number;
}

/** A document, and what was said beside it. */
export interface RemoteDocument {
  readonly bytes: Uint8Array;
  readonly headers: Headers;
}

/** Takes the body of an answer, once its head is known; throws for an answer that is not wanted. */
export type Judge = (response: Response) => (bytes: Uint8Array) => void;

export class Remote {
  readonly pauses: Pauses;
  readonly #options: RemoteOptions;
  #token: string | undefined;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#token = options.token;
    this.pauses = options.pauses ?? realPauses;
  }

  /** The bytes at `url`. Throws `not-found`, `not-authorised`, `network`, `too-large` … */
  document(url: string, { accept, maxBytes }: DocumentRequest): Promise<RemoteDocument> {
    const { signal } = this.#options;
    const headers = { accept: accept ?? 'application/json' };
    const attempt = () =>
      this.#attempt(url, headers, signal, async (response, idle) => ({
        bytes: await readBody(response, maxBytes, url, idle),
        headers: response.headers,
      }));
    return withRetries(attempt, this.pauses, signal);
  }

  /** A JSON document in the type of `shape`, and what was said beside it. */
  async json<T>(shape: Shape<T>, url: string, request: DocumentRequest) {
    const { bytes, headers } = await this.document(url, request);
    const what = `the answer of ${url}`;
    const value = parseJson(bytes, what, { maxBytes: request.maxBytes, maxDepth: MAX_DEPTH });
    return { value: parseShape(shape, value, what), bytes, headers };
  }

  /** Makes one attempt to read what is at `url`, from byte `from` on where the host can do that. */
  read(url: string, from: number, judge: Judge, signal: AbortSignal): Promise<void> {
    // No If-Range: at a commit or a digest there never are other bytes, and all of them are
    // held against their digest in the end.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (from > 0) headers.range = `bytes=${from}-`;
    return this.#attempt(url, headers, signal, async (response, idle) => {
      const take = judge(response);
      for await (const bytes of response.body ?? []) {
        idle.touch();
        take(bytes);
      }
    });
  }

  async #attempt<T>(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
    use: (response: Response, idle: IdleClock) => Promise<T>,
  ): Promise<T> {
    if (signal?.aborted) throw interruption(signal);
    const idle = new IdleClock(signal);
    let response: Response | undefined;
    try {
      response = await this.#ask(url, headers, idle.signal);
      idle.touch();
      if (!response.ok) throw refusal(response, url);
      return await use(response, idle);
    } catch (error) {
      await response?.body?.cancel().catch(() => {});
      if (signal?.aborted) throw interruption(signal);
      throw isCoded(error) ? error : unreachable(url, error);
    } finally {
      idle.stop();
    }
  }

  /** Asks, and once more with a new token where the host wants one that anybody gets. */
  async #ask(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
    const response = await this.#follow(url, headers, signal);
    const { origin, introduce } = this.#options;
    const challenge = response.headers.get('www-authenticate');
    // Only the host that was named may say where a token is to be had.
    const isAsked = response.status === 401 && new URL(response.url).origin === origin;
    if (!isAsked || challenge === null || introduce === undefined) return response;
    const token = await introduce(challenge);
    if (token === undefined) return response;
    await response.body?.cancel();
    this.#token = token;
    return this.#follow(url, headers, signal);
  }

  async #follow(
    asked: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> {
    let url = asked;
    let token = this.#token;
    for (let redirects = 0; ; redirects++) {
      if (new URL(url).origin !== this.#options.origin) token = undefined;
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const sent = { ...headers, ...authorization };
      const response = await fetch(url, { headers: sent, signal, redirect: 'manual' });
      if (!REDIRECTS.has(response.status)) return response;
      await response.body?.cancel();
      if (redirects === MAX_REDIRECTS) throw unusable(asked, 'it redirects too often');
      url = redirectTo(response.headers.get('location'), url, asked);
    }
  }
}

/** What the hub says with 401 for what it does not have, so that nobody finds out what is private. */
const ABSENT = /^(?:RepoNotFound|RevisionNotFound|EntryNotFound)$/;

function refusal(response: Response, url: string): CodedError {
  const { status, headers } = response;
  const wait = parseRetryAfter(headers.get('retry-after'), Date.now());
  const details = {
    status,
    url,
    transient: status === 500 || isTransient(status),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  };
  const isAbsent = ABSENT.test(headers.get('x-error-code') ?? '');
  const code = isAbsent ? 'not-found' : codeOfStatus(status);
  const said = code === 'not-authorised' ? wordsOf(headers) : '';
  return new CodedError(code, `${url} answered ${status}${adviceFor(code)}${said}`, details);
}

/** Characters of a host's sentence that are passed on. */
const MAX_WORDS = 400;

/** What a hub says of a gated repository, whose terms only it knows. */
function wordsOf(headers: Headers): string {
  const words = headers.get('x-error-message');
  if (words === null || headers.get('x-error-code') !== 'GatedRepo') return '';
  return ` (it says: ${words.slice(0, MAX_WORDS).replace(/[^\x20-\x7e]/g, '?')})`;
}

function adviceFor(code: string): string {
  if (code === 'not-found') return ': there is nothing of that name; check the name and revision';
  if (code !== 'not-authorised') return '';
  return ': it is gated or private, or not there; accept its terms there and give a token with --source-token-file';
}
