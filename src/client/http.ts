/**
 * One request and its answer, over a `fetch` that is passed in. What comes back is bounded in
 * size before it is read and checked by shape before it is used; a failure is a CodedError
 * with the server's own code (RFC 9457 `application/problem+json`, member `code`), or
 * `network`, which names the address.
 */
import { CodedError, type ErrorCode, isCoded } from '../core/error.ts';
import { type Json, parseJson } from '../core/json.ts';
import { parseShape, type Shape } from '../core/shape.ts';
import { IdleClock, readBody } from './body.ts';
import { parseProblem } from './problem.ts';
import { interruption, type Pauses, realPauses, withRetries } from './retry.ts';

/** Bytes of a JSON answer, unless a call says otherwise. */
export const MAX_ANSWER_BYTES = 16 * 2 ** 20;
const MAX_ANSWER_DEPTH = 16;
/** Bytes of a refusal that are read. */
const MAX_PROBLEM_BYTES = 64 * 1024;

export interface HttpOptions {
  /** Where the registry is, without a slash at the end. Made by `parseRegistryUrl`. */
  readonly url: RegistryUrl;
  /** Bearer token, for what takes one. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
  readonly pauses?: Pauses;
}

declare const brand: unique symbol;
/** The checked address of a registry. */
export type RegistryUrl = string & { readonly [brand]: 'RegistryUrl' };

export interface HttpRequest {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Begins with a slash; segments are encoded already. */
  readonly path: string;
  readonly json?: Json;
  /** A form, in place of JSON. */
  readonly form?: Readonly<Record<string, string>>;
  /** Bytes of no named type, in place of JSON. */
  readonly octets?: Uint8Array;
  /** In place of the client's token; null sends none. */
  readonly token?: string | null | undefined;
  /** May it be made again when nobody knows what became of it? By default what HTTP says of the method. */
  readonly repeatable?: boolean;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Parses the address of a registry: http or https, no credentials, query or fragment. Throws `usage`. */
export function parseRegistryUrl(text: string): RegistryUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    (url?.protocol === 'http:' || url?.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '';
  if (!plain) {
    throw new CodedError(
      'usage',
      `"${text.slice(0, 200)}" is not the address of a registry; give one like https://models.example.com`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '') as RegistryUrl;
}

export class Http {
  readonly url: RegistryUrl;
  readonly token: string | undefined;
  readonly pauses: Pauses;
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: fetchWith, pauses = realPauses }: HttpOptions) {
    this.url = url;
    this.token = token;
    this.pauses = pauses;
    // Called bare: a browser's fetch refuses to be the method of another object.
    const bare = fetchWith ?? globalThis.fetch;
    this.#fetch = (input, init) => bare(input, init);
  }

  /** The JSON answer to `request`, in the type of `shape`. */
  async json<T>(shape: Shape<T>, request: HttpRequest): Promise<T> {
    const bytes = await this.bytes(request);
    const what = `the answer of ${this.#address(request)}`;
    const limits = { maxBytes: request.maxBytes ?? MAX_ANSWER_BYTES, maxDepth: MAX_ANSWER_DEPTH };
    return parseShape(shape, parseJson(bytes, what, limits), what);
  }

  /** The bytes of the answer to `request`, at most `maxBytes`. */
  bytes(request: HttpRequest): Promise<Uint8Array> {
    const repeatable = request.repeatable ?? request.method !== 'POST';
    if (!repeatable) return this.#attempt(request);
    return withRetries(() => this.#attempt(request), this.pauses, request.signal);
  }

  /** As `bytes`; undefined when the server has nothing there. */
  async bytesIfAny(request: HttpRequest): Promise<Uint8Array | undefined> {
    try {
      return await this.bytes(request);
    } catch (error) {
      if (isCoded(error, 'not-found')) return undefined;
      throw error;
    }
  }

  async #attempt(request: HttpRequest): Promise<Uint8Array> {
    const address = this.#address(request);
    if (request.signal?.aborted) throw interruption(request.signal);
    const idle = new IdleClock(request.signal);
    try {
      const response = await this.#fetch(address, this.#init(request, idle.signal));
      idle.touch();
      if (!response.ok) {
        const body = await readBody(response, MAX_PROBLEM_BYTES, address, idle, 'cut');
        throw parseProblem(response, body, address);
      }
      return await readBody(response, request.maxBytes ?? MAX_ANSWER_BYTES, address, idle);
    } catch (error) {
      if (request.signal?.aborted) throw interruption(request.signal);
      throw isCoded(error) ? error : unreachable(address, error);
    } finally {
      idle.stop();
    }
  }

  #init(
    { method = 'GET', json, form, octets, token }: HttpRequest,
    signal: AbortSignal,
  ): RequestInit {
    const headers = new Headers({ accept: 'application/json, */*;q=0.5' });
    const bearer = token === undefined ? this.token : token;
    if (bearer !== null && bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
    // A redirected write would be made somewhere that nobody named.
    const redirect = method === 'GET' ? 'follow' : 'error';
    if (form !== undefined) {
      return { method, headers, signal, redirect, body: new URLSearchParams(form) };
    }
    if (octets !== undefined) {
      headers.set('content-type', 'application/octet-stream');
      return { method, headers, signal, redirect, body: octets as Uint8Array<ArrayBuffer> };
    }
    if (json === undefined) return { method, headers, signal, redirect };
    headers.set('content-type', 'application/json');
    return { method, headers, signal, redirect, body: JSON.stringify(json) };
  }

  #address(request: HttpRequest): string {
    return this.url + request.path;
  }
}

/** `network`, naming the address; may be tried again. */
export function unreachable(address: string, error: unknown, code: ErrorCode = 'network') {
  return new CodedError(
    code,
    `${address} cannot be reached (${reasonOf(error)}); check the address and the network`,
    { url: address, transient: true },
    { cause: error },
  );
}

/** `fetch failed` says nothing; what it was caused by does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown }).code;
  if (typeof code === 'string') return code;
  return cause instanceof Error ? cause.message.slice(0, 200) : String(cause).slice(0, 200);
}
