/**
 * A server that shows a registry, pages and all, and changes what a test tells it to: what a
 * browser would see of an operator who lies.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Front } from '../made/front.ts';
import type { Change } from '../made/lies.ts';

/** Of the connection, not of the answer. */
const OWN_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'transfer-encoding',
]);

export class LyingServer extends Front {
  change: Change = () => undefined;
  readonly #target: string;

  private constructor(target: string) {
    super();
    this.#target = target;
  }

  static start(target: string): Promise<LyingServer> {
    return new LyingServer(target).listen();
  }

  protected override async answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
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
