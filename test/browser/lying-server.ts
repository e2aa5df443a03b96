/**
 * A server that shows a registry, pages and all, and changes what a test tells it to: what a
 * browser would see of an operator who lies.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Change } from '../made/lies.ts';

/** Of the connection, not of the answer. */
const OWN_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'transfer-encoding',
]);

export class LyingServer {
  change: Change = () => undefined;
  /** `POST /api/v1/commitments`, and so on. */
  readonly requests: string[] = [];
  readonly #target: string;
  readonly #server: Server;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(target: string): Promise<LyingServer> {
    const server = new LyingServer(target);
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
    this.requests.push(`${method} ${path}`);
    const passed = ['accept', 'range'].flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as [string, string]] : [];
    });
    const honest = await fetch(this.#target + path, { method, headers: passed });
    const bytes = new Uint8Array(await honest.arrayBuffer());
    const shown = honest.ok ? (this.change(path, bytes) ?? bytes) : bytes;
    for (const [name, value] of honest.headers) {
      if (!OWN_HEADERS.has(name)) response.setHeader(name, value);
    }
    response.writeHead(honest.status, { 'content-length': shown.length });
    response.end(shown);
  }
}
