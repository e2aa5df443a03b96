/**
 * Bytes of a file on their way out: one PUT with its length, over connections that are kept,
 * to the registry or to its store. `fetch` would send a stream without its length, and through
 * more copies; this is the one place that does not use it for writing. No redirect is followed:
 * a redirected write would be made somewhere that nobody named.
 */
import { constants, createReadStream } from 'node:fs';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { IDLE_MILLISECONDS } from '../client/body.ts';
import { unreachable } from '../client/http.ts';
import type { Refusal } from '../client/problem.ts';
import { interruption } from '../client/retry.ts';
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
  /** What messages call the address; it may hold a secret. */
  readonly place: string;
  /** Beside the length. */
  readonly headers: Readonly<Record<string, string>>;
  /** The local file, and which of its bytes. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  readonly signal?: AbortSignal | undefined;
  /** The error that a refusal means. */
  refusal(refusal: Refusal, body: Uint8Array): CodedError;
}

/** Connections, kept between parts. */
export class PartSender {
  readonly #agents: { readonly plain: Agent; readonly tls: TlsAgent };

  constructor(connections: number) {
    const options = { keepAlive: true, maxSockets: connections, timeout: IDLE_MILLISECONDS };
    this.#agents = { plain: new Agent(options), tls: new TlsAgent(options) };
  }

  /** Sends the part once; resolves to the answer's headers. Throws `network`, and what the server refuses with. */
  async send(part: PartUpload): Promise<IncomingHttpHeaders> {
    try {
      const answer = await this.#put(part);
      const { body, isWhole } = await readAnswer(answer);
      if (answer.statusCode !== 204 && answer.statusCode !== 200)
        throw part.refusal(refusalOf(answer), body);
      if (!isWhole) throw tooLong(part);
      return answer.headers;
    } catch (error) {
      if (part.signal?.aborted) throw interruption(part.signal);
      throw isCoded(error) ? error : unreachable(part.place, error);
    }
  }

  close(): void {
    this.#agents.plain.destroy();
    this.#agents.tls.destroy();
  }

  #put(part: PartUpload): Promise<IncomingMessage> {
    const { url, location, offset, length, signal } = part;
    const headers = { ...part.headers, 'content-length': length };
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

function tooLong({ place }: PartUpload): CodedError {
  return new CodedError(
    'too-large',
    `the answer of ${place} is longer than ${MAX_ANSWER_BYTES} bytes`,
  );
}

function refusalOf(answer: IncomingMessage): Refusal {
  const headers = new Headers();
  for (const name of ['content-type', 'retry-after']) {
    const value = answer.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return { status: answer.statusCode ?? 0, headers };
}
