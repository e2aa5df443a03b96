/**
 * One question to a server of an issuer: to a pinned address, with an end to everything. No
 * redirect is followed: it would lead where nobody has looked. Not `fetch`, which resolves
 * names by itself.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { concat } from '../core/bytes.ts';
import { CodedError, isCoded, messageOf } from '../core/error.ts';
import { type Network, pinAddress } from './address.ts';

/** Bytes of an answer; the largest known key sets have 20 KiB. */
export const MAX_ANSWER_BYTES = 256 * 1_024;
/** Bytes of its headers. */
const MAX_HEADERS = 16 * 1_024;

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Uint8Array;
}

/** What `url` answers, whatever its status. Throws `network` or `untrusted`, naming the address. */
export async function ask(url: URL, network: Network, question: Question): Promise<Answer> {
  const deadline = AbortSignal.timeout(network.timeout);
  try {
    const address = await inTime(pinAddress(url, network), deadline);
    const response = await request(url, address, question, deadline);
    try {
      refuseCompressed(response);
      const { statusCode = 0, headers } = response;
      return { status: statusCode, type: headers['content-type'], body: await read(response) };
    } finally {
      response.destroy();
    }
  } catch (error) {
    if (isCoded(error, 'untrusted')) throw error;
    const why = deadline.aborted ? 'it took too long' : messageOf(error);
    throw unreadable(url, why, error);
  }
}

export function unreadable(url: URL, why: string, cause?: unknown): CodedError {
  return new CodedError('network', `${url.href} cannot be read: ${why}`, {}, { cause });
}

function request(
  url: URL,
  address: string,
  { method, headers, body }: Question,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const options = {
    method,
    host: address,
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname + url.search,
    // The connection goes to the address; certificate and virtual host are the name's.
    servername: isIP(host) === 0 ? host : '',
    headers: { ...headers, ...length, host: url.host, 'accept-encoding': 'identity' },
    agent: false,
    maxHeaderSize: MAX_HEADERS,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    const { request: begin } = url.protocol === 'https:' ? https : http;
    begin(options, resolve).on('error', reject).end(body);
  });
}

function refuseCompressed({ headers }: http.IncomingMessage): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Error('the answer is compressed');
}

async function read(response: http.IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) {
      throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    }
    parts.push(part);
  }
  return concat(...parts);
}

/** A resolver that does not answer is given up with everything else. */
function inTime<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
    work.then(resolve, reject);
  });
}
