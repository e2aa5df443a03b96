/**
 * An S3 server as the network shows it on a bad day. Requests are sent on as they came (their
 * signatures cover the host, so clients sign for this proxy), except for those that a fault
 * is drawn for:
 *
 *     delayed, late       it comes late, or its answer does
 *     refused             it is answered with 409, 500 or 503 and never done
 *     done-refused        it is done, and answered with 500 or 503
 *     cut-off             the connection is reset before it is sent on
 *     half-sent           the connection is reset in the middle of its body
 *     lost                it is done, and the connection reset without an answer
 *     stalled             it is done, and then nothing comes, until the connection is reset
 *     twice               it is done twice, and the second answer is given: to what it did itself
 *     cut-answer          the connection is reset in the middle of the answer's body
 *     short-answer        the answer's body ends in the middle, with the length of the whole
 *     shortened           half of the answer's body, with a length that fits
 */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, exchange, type Message, receive, reply, withHeader } from './exchange.ts';

export type Fault =
  | { readonly kind: 'delayed' | 'late' | 'stalled'; readonly milliseconds: number }
  | { readonly kind: 'refused'; readonly status: 409 | 500 | 503 }
  | { readonly kind: 'done-refused'; readonly status: 500 | 503 }
  | {
      readonly kind:
        | 'cut-off'
        | 'half-sent'
        | 'lost'
        | 'twice'
        | 'cut-answer'
        | 'short-answer'
        | 'shortened';
    };

/** The fault for a request; undefined for none. `path` is its URL's path. */
export type DrawFault = (method: string, path: string) => Fault | undefined;

/** Milliseconds in which a client reads what came before a reset. */
const RESET_MS = 10;

/** S3's names for what it answers with, which clients go by. */
const CODES = { 409: 'ConditionalRequestConflict', 500: 'InternalError', 503: 'SlowDown' } as const;

export class FaultProxy {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #upstream: number;
  readonly #draw: DrawFault;
  /** How often each fault was made. */
  readonly made = new Map<string, number>();
  #isHealed = false;

  private constructor(upstream: number, draw: DrawFault) {
    this.#upstream = upstream;
    this.#draw = draw;
    this.#server = createServer((incoming, response) => void this.#serve(incoming, response));
  }

  /** In front of `upstream`, a port of this machine. */
  static async start(upstream: number, draw: DrawFault): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, draw);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on nothing fails. */
  heal(): void {
    this.#isHealed = true;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const message = await receive(incoming);
      const fault = this.#isHealed ? undefined : this.#draw(message.method, pathOf(message));
      if (fault !== undefined) this.made.set(fault.kind, (this.made.get(fault.kind) ?? 0) + 1);
      await this.#answer(message, response, fault);
    } catch {
      reset(response);
    }
  }

  async #answer(message: Message, response: ServerResponse, fault: Fault | undefined) {
    switch (fault?.kind) {
      case 'delayed':
        await pause(fault.milliseconds);
        return reply(response, await this.#send(message));
      case 'refused':
        return reply(response, refusal(fault.status));
      case 'cut-off':
        return reset(response);
      case 'half-sent':
        await sendHalf(message, this.#upstream);
        return reset(response);
      case 'twice':
        await this.#send(message);
        return reply(response, await this.#send(message));
      default:
        return this.#answerDone(await this.#send(message), response, fault);
    }
  }

  /** What happens to the answer of a request that was done. */
  async #answerDone(answer: Answer, response: ServerResponse, fault: Fault | undefined) {
    switch (fault?.kind) {
      case 'done-refused':
        return reply(response, refusal(fault.status));
      case 'late':
        await pause(fault.milliseconds);
        return reply(response, answer);
      case 'stalled':
        await pause(fault.milliseconds, undefined, { ref: false });
        return reset(response);
      case 'lost':
        return reset(response);
      case 'cut-answer':
      case 'short-answer':
        return replyHalf(response, answer, fault.kind === 'cut-answer');
      case 'shortened':
        return reply(response, shortened(answer));
      default:
        return reply(response, answer);
    }
  }

  #send(message: Message): Promise<Answer> {
    return exchange(message, { port: this.#upstream, agent: this.#agent });
  }
}

function pathOf({ url }: Message): string {
  return url.replace(/\?.*$/, '');
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function refusal(status: keyof typeof CODES): Answer {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${CODES[status]}</Code><Message>Try again.</Message></Error>`;
  const body = Buffer.from(text);
  return { status, headers: ['content-type', 'application/xml', ...lengthOf(body)], body };
}

/** Half of the body, and then the end of the connection, in order or not. */
async function replyHalf(response: ServerResponse, answer: Answer, isReset: boolean) {
  const { status, headers, body } = answer;
  response.sendDate = false;
  response.writeHead(status, withHeader(headers, 'content-length', String(body.length)));
  await new Promise<void>((resolve) => {
    response.write(body.subarray(0, body.length >> 1), () => resolve());
  });
  // A reset takes with it what the other side has not read yet.
  if (isReset) await pause(RESET_MS);
  if (isReset) reset(response);
  else response.socket?.end();
}

/** Everything else, checksums among it, stays as it was for the whole. */
function shortened({ status, headers, body }: Answer): Answer {
  const half = body.subarray(0, body.length >> 1);
  return { status, headers: withHeader(headers, ...lengthOf(half)), body: half };
}

function lengthOf(body: Buffer): ['content-length', string] {
  return ['content-length', String(body.length)];
}

/** Sends the head and half of the body; the server hears no more. */
async function sendHalf({ method, url, headers, body }: Message, port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
  const head = `${[`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
  await new Promise<void>((resolve) => {
    socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, body.length >> 1)]), () =>
      resolve(),
    );
  });
  socket.resetAndDestroy();
}
