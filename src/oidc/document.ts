/**
 * One small document of an issuer: a GET to a pinned address, with an end to everything. No
 * redirect is followed: it would lead where nobody has looked. Not `fetch`, which resolves
 * names by itself.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { concat } from '../core/bytes.ts';
import { CodedError, isCoded, messageOf } from '../core/error.ts';
import { type Network, pinAddress } from './address.ts';

/** Bytes of an issuer's document; the largest known key sets have 20 KiB. */
export const MAX_DOCUMENT_BYTES = 256 * 1_024;
/** Bytes of its headers. */
const MAX_HEADERS = 16 * 1_024;

/** The bytes at `url`. Throws `network` or `untrusted`, naming the address. */
export async function getDocument(url: URL, network: Network): Promise<Uint8Array> {
  const deadline = AbortSignal.timeout(network.timeout);
  try {
    const address = await inTime(pinAddress(url, network), deadline);
    const response = await request(url, address, deadline);
    try {
      requireWhole(response);
      return await read(response);
    } finally {
      response.destroy();
    }
  } catch (error) {
    if (isCoded(error, 'untrusted')) throw error;
    const why = deadline.aborted ? 'it took too long' : messageOf(error);
    throw new CodedError('network', `${url.href} cannot be read: ${why}`, {}, { cause: error });
  }
}

function request(url: URL, address: string, signal: AbortSignal): Promise<http.IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const options = {
    method: 'GET',
    host: address,
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname + url.search,
    // The connection goes to the address; certificate and virtual host are the name's.
    servername: isIP(host) === 0 ? host : '',
    headers: { host: url.host, accept: 'application/json', 'accept-encoding': 'identity' },
    agent: false,
    maxHeaderSize: MAX_HEADERS,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    const { request: begin } = url.protocol === 'https:' ? https : http;
    begin(options, resolve).on('error', reject).end();
  });
}

function requireWhole({ statusCode, headers }: http.IncomingMessage): void {
  if (statusCode !== 200) throw new Error(`the answer was ${statusCode}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Error('the answer is compressed');
}

async function read(response: http.IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_DOCUMENT_BYTES) {
      throw new Error(`the answer is longer than ${MAX_DOCUMENT_BYTES} bytes`);
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
