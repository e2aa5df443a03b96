/**
 * Reads tiles and bundles over node:http. An audit of a million entries makes eight thousand
 * requests; `fetch` leaves so much garbage behind each that the heap grows to several times
 * of what all else here needs (docs/benchmarks.md).
 */
import { Agent, get, type IncomingMessage } from 'node:http';
import { get as getTls, Agent as TlsAgent } from 'node:https';
import type { Api } from '../../client/api.ts';
import { IDLE_MILLISECONDS } from '../../client/body.ts';
import { unreachable } from '../../client/http.ts';
import { parseProblem, throwOfLog } from '../../client/problem.ts';
import { interruption, withRetries } from '../../client/retry.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { MAX_BUNDLE_BYTES } from '../../core/log/tile.ts';
import type { ReadTile } from '../../core/log/tile-reader.ts';

/** Connections to one registry. */
const CONNECTIONS = 8;

export class TileConnections {
  readonly #api: Api;
  readonly #signal: AbortSignal | undefined;
  readonly #isTls: boolean;
  readonly #agent: Agent;

  constructor(api: Api, signal?: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
    this.#isTls = api.http.url.startsWith('https:');
    const options = { keepAlive: true, maxSockets: CONNECTIONS };
    this.#agent = this.#isTls ? new TlsAgent(options) : new Agent(options);
  }

  readonly read: ReadTile = async (path) => {
    const address = `${this.#api.http.url}/log/${path}`;
    const attempt = () => this.#attempt(address);
    const answer = await withRetries(attempt, this.#api.http.pauses, this.#signal).catch(
      throwOfLog,
    );
    // A registry may keep its tiles elsewhere: fetch knows how to follow.
    return answer === 'redirected' ? this.#api.tile(path, { signal: this.#signal }) : answer;
  };

  close(): void {
    this.#agent.destroy();
  }

  async #attempt(address: string): Promise<Uint8Array | undefined | 'redirected'> {
    try {
      const response = await this.#get(address);
      const { statusCode = 0 } = response;
      if (statusCode === 200) return await readBody(response, address);
      const body = await readBody(response, address);
      if (statusCode >= 300 && statusCode < 400) return 'redirected';
      const refused = parseProblem(refusalOf(response), body, address);
      if (refused.code === 'not-found') return undefined;
      throw refused;
    } catch (error) {
      if (this.#signal?.aborted) throw interruption(this.#signal);
      throw isCoded(error) ? error : unreachable(address, error);
    }
  }

  #get(address: string): Promise<IncomingMessage> {
    const options = {
      agent: this.#agent,
      timeout: IDLE_MILLISECONDS,
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    };
    return new Promise((resolve, reject) => {
      const request = (this.#isTls ? getTls : get)(address, options, resolve);
      request.on('timeout', () => request.destroy(new Error('nothing came for too long')));
      request.on('error', reject);
    });
  }
}

/** The bytes of the body, into memory of its own. */
async function readBody(response: IncomingMessage, address: string): Promise<Uint8Array> {
  const length = Number(response.headers['content-length'] ?? MAX_BUNDLE_BYTES);
  if (!(length <= MAX_BUNDLE_BYTES)) throw tooLong(address);
  let bytes = new Uint8Array(length);
  let filled = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    if (filled + part.length > length) throw tooLong(address);
    bytes.set(part, filled);
    filled += part.length;
  }
  if (filled < length) bytes = bytes.slice(0, filled);
  return bytes;
}

function refusalOf({ statusCode = 0, headers }: IncomingMessage) {
  const plain = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return { status: statusCode, headers: new Headers(plain) };
}

function tooLong(address: string): CodedError {
  return new CodedError('too-large', `the answer of ${address} is longer than any tile`);
}
