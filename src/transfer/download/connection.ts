/**
 * Reads ranges of files from a registry, and from the store that the registry sends readers to.
 *
 * A registry answers with the bytes or with one redirect, to an address that is good for some
 * minutes. It is followed once, and never from https to http. Who asked keeps it, for the file's
 * other ranges: they go straight there, until the store refuses; then the registry is asked for
 * a new one. The token is for the registry alone. Nothing here is trusted: who asked
 * checks the bytes, wherever they came from.
 */
import { parseProblem } from '../../client/problem.ts';
import { parseRetryAfter } from '../../client/retry.ts';
import { codeOfStatus, isTransient } from '../../client/status.ts';
import { placeOf } from '../../client/store-refusal.ts';
import { concat } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { Channel, type Exchange, unusable } from './channel.ts';
import { REDIRECTS, redirectTo } from './redirect.ts';
import { contentLength, type ResponseHead } from './response-head.ts';
import type { ByteRun } from './stretch.ts';

/** Statuses by which a store says that an address is no good any more. */
const STALE: ReadonlySet<number> = new Set([400, 401, 403, 404, 410]);

/** A range of a file. */
export interface RangeRequest {
  /** At the registry. */
  readonly url: string;
  readonly token: string | undefined;
  /** Where the registry sent an earlier reader of this file. */
  readonly location: string | undefined;
  readonly range: ByteRun;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Not whole chunks, or nobody compares them: the server then hashes what it sends. */
  readonly unchecked?: boolean;
}

/** Reads ranges one after the other, connecting when it has to; keeps two connections: home, and away. */
export class RangeConnection {
  readonly #channels: Channel[] = [];

  /**
   * Hands every byte of the range to `take`, in order; resolves to the address that the bytes
   * came from when it is not the registry's. Throws `network` when the server is gone or sends
   * something else, `not-found`, `not-authorised` or `overloaded` when it refuses, and what
   * `take` throws.
   */
  async read(
    request: RangeRequest,
    take: (bytes: Uint8Array) => void,
  ): Promise<string | undefined> {
    const { url, location } = request;
    if (location !== undefined) {
      const head = await this.#fromStore(location, request, take);
      if (isRange(head)) return location;
      if (!STALE.has(head.status)) throw refusedByStore(head, location);
    }
    const said: Uint8Array[] = [];
    const home = await this.#ask(new URL(url), request, {
      take,
      token: request.token,
      // The next answer comes in the same memory.
      takeRefusal: (bytes) => said.push(bytes.slice()),
    });
    if (isRange(home)) return undefined;
    if (!REDIRECTS.has(home.status)) throw refused(home, concat(...said), request);
    const redirect = redirectTo(home.headers.get('location'), url);
    const head = await this.#fromStore(redirect, request, take);
    if (!isRange(head)) throw refusedByStore(head, redirect);
    return redirect;
  }

  close(): void {
    for (const channel of this.#channels.splice(0)) channel.close();
  }

  async #fromStore(location: string, request: RangeRequest, take: (bytes: Uint8Array) => void) {
    const head = await this.#ask(new URL(location), request, { take });
    if (!REDIRECTS.has(head.status)) return head;
    throw unusable(placeOf(location), 'it was redirected to and redirects again');
  }

  #ask(
    url: URL,
    request: RangeRequest,
    {
      token,
      ...takes
    }: Pick<Exchange, 'take' | 'takeRefusal'> & { readonly token?: string | undefined },
  ): Promise<ResponseHead> {
    const { range, size } = request;
    const isHome = url.href === request.url;
    const place = isHome ? request.url : url.origin;
    const checksChunks = isHome && request.unchecked !== true;
    const judge = (head: ResponseHead) => {
      if (!isRange(head)) return false;
      requireRange(head, range, size, place);
      return true;
    };
    return this.#channelTo(url).exchange({
      head: formatRequest(url, range, token, checksChunks),
      judge,
      ...takes,
    });
  }

  #channelTo(url: URL): Channel {
    const known = this.#channels.find(({ origin }) => origin === url.origin);
    if (known !== undefined) return known;
    const channel = new Channel(url);
    // A third server: the one that was met last before gives way.
    if (this.#channels.length === 2) this.#channels.pop()?.close();
    this.#channels.push(channel);
    return channel;
  }
}

function formatRequest(
  url: URL,
  range: ByteRun,
  token: string | undefined,
  checksChunks: boolean,
): string {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    `Range: bytes=${range.offset}-${range.offset + range.length - 1}`,
    'Accept-Encoding: identity',
    // The server then need not hash what it sends: every chunk is checked here.
    ...(checksChunks ? ['Weighhouse-Verifies: chunks'] : []),
    ...(token === undefined ? [] : [`Authorization: Bearer ${headerText(token)}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A token comes from a person's file; a newline in it would end the header. */
function headerText(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CodedError('usage', 'the token holds characters that no token has; copy it again');
}

function isRange({ status }: ResponseHead): boolean {
  return status === 206 || status === 200;
}

/** Is this exactly the range that was asked for? */
function requireRange(head: ResponseHead, range: ByteRun, size: number, place: string): void {
  const whole = range.offset === 0 && range.length === size;
  if (head.status === 200 && !whole)
    throw unusable(place, 'it ignores the range that was asked for');
  if (head.status === 206) {
    const expected = `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
    if (head.headers.get('content-range') !== expected) {
      throw unusable(place, `it does not send the range ${expected}`);
    }
  }
  const encoding = head.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw unusable(place, `it sends the content encoded as ${encoding.slice(0, 40)}`);
  if (contentLength(head) !== range.length) {
    throw unusable(place, `it sends ${contentLength(head)} bytes where ${range.length} are due`);
  }
}

function refused(
  head: ResponseHead,
  body: Uint8Array,
  { url, token }: Pick<RangeRequest, 'url' | 'token'>,
): CodedError {
  const { status } = head;
  if (status === 401 || status === 403) return refusedReader(head, body, url, token);
  return new CodedError(codeOfStatus(status), `${url} answered ${status}`, {
    status,
    url,
    // Content has no other reason for a 500 than a store that stumbled.
    transient: status === 500 || isTransient(status),
    ...retryAfter(head),
  });
}

/** What is for some readers alone: the registry says for whom, and how one becomes one of them. */
function refusedReader(
  { status, headers }: ResponseHead,
  body: Uint8Array,
  url: string,
  token: string | undefined,
): CodedError {
  const answer = { status, headers: { get: (name: string) => headers.get(name) ?? null } };
  const problem = parseProblem(answer, body, url);
  const { code, message, details } = problem;
  if (details.bytes === undefined || token !== undefined) return problem;
  return new CodedError(code, `${message} with --token or WEIGHHOUSE_TOKEN`, details);
}

/** A store's refusal is never the reader's fault: the address was made for this reader just now. */
function refusedByStore(head: ResponseHead, location: string): CodedError {
  const { status } = head;
  const place = placeOf(location);
  if (status === 404) {
    const message = `the registry’s store at ${place} does not have the bytes any more`;
    return new CodedError('not-found', message, { status, url: place });
  }
  const code = status === 429 || status === 503 ? 'overloaded' : 'network';
  const message = `the registry sends readers to its store at ${place}, which answered ${status}`;
  return new CodedError(code, message, {
    status,
    url: place,
    transient: true,
    ...retryAfter(head),
  });
}

function retryAfter(head: ResponseHead): { readonly retryAfterSeconds?: number } {
  const wait = parseRetryAfter(head.headers.get('retry-after') ?? null, Date.now());
  return wait === undefined ? {} : { retryAfterSeconds: wait };
}
