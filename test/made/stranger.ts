/** A host that is not ours, on a port of its own: it answers as a test wants, and keeps what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  /** With the query. */
  readonly path: string;
  readonly token: string | undefined;
  readonly range: string | undefined;
  readonly accept: string | undefined;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class Stranger {
  readonly url: string;
  readonly asked: Asked[] = [];
  /** By path without the query; what is not there is answered with 404. */
  readonly answers = new Map<string, Answer>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<Stranger> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Stranger(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** Paths that were asked for, in order, without the query. */
  get paths(): string[] {
    return this.asked.map(({ path }) => path.split('?')[0]!);
  }

  json(path: string, value: unknown, headers: Record<string, string> = {}): void {
    this.answers.set(path, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    });
  }

  redirect(path: string, location: string, status = 302): void {
    this.answers.set(path, (_, response) => void response.writeHead(status, { location }).end());
  }

  refuse(path: string, status: number, headers: Record<string, string> = {}): void {
    this.answers.set(path, (_, response) => void response.writeHead(status, headers).end('no'));
  }

  /** Content, with ranges to its end. */
  content(path: string, bytes: Uint8Array): void {
    this.answers.set(path, (request, response) => sendFrom(request, response, bytes));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', headers } = request;
    const { authorization: token, range, accept } = headers;
    this.asked.push({ path: url, token, range, accept });
    const answer = this.answers.get(url.split('?')[0]!);
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  }
}

/** Sends `bytes`, or their end when a range asks for that (RFC 9110, section 14). */
export function sendFrom(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array) {
  const from = /^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1];
  const part = bytes.subarray(Number(from ?? 0));
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': part.length,
    ...(from === undefined ? {} : { 'content-range': range }),
  });
  response.end(part);
}

/** Sends the head for all of `bytes`, but only the first `length` of them, and hangs up. */
export function breakOff(response: ServerResponse, bytes: Uint8Array, length: number): void {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, length), () => response.destroy());
}
