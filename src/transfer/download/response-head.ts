/**
 * The head of an HTTP/1.1 response (RFC 9112), as far as a reader of byte ranges needs it:
 * strict where a wrong reading would put bytes in the wrong place, and of bounded length.
 *
 *     HTTP/1.1 206 Partial Content
 *     Content-Length: 8388608
 *     Content-Range: bytes 0-8388607/20971520
 */
import { CodedError } from '../../core/error.ts';

/** Bytes of a head, with the empty line that ends it. */
export const MAX_HEAD_BYTES = 32 * 1024;

export interface ResponseHead {
  readonly status: number;
  /** By lower-case name. A name that comes twice keeps its first value, unless they differ. */
  readonly headers: ReadonlyMap<string, string>;
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: .*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/** Takes bytes as they come, until the head is complete. */
export class HeadReader {
  readonly #bytes = Buffer.alloc(MAX_HEAD_BYTES);
  #length = 0;

  /** The head, and where in `bytes` the body begins; undefined when more is needed. Throws `network`. */
  take(bytes: Uint8Array): { head: ResponseHead; bodyAt: number } | undefined {
    const room = Math.min(bytes.length, MAX_HEAD_BYTES - this.#length);
    this.#bytes.set(bytes.subarray(0, room), this.#length);
    const before = this.#length;
    this.#length += room;
    const end = this.#bytes
      .subarray(0, this.#length)
      .indexOf('\r\n\r\n', Math.max(0, before - 3), 'latin1');
    if (end < 0) {
      if (this.#length === MAX_HEAD_BYTES) throw malformed('its head is too long');
      return undefined;
    }
    const head = parseHead(this.#bytes.toString('latin1', 0, end));
    this.#length = 0;
    return { head, bodyAt: end + 4 - before };
  }
}

/** Parses a head without the empty line that ends it. Throws `network`. */
export function parseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) throw malformed('it has no status line');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed('a header is malformed');
    const key = name.toLowerCase();
    const known = headers.get(key);
    // Two lengths are two readings of where the answer ends (RFC 9112, section 6.3).
    if (known !== undefined && known !== value && key.startsWith('content-')) {
      throw malformed(`it has two different ${key} headers`);
    }
    if (known === undefined) headers.set(key, value);
  }
  return { status: Number(status), headers };
}

/** The bytes of the body, which must be said: no other framing is read. Throws `network`. */
export function contentLength(head: ResponseHead): number {
  if (head.headers.has('transfer-encoding'))
    throw malformed('it is sent in pieces without a length');
  const length = head.headers.get('content-length');
  if (length === undefined || !/^(?:0|[1-9][0-9]{0,15})$/.test(length)) {
    throw malformed('it has no Content-Length');
  }
  return Number(length);
}

/** May the connection be used for another request? */
export function keepsAlive(head: ResponseHead): boolean {
  return !/(?:^|,)\s*close\s*(?:,|$)/i.test(head.headers.get('connection') ?? '');
}

function malformed(what: string): CodedError {
  const message = `the server’s answer is not one that can be read: ${what}`;
  return new CodedError('network', message, { transient: true });
}
