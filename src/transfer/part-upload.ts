/**
 * One part of a file on its way to the registry: a PUT with its length and its SHA-256
 * (RFC 9530), over connections that are kept. `fetch` would send a stream without its length,
 * and through more copies; this is the one place that does not use it for writing.
 */
import { constants, createReadStream } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { IDLE_MILLISECONDS, unreachable } from '../client/http.ts';
import { parseProblem } from '../client/problem.ts';
import { interruption } from '../client/retry.ts';
import { formatBase64 } from '../core/bytes.ts';
import { CodedError, isCoded } from '../core/error.ts';

/** Bytes read from the file at once. */
const READ_BYTES = 256 * 1024;
/** Bytes of an answer that are read; a server that goes on is cut off. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Answers of 1xx that are let by before the answer itself. */
const MAX_INTERIM = 8;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

export interface PartUpload {
  readonly url: string;
  readonly token: string | undefined;
  /** The local file, and which of its bytes. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Connections to the registry, kept between parts. */
export class PartSender {
  readonly #agents: { readonly plain: Agent; readonly tls: TlsAgent };

  constructor(connections: number) {
    const options = { keepAlive: true, maxSockets: connections, timeout: IDLE_MILLISECONDS };
    this.#agents = { plain: new Agent(options), tls: new TlsAgent(options) };
  }

  /** Sends the part once. Throws `network`, and what the server refuses with. */
  async send(part: PartUpload): Promise<void> {
    try {
      const answer = await this.#put(part);
      const { body, isWhole } = await readAnswer(answer);
      if (answer.statusCode !== 204 && answer.statusCode !== 200)
        throw refusalOf(answer, body, part);
      if (!isWhole) throw tooLong(part);
    } catch (error) {
      if (part.signal?.aborted) throw interruption(part.signal);
      throw isCoded(error) ? error : unreachable(part.url, error);
    }
  }

  close(): void {
    this.#agents.plain.destroy();
    this.#agents.tls.destroy();
  }

  #put(part: PartUpload): Promise<IncomingMessage> {
    const { url, token, location, offset, length, sha256, signal } = part;
    const headers = {
      'content-length': length,
      'content-type': 'application/octet-stream',
      'content-digest': `sha-256=:${formatBase64(sha256)}:`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const isTls = url.startsWith('https:');
    const agent = isTls ? this.#agents.tls : this.#agents.plain;
    const sending = (isTls ? requestTls : request)(url, { method: 'PUT', headers, agent, signal });
    sending.on('timeout', () => sending.destroy(new Error('nothing came for too long')));
    let interim = 0;
    sending.on('information', () => {
      if (++interim > MAX_INTERIM) sending.destroy(new Error('the answer itself never comes'));
    });
    const body = createReadStream(location, {
      // Node takes the flags as a number; only its types do not say so.
      flags: READ_FLAGS as unknown as string,
      start: offset,
      end: offset + length - 1,
      highWaterMark: READ_BYTES,
    });
    return new Promise((resolve, reject) => {
      sending.on('response', resolve);
      sending.on('error', reject);
      // A server may refuse before all is sent; its answer then says more than the broken pipe.
      pipeline(body, sending).catch((error) => setImmediate(reject, error));
    });
  }
}

/** The beginning of the answer's body; of most answers that is all of it. */
async function readAnswer(
  answer: IncomingMessage,
): Promise<{ readonly body: Uint8Array; readonly isWhole: boolean }> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    // Leaving the loop closes the connection.
    if (length > MAX_ANSWER_BYTES) break;
  }
  const body = new Uint8Array(Buffer.concat(parts).subarray(0, MAX_ANSWER_BYTES));
  return { body, isWhole: length <= MAX_ANSWER_BYTES };
}

function tooLong({ url }: PartUpload): CodedError {
  return new CodedError(
    'too-large',
    `the answer of ${url} is longer than ${MAX_ANSWER_BYTES} bytes`,
  );
}

function refusalOf(answer: IncomingMessage, body: Uint8Array, { url }: PartUpload) {
  const headers = new Headers();
  for (const name of ['content-type', 'retry-after']) {
    const value = answer.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return parseProblem({ status: answer.statusCode ?? 0, headers }, body, url);
}
