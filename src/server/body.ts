/**
 * Bodies of requests. JSON is read by our own strict parser, not by Express: a key that
 * stands twice, `__proto__` or a thousand levels of nesting mean one thing to one reader and
 * another to the next. What a refused client still sends is read up to a bound and then cut.
 */
import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { concat, parseUtf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { type Json, parseJson } from '../core/json.ts';

/** The media type of forms. */
export const FORM = 'application/x-www-form-urlencoded';
/** Bytes of a JSON request body, unless the endpoint says otherwise. */
export const MAX_BODY_BYTES = 2 ** 20;
/** Nesting of a JSON request body; ours have three levels. */
export const MAX_BODY_DEPTH = 8;
/** Bytes of an upload that wait to be written; the client waits then. */
const MAX_WAITING_BYTES = 512 * 1024;
/** Bytes that are read of a body that nobody wants any more: a client in the middle of a small part hears why. */
const MAX_DISCARDED_BYTES = 16 * 2 ** 20;

/**
 * Reads and parses the body. Throws `bad-json` for what is not JSON or not called so,
 * `too-large` as soon as more than `maxBytes` are announced or come, `interrupted` when the
 * client goes away.
 */
export async function readJson(request: Request, maxBytes = MAX_BODY_BYTES): Promise<Json> {
  const bytes = await readBody(request, 'application/json', maxBytes);
  return parseJson(bytes, 'the request body', { maxBytes, maxDepth: MAX_BODY_DEPTH });
}

/**
 * Reads and parses a form. A name that stands twice is refused, as RFC 6749 (section 3.2)
 * asks. Throws `bad-json` for another type, else as `readJson`.
 */
export async function readForm(
  request: Request,
  maxBytes = MAX_BODY_BYTES,
): Promise<Readonly<Record<string, string>>> {
  const fields = [...new URLSearchParams(await readText(request, FORM, maxBytes))];
  if (new Set(fields.map(([name]) => name)).size < fields.length) {
    throw new CodedError('usage', 'the request body names a parameter twice');
  }
  return Object.fromEntries(fields);
}

/** The body as text, of that type. Throws `bad-json` for another one, else as `readJson`. */
export async function readText(
  request: Request,
  type: string,
  maxBytes = MAX_BODY_BYTES,
): Promise<string> {
  return parseUtf8(await readBody(request, type, maxBytes), 'the request body');
}

async function readBody(request: Request, type: string, maxBytes: number): Promise<Uint8Array> {
  if (request.is(type) === false || !hasBody(request)) {
    throw new CodedError('bad-json', `the request needs a body of type ${type}`);
  }
  if (request.get('content-encoding') !== undefined) {
    throw new CodedError('bad-encoding', 'the request body is compressed; send it as it is');
  }
  if (Number(request.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    parts.push(part);
  }
  return concat(...parts);
}

/**
 * The bytes of a body as they come off the network. Node's own iterator joins whatever has
 * come meanwhile, which copies every byte of an upload once more. Throws `interrupted` when
 * the client goes away.
 */
export async function* bytesOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let bytes = 0;
  let wake = () => {};
  const take = (chunk: Uint8Array) => {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_WAITING_BYTES) request.pause();
    wake();
  };
  const ended = () => wake();
  request.on('data', take).once('end', ended).once('close', ended).once('error', ended);
  try {
    for (;;) {
      for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
        bytes -= chunk.length;
        yield chunk;
      }
      if (request.readableEnded) return;
      if (request.destroyed) throw new CodedError('interrupted', 'the client went away');
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      request.resume();
      await more;
    }
  } finally {
    request.off('data', take).off('end', ended).off('close', ended).off('error', ended);
  }
}

/**
 * Lets go of what is left of a body after the answer is known. Closing the connection at once
 * would take the answer with it (RFC 9112, section 9.6); reading on for ever is what an
 * attacker wants.
 */
export function discardBody(request: Request): void {
  if (request.complete || request.destroyed) return;
  let left = MAX_DISCARDED_BYTES;
  request.on('data', (part: Buffer) => {
    left -= part.length;
    if (left < 0) request.socket.destroy();
  });
  request.resume();
}

/** RFC 9112, section 6: a request has a body when it says how long, or that it is chunked. */
function hasBody(request: Request): boolean {
  return (
    request.get('transfer-encoding') !== undefined || Number(request.get('content-length') ?? 0) > 0
  );
}

function tooLarge(maxBytes: number): CodedError {
  return new CodedError('too-large', `the request body is longer than ${maxBytes} bytes`);
}
